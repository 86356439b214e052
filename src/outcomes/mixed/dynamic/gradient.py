"""The effects given the data, and the gradient of the deviance with respect to theta that follows from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from outcomes.mixed.dynamic import parameters
from outcomes.mixed.dynamic.likelihood import Assembly, Eliminated, State, residual_weights
from outcomes.mixed.dynamic.patterns import add_gradient
from outcomes.mixed.dynamic.problem import ClientBlocks, DynamicProblem
from outcomes.mixed.dynamic.sequences import Stretches
from outcomes.mixed.dynamic.therapists import solve


@dataclass(frozen=True)
class Posterior:
    """The effects of the pairs given the data.

    Parameters
    ----------
    mean : ndarray, shape (P, 2)
    cov : ndarray
        Flat as the clients' matrices.
    client_score : ndarray, shape (n, 2, 2)
        Each client's part of the log-likelihood's derivative with respect to Lambda.
    therapist_score : ndarray, shape (n, 2, 2), or None
        The same for Gamma.
    """

    mean: np.ndarray
    cov: np.ndarray
    client_score: np.ndarray
    therapist_score: np.ndarray | None


def posterior(problem: DynamicProblem, state: State) -> Posterior:
    """Moments of the effects at a state."""
    weights = residual_weights(problem.size, state.psi)
    score = state.assembly.h @ weights
    mean, cov = np.empty_like(score), np.empty(problem.n_flat)
    client_score = np.empty((int(problem.pairs.client.max()) + 1, 2, 2))
    therapist_score = modes = None
    if problem.layout is not None:
        modes = solve(problem.layout, state.therapists, (state.right @ weights)[:, :, None])[:, :, 0]
        therapist_score = np.empty_like(client_score)
    for block, one in zip(problem.blocks, state.clients, strict=True):
        own = _of_block(block, one, state, score[block.pairs], modes)
        mean[block.pairs] = own.mean
        cov[block.part] = own.cov.ravel()
        who = problem.pairs.client[block.pairs][:: block.n_therapists]
        client_score[who] = own.client_score
        if therapist_score is not None:
            therapist_score[who] = own.therapist_score
    return Posterior(mean, cov, client_score, therapist_score)


def _of_block(
    block: ClientBlocks, one: Eliminated, state: State, score: np.ndarray, modes: np.ndarray | None
) -> Posterior:
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
    client_score = rest.reshape(n, k, 2).sum(axis=1)[:, :, None] * s[:, None, :]
    client_score -= (one.CE.swapaxes(1, 2) @ with_s)[unit]
    therapist_score = None
    if modes is not None:
        own = np.einsum("ukakb->uab", (one.C @ YN).reshape(-1, k, 2, k, 2))
        therapist_score = np.einsum("nka,nkb->nab", rest.reshape(n, k, 2), t) - own[unit]
    return Posterior(mean.reshape(n * k, 2), cov[unit], client_score, therapist_score)


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
    weights = residual_weights(problem.size, state.psi)
    d_power = np.zeros_like(state.tables.power)
    d_cov = np.zeros_like(state.tables.cov)
    parts = zip(problem.groups, problem.places, assembly.precisions, problem.crossing_places, strict=True)
    for group, at, precision, places in parts:
        S = expected_products(problem, group, places, weights, mean, cov)
        add_gradient(group, at, precision, S, state.tables, d_power, d_cov)
    return parameters.chain(state.theta, d_power, d_cov)


def expected_products(
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
        return np.concatenate([D @ weights[: problem.size.q_d], Y @ weights[problem.size.q_d :]], axis=1)

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
