"""Gradient of the deviance with respect to theta, at the linear coefficients of a state."""

from __future__ import annotations

import numpy as np

from outcomes.mixed.dynamic import parameters
from outcomes.mixed.dynamic.assembly import Assembly
from outcomes.mixed.dynamic.likelihood import State, residual_weights
from outcomes.mixed.dynamic.patterns import add_gradient
from outcomes.mixed.dynamic.posterior import posterior
from outcomes.mixed.dynamic.problem import DynamicProblem
from outcomes.mixed.dynamic.sequences import Stretches


def gradient(problem: DynamicProblem, state: State) -> np.ndarray:
    """Derivatives of the deviance; exact where the coefficients are the best ones (or held)."""
    found = posterior(problem, state)
    result = [dynamic_gradient(problem, state, state.assembly, found.mean, found.cov)]
    for score in (found.client_score, found.therapist_score):
        if score is not None:
            result.append(-2 * parameters.factor_gradient(score.sum(axis=0)))
    return np.concatenate(result)


def dynamic_gradient(
    problem: DynamicProblem, state: State, assembly: Assembly, mean: np.ndarray, cov: np.ndarray
) -> np.ndarray:
    """Derivatives with respect to the nine dynamic parameters, given the effects' moments (flat as in `Posterior`)."""
    weights = residual_weights(problem, state.psi)
    d_power = np.zeros_like(state.tables.power)
    d_cov = np.zeros_like(state.tables.cov)
    parts = zip(problem.groups, problem.places, assembly.precisions, problem.crossing_places, strict=True)
    for group, at, precision, places in parts:
        S = _expected_products(problem, group, places, weights, mean, cov)
        add_gradient(group, at, precision, S, state.tables, d_power, d_cov)
    return parameters.chain(state.theta, d_power, d_cov)


def _expected_products(
    problem: DynamicProblem,
    group: Stretches,
    places: np.ndarray | None,
    weights: np.ndarray,
    mean: np.ndarray,
    cov: np.ndarray,
) -> np.ndarray:
    """Expected cross-products, shape (W, n_m, n_m), of a group's residuals without the effects, summed by pattern."""
    outcome = group.outcome

    def residuals(D: np.ndarray, Y: np.ndarray) -> np.ndarray:
        return np.concatenate([D @ weights[: problem.q_d], Y @ weights[problem.q_d :]], axis=1)

    root = residuals(group.root_guidance, group.root_satisfaction)
    S = np.add.reduceat(root[:, :, None] * root[:, None, :], group.root_first, axis=0)
    if len(group.cell_word):
        own = mean[group.cell_pair]
        second = cov[problem.diagonal[group.cell_pair]] + own[:, :, None] * own[:, None, :]
        second = np.add.reduceat(group.cell_count[:, None, None] * second, group.cell_first, axis=0)
        sums = residuals(group.cell_guidance, group.cell_satisfaction)
        cross = np.add.reduceat(own[:, :, None] * sums[:, None, :], group.cell_first, axis=0)
        word = group.cell_word[group.cell_first]
        S[word] += second[:, outcome[:, None], outcome]
        cross = cross[:, outcome]
        S[word] -= cross + cross.swapaxes(1, 2)
    if group.crossing is not None:
        values = residuals(group.crossing.D, group.crossing.Y)
        gap = values - mean.ravel()[group.crossing.effect]
        change = gap[:, :, None] * gap[:, None, :] - values[:, :, None] * values[:, None, :]
        np.add.at(S, group.crossing.word, cov[places] + change)
    return S
