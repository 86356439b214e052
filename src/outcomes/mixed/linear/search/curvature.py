"""Exact second derivatives of the profiled deviance by theta.

With Psi = Lambda Lambda' of each factor, V_i = Z dPsi_i Z' and A = [X y]'V^-1 [X y], the criterion is log|V| + g(A):

    d2 log|V| = tr(V^-1 V_ij) - tr(V^-1 V_i V^-1 V_j)
    d2 A      = -U'dPsi_ij U + (V_i V^-1 [X y])'V^-1 (V_j V^-1 [X y]) + its transpose,   U = Z'V^-1 [X y].

The first factor is eliminated as in `deviance`: B = (Z'Z + Psi^-1)^-1 and T = I - Z'Z B by level, so that
dB = T'dPsi T; the others keep N and M = (Psi^-1 + N)^-1, finite where Psi is singular. N moves with the first factor's
theta by -E'dB E, which is as sparse as N: one Hessian costs a few products of a sparse matrix with a dense one, less
than the evaluations of its differences.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from outcomes.mixed.covariance import CovarianceFactor
from outcomes.mixed.elimination.batched import apply, chunks, multiply, symmetric_pairs
from outcomes.mixed.elimination.components import LinkedLevels
from outcomes.mixed.elimination.linked_matrix import Sparse, left, left_transposed
from outcomes.mixed.linear.deviance import (
    State,
    cross_quadratic,
    projection_root,
    residual_crossproducts,
    rest_covariance,
    rest_covariance_at_lower,
)
from outcomes.mixed.linear.problem import LinearFrame, LinearProblem
from outcomes.mixed.linear.satterthwaite import level_products
from outcomes.mixed.linear.search.traces import trace_of, traces_by_rows

LEAST_PSI = 1e-4
"""Variances (relative to sigma^2) above which I - M N = M Psi^-1 loses no digits that a Hessian needs."""


@dataclass(frozen=True)
class Directions:
    """Derivatives of one factor's Psi.

    Parameters
    ----------
    first : ndarray, shape (m, k, k)
    second : ndarray, shape (m, m, k, k)
    """

    first: np.ndarray
    second: np.ndarray

    @classmethod
    def of(cls, factor: CovarianceFactor, theta: np.ndarray) -> Directions:
        """At a factor's own theta."""
        Lambda, m = factor.relative_factor(theta), factor.n_theta
        moves = np.zeros((m, factor.k, factor.k))
        moves[np.arange(m), factor.rows, factor.cols] = 1.0
        half = moves @ Lambda.T
        both = np.einsum("iac,jbc->ijab", moves, moves)
        return cls(half + np.swapaxes(half, 1, 2), both + np.swapaxes(both, 2, 3))


def exact_hessian(problem: LinearProblem, state: State, theta: np.ndarray, *, reml: bool) -> np.ndarray:
    """Second derivatives (m, m) of the profiled deviance at theta.

    Parameters
    ----------
    problem : LinearProblem
    state : State
        At theta; see `deviance.solve`.
    theta : ndarray, shape (m,)
    reml : bool
    """
    directions = [Directions.of(f, theta[s]) for f, s in zip(problem.factors, problem.slices, strict=True)]
    U = residual_crossproducts(problem, state)
    products = level_products(U)
    first = _first_factor(problem, state, directions[0], U[0])
    log_det, mixed = first.log_det, first.mixed
    blocks = [first.whole]
    if problem.rest is not None:
        log_det, mixed, others = _with_rest(problem, state, theta, directions, U, first)
        blocks += others
    slope = np.concatenate([-np.einsum("iab,abxy->ixy", d.first, p) for d, p in zip(directions, products, strict=True)])
    second = mixed + np.swapaxes(mixed, 2, 3)
    for part, direction, product, block in zip(problem.slices, directions, products, blocks, strict=True):
        log_det[part, part] += np.einsum("ijab,ab->ij", direction.second, block)
        second[part, part] -= np.einsum("ijab,abxy->ijxy", direction.second, product)
    return log_det + _of_fixed_effects(problem, state, slope, second, reml=reml)


def _of_fixed_effects(
    problem: LinearFrame, state: State, slope: np.ndarray, second: np.ndarray, *, reml: bool
) -> np.ndarray:
    """Second derivatives of g(A) = log|A_xx| + df log r2 (without the first for ML) from those of A."""
    df = problem.n - problem.p if reml else problem.n
    root = projection_root(problem, state, reml=reml)
    residual = np.append(-state.beta, 1.0)
    found = np.einsum("ijxy,xy->ij", second, root @ root.T)
    moved = slope @ residual  # (m, q)
    r2_slope = moved @ residual
    found -= df * (2 * moved[:, :-1] @ state.XVX_inverse @ moved[:, :-1].T / state.r2)
    found -= df * np.outer(r2_slope, r2_slope) / state.r2**2
    if reml:
        turned = state.XVX_inverse @ slope[:, :-1, :-1]
        found -= np.einsum("ixy,jyx->ij", turned, turned)
    return found


