"""Gradient of the deviance with respect to theta, at the linear coefficients of a state."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from outcomes.mixed.dynamic import parameters
from outcomes.mixed.dynamic.likelihood import Eliminated, State, residual_weights
from outcomes.mixed.dynamic.patterns import add_gradient
from outcomes.mixed.dynamic.problem import ClientBlocks, DynamicProblem
from outcomes.mixed.dynamic.sequences import Stretches
from outcomes.mixed.dynamic.therapists import solve


@dataclass(frozen=True)
class Posterior:
    """The effects given the data: `mean` (P, 2), and `cov`, flat as the clients' matrices."""

    mean: np.ndarray
    cov: np.ndarray


def gradient(problem: DynamicProblem, state: State) -> np.ndarray:
    """Derivatives of the deviance; exact where the coefficients are the best ones (or held)."""
    weights = residual_weights(problem, state.psi)
    posterior, d_client, d_therapist = _posterior(problem, state, weights)
    d_power = np.zeros_like(state.tables.power)
    d_cov = np.zeros_like(state.tables.cov)
    parts = zip(problem.groups, problem.places, state.precisions, problem.crossing_places, strict=True)
    for group, at, found, places in parts:
        S = _expected_products(group, places, weights, problem.q_d, posterior, problem.diagonal)
        add_gradient(group, at, found, S, state.tables, d_power, d_cov)
    result = [parameters.chain(state.theta, d_power, d_cov), parameters.factor_gradient(d_client)]
    if d_therapist is not None:
        result.append(parameters.factor_gradient(d_therapist))
    return np.concatenate(result)


def _posterior(
    problem: DynamicProblem, state: State, weights: np.ndarray
) -> tuple[Posterior, np.ndarray, np.ndarray | None]:
    """Moments of the effects, and the derivatives with respect to the two factors."""
    score = state.h @ weights
    mean, cov = np.empty_like(score), np.empty(problem.n_flat)
    d_client = np.zeros((2, 2))
    d_therapist = modes = None
    if problem.layout is not None:
        modes = solve(problem.layout, state.therapists, (state.right @ weights)[:, :, None])[:, :, 0]
        d_therapist = np.zeros((2, 2))
    for block, one in zip(problem.blocks, state.clients, strict=True):
        own_mean, own_cov, by_client, by_therapist = _block_posterior(block, one, state, score[block.pairs], modes)
        mean[block.pairs] = own_mean
        cov[block.part] = own_cov.ravel()
        d_client += by_client
        if d_therapist is not None:
            d_therapist += by_therapist
    return Posterior(mean, cov), d_client, d_therapist


def _block_posterior(
    block: ClientBlocks, one: Eliminated, state: State, score: np.ndarray, modes: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray | None]:
    """The same for clients with one number of therapists.

    Given t, s has precision K and mean K^-1 Lambda' E' (score - C Gamma t); b = E Lambda s + Gamma t.
    """
    n, k, unit = block.n_clients, block.n_therapists, block.unit
    Lambda, Gamma = state.client_factor, state.therapist_factor
    total = score.reshape(n, k, 2).sum(axis=1)
    score = score.reshape(n, 2 * k)
    stacked = np.tile(Lambda, (k, 1))  # E Lambda
    LK = stacked @ one.K_inverse
    cov, with_s, Gamma_t = LK @ stacked.T, LK, None
    if modes is not None:
        t = modes[block.therapist]
        Gamma_t = (t @ Gamma.T).reshape(n, 2 * k)
        total = total - np.einsum("nij,ni->nj", one.CE[unit], Gamma_t)
        inverse = state.therapists.inverse[block.links].transpose(0, 1, 3, 2, 4).reshape(one.C.shape)
        spread = np.kron(np.eye(k), Gamma)
        Y = spread - LK @ (one.G.swapaxes(1, 2) @ spread)
        YN = Y @ inverse
        cov = cov + YN @ Y.swapaxes(1, 2)
        with_s = LK - YN @ (spread.T @ one.G) @ one.K_inverse
    s = np.einsum("nij,nj->ni", one.K_inverse[unit], total @ Lambda)
    mean = s @ stacked.T if Gamma_t is None else s @ stacked.T + Gamma_t
    rest = score - np.einsum("nij,nj->ni", one.C[unit], mean)
    by_client = rest.reshape(n, k, 2).sum(axis=1).T @ s - np.einsum("u,uia,uib->ab", block.size, one.CE, with_s)
    by_therapist = None
    if modes is not None:
        own = (one.C @ YN).reshape(-1, k, 2, k, 2)
        by_therapist = rest.reshape(-1, 2).T @ t.reshape(-1, 2) - np.einsum("u,ukakb->ab", block.size, own)
        by_therapist = -2 * by_therapist
    return mean.reshape(n * k, 2), cov[unit], -2 * by_client, by_therapist


def _expected_products(
    group: Stretches,
    places: np.ndarray | None,
    weights: np.ndarray,
    q_d: int,
    posterior: Posterior,
    diagonal: np.ndarray,
) -> np.ndarray:
    """Expected cross-products, shape (W, n_m, n_m), of a group's residuals without the effects, summed by pattern."""
    outcome = group.outcome

    def residuals(D: np.ndarray, Y: np.ndarray) -> np.ndarray:
        return np.concatenate([D @ weights[:q_d], Y @ weights[q_d:]], axis=1)

    root = residuals(group.root_guidance, group.root_satisfaction)
    S = np.add.reduceat(root[:, :, None] * root[:, None, :], group.root_first, axis=0)
    if len(group.cell_word):
        mean = posterior.mean[group.cell_pair]
        second = posterior.cov[diagonal[group.cell_pair]] + mean[:, :, None] * mean[:, None, :]
        second = np.add.reduceat(group.cell_count[:, None, None] * second, group.cell_first, axis=0)
        sums = residuals(group.cell_guidance, group.cell_satisfaction)
        cross = np.add.reduceat(mean[:, :, None] * sums[:, None, :], group.cell_first, axis=0)
        word = group.cell_word[group.cell_first]
        S[word] += second[:, outcome[:, None], outcome]
        cross = cross[:, outcome]
        S[word] -= cross + cross.swapaxes(1, 2)
    if group.crossing is not None:
        values = residuals(group.crossing.D, group.crossing.Y)
        mean = posterior.mean.ravel()[group.crossing.effect]
        gap = values - mean
        change = gap[:, :, None] * gap[:, None, :] - values[:, :, None] * values[:, None, :]
        np.add.at(S, group.crossing.word, posterior.cov[places] + change)
    return S