@dataclass(frozen=True)
class _First:
    """What the first factor alone gives; m1 parameters of its own, m in all.

    Parameters
    ----------
    whole : ndarray, shape (k, k)
        Sum over levels of Z'V^-1 Z.
    log_det : ndarray, shape (m, m)
    mixed : ndarray, shape (m, m, q, q)
        (V_i V^-1 [X y])'V^-1 (V_j V^-1 [X y]).
    moved : ndarray, shape (Q, m1 * q)
        E'T'dPsi_i U.
    B_moves : ndarray, shape (m1, pairs, J)
        Symmetric places of the derivatives of B.
    """

    whole: np.ndarray
    log_det: np.ndarray
    mixed: np.ndarray
    moved: np.ndarray
    B_moves: np.ndarray


def _first_factor(problem: LinearProblem, state: State, directions: Directions, U: np.ndarray) -> _First:
    """Pass over the levels of the first factor."""
    k, J, q, m1 = problem.factors[0].k, problem.n_levels[0], problem.p + 1, len(directions.first)
    rest, m = problem.rest, problem.n_theta
    Q = None if rest is None else cross_quadratic(problem, rest_covariance_at_lower(problem, state))
    whole, pairs = np.zeros((k, k)), np.zeros((k, k, k, k))
    mixed = np.zeros((m1 * q, m1 * q))
    moved = np.zeros((0 if rest is None else rest.n_columns, m1 * q))
    B_moves = np.empty((m1, k * (k + 1) // 2, 0 if rest is None else J))
    parts = [(part, (), ()) for part in chunks(J)] if rest is None else rest.by_chunk
    for part, _, across in parts:
        G = problem.G[:, :, part]
        T = -multiply(G, state.B[:, :, part])
        for a in range(k):
            T[a, a] += 1.0
        Tt = np.swapaxes(T, 0, 1)
        P = multiply(T, G)
        whole += P.sum(axis=2)
        flat = P.reshape(k * k, -1)
        sums = flat @ flat.T
        if rest is not None:
            Y = multiply(T, multiply(Q[:, :, part], Tt))
            whole -= Y.sum(axis=2)
            cross = flat @ Y.reshape(k * k, -1).T
            sums -= cross + cross.T
        pairs += sums.reshape(k, k, k, k)
        W = np.tensordot(directions.first, U[part], axes=(2, 1)).transpose(1, 2, 0, 3).reshape(k, -1, m1 * q)
        mixed += W.reshape(-1, m1 * q).T @ apply(P, W).reshape(-1, m1 * q)
        if rest is None:
            continue
        for Et, TW in zip(across, apply(Tt, W), strict=True):
            moved += Et @ TW
        for i, direction in enumerate(directions.first):
            move = multiply(Tt, np.tensordot(direction, T, axes=(1, 0)))
            for at, (a, b) in enumerate(symmetric_pairs(k)):
                B_moves[i, at, part] = move[a, b]
    log_det, whole_mixed = np.zeros((m, m)), np.zeros((m, m, q, q))
    log_det[:m1, :m1] = -np.einsum("iab,jcd,bcda->ij", directions.first, directions.first, pairs)
    whole_mixed[:m1, :m1] = mixed.reshape(m1, q, m1, q).transpose(0, 2, 1, 3)
    return _First(whole, log_det, whole_mixed, moved, B_moves)


def _with_rest(
    problem: LinearProblem,
    state: State,
    theta: np.ndarray,
    directions: list[Directions],
    U: tuple[np.ndarray, ...],
    first: _First,
) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Log-determinant's and A's second derivatives with the other factors, and sums of Z'V^-1 Z by factor."""
    rest, q = problem.rest, problem.p + 1
    m1, m = len(first.B_moves), problem.n_theta
    log_det, mixed = first.log_det.copy(), first.mixed.copy()
    N_moves = [rest.matrices(-(rest.C @ move.ravel())) for move in first.B_moves]
    bands, W = _other_directions(problem, directions, U)
    n_bands = bands.shape[1]
    moved = np.vstack([first.moved, np.zeros(first.moved.shape[1])])
    diagonals = np.zeros((n_bands, rest.n_columns + 1))
    ends = np.zeros((m1, n_bands, rest.n_columns + 1))
    buckets = zip(rest.packing.buckets, rest_covariance(problem, state), state.N, strict=True)
    for b, (bucket, M, N) in enumerate(buckets):
        members = bucket.members
        size = members.shape[1]
        own, other = moved[members], W[members]
        turned = other - M @ N.times(other)
        _add(mixed, -_inner(own, M @ own), slice(0, m1), slice(0, m1), q)
        _add(mixed, _inner(own, turned), slice(0, m1), slice(m1, m), q)
        _add(mixed, _inner(other, N.times(turned)), slice(m1, m), slice(m1, m), q)
        psi = state.bands[0, members] ** 2
        if n_bands == 1 and isinstance(N, Sparse) and psi.min() > LEAST_PSI:
            rows = traces_by_rows(M[0], psi[0], [moves[b].entries for moves in N_moves], bands[:, 0, members[0]])
            log_det[:m1, :m1] -= rows.first
            log_det[m1:, m1:] -= rows.others
            diagonals[0, members[0]], ends[:, 0, members[0]] = rows.diagonal, rows.ends
            continue
        steps = [moves[b].times(M) for moves in N_moves]
        for i in range(m1):
            for j in range(i + 1):
                log_det[i, j] -= trace_of(steps[i], steps[j])
        if n_bands == 1 and psi.min() > LEAST_PSI:
            C, R = M / psi[:, None], M / (-psi[:, :, None] * psi[:, None])
            R[:, np.arange(size), np.arange(size)] += 1 / psi
            for step in steps:
                step /= psi[:, None]
        else:
            C = np.ascontiguousarray(-np.swapaxes(N.times(M), 1, 2))
            C[:, np.arange(size), np.arange(size)] += 1.0
            R = N.times(C)
            steps = [moves[b].times(C) for moves in N_moves]
        for d in range(n_bands):
            diagonals[d, members[:, : size - d]] = np.diagonal(R, -d, 1, 2)
            for i, step in enumerate(steps):
                ends[i, d, members[:, : size - d]] = np.einsum("nrc,nrc->nc", C[:, :, d:], step[:, :, : size - d])
        del steps, C
        pushed = [_symmetric_left(R, band[:, members]) for band in bands]
        for i, one in enumerate(pushed):
            for j in range(i + 1):
                log_det[m1 + i, m1 + j] -= trace_of(one, pushed[j])
    return _symmetric(problem, directions, log_det, ends), _symmetric_mixed(mixed, m1), _blocks(problem, diagonals)


def _other_directions(
    problem: LinearProblem, directions: list[Directions], U: tuple[np.ndarray, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """The other factors' dPsi_i as bands (m2, bands, Q + 1), and dPsi_i U, shape (Q + 1, m2 * q)."""
    rest, q = problem.rest, problem.p + 1
    m2 = sum(len(d.first) for d in directions[1:])
    n_bands = max(f.k for f in problem.factors[1:])
    bands = np.zeros((m2, n_bands, rest.n_columns + 1))
    W = np.zeros((rest.n_columns + 1, m2, q))
    i = 0
    for g, (factor, direction) in enumerate(zip(problem.factors[1:], directions[1:], strict=True)):
        for move in direction.first:
            W[rest.columns[g], i] = np.einsum("ab,lbx->lax", move, U[g + 1]).reshape(-1, q)
            for a in range(factor.k):
                for d in range(factor.k - a):
                    bands[i, d, rest.at(g, a)] = move[a + d, a]
            i += 1
    return bands, W.reshape(-1, m2 * q)


def _symmetric(
    problem: LinearProblem, directions: list[Directions], log_det: np.ndarray, ends: np.ndarray
) -> np.ndarray:
    """Fill the part between the first and the other factors, and the upper triangle."""
    m1 = len(ends)
    row = m1
    for g, direction in enumerate(directions[1:]):
        for move in direction.first:
            for i in range(m1):
                log_det[row, i] = np.sum(move * _level_sum(problem.rest, g, len(move), ends[i]))
            row += 1
    return np.tril(log_det) + np.tril(log_det, -1).T


def _symmetric_mixed(mixed: np.ndarray, m1: int) -> np.ndarray:
    """Fill the products of the other factors with the first."""
    mixed[m1:, :m1] = mixed[:m1, m1:].transpose(1, 0, 3, 2)
    return mixed


def _blocks(problem: LinearProblem, diagonals: np.ndarray) -> list[np.ndarray]:
    """Sum over levels of Z'V^-1 Z of each other factor."""
    return [_level_sum(problem.rest, g, factor.k, diagonals) for g, factor in enumerate(problem.factors[1:])]


def _level_sum(rest: LinkedLevels, g: int, k: int, diagonals: np.ndarray) -> np.ndarray:
    """Sum over a factor's levels of the symmetric blocks whose diagonals are given, shape (k, k)."""
    block = np.empty((k, k))
    for a in range(k):
        for d in range(k - a):
            block[a + d, a] = block[a, a + d] = diagonals[d, rest.at(g, a)].sum()
    return block


def _symmetric_left(R: np.ndarray, band: np.ndarray) -> np.ndarray:
    """Symmetric banded matrices times R, given their lower bands."""
    result = left_transposed(R, band)
    if len(band) > 1:
        result += left(R, np.concatenate([np.zeros_like(band[:1]), band[1:]]))
    return result


def _inner(one: np.ndarray, two: np.ndarray) -> np.ndarray:
    """Sum over components of one'two."""
    return np.tensordot(one, two, axes=((0, 1), (0, 1)))


def _add(mixed: np.ndarray, found: np.ndarray, rows: slice, columns: slice, q: int) -> None:
    """Add (m1 * q, m2 * q) products at their places."""
    mixed[rows, columns] += found.reshape(rows.stop - rows.start, q, columns.stop - columns.start, q).swapaxes(1, 2)
