"""The profiled criterion and its gradient where linked effects are too many to be eliminated exactly.

All but two parts are exact (to the tolerance of the solutions): log|S| of the linked effects, S = I + Lambda'N Lambda,
and its derivatives tr(S^-1 dS). Both are estimated with the same random probes at every theta, so that the criterion
and the gradient are smooth functions of theta, with an error that the spread between the probes tells.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from outcomes.mixed.elimination.batched import chunks, multiply, symmetric_pairs
from outcomes.mixed.elimination.linked_matrix import Sparse
from outcomes.mixed.linear.deviance import (
    State,
    bands_of,
    deviance,
    eliminate_first,
    projection_root,
    remaining_products,
    residual_crossproducts,
    with_fixed_effects,
)
from outcomes.mixed.linear.probed.system import log_determinant, solve_all
from outcomes.mixed.linear.problem import LinearProblem
from outcomes.mixed.linear.search.curvature import Directions


@dataclass(frozen=True)
class Scaled:
    """S = D^1/2 (I + R) D^1/2 with diagonal D.

    Parameters
    ----------
    R : csr_array, shape (Q, Q)
        With a diagonal of zeros.
    scale : ndarray, shape (Q,)
        D^-1/2.
    Lambda : csr_array, shape (Q, Q)
    """

    R: sp.csr_array
    scale: np.ndarray
    Lambda: sp.csr_array


@dataclass(frozen=True)
class Evaluation:
    """What is found at one theta.

    Parameters
    ----------
    value : float
        Criterion.
    value_error : float
        Standard error of it that the probes leave.
    gradient : ndarray, shape (m,)
    by_probe : ndarray, shape (n_probes, m)
        Each probe's gradient, which vary about `gradient`.
    state : State
        With solutions, and without inverses of the linked effects.
    scaled : Scaled
    solutions : ndarray, shape (Q, n_probes)
        (I + R)^-1 of the probes.
    """

    value: float
    value_error: float
    gradient: np.ndarray
    by_probe: np.ndarray
    state: State
    scaled: Scaled
    solutions: np.ndarray


def evaluate(problem: LinearProblem, theta: np.ndarray, probes: np.ndarray, *, reml: bool) -> Evaluation:
    """Criterion and gradient at theta; `probes` (Q, n) see `system.signs`.

    Raises
    ------
    FitRefused
        Where the solutions do not settle.
    """
    A, first = eliminate_first(problem, theta)
    rest, n_probes = problem.rest, probes.shape[1]
    (N,) = rest.matrices(remaining_products(problem, first.B))
    Lambda = _banded(bands_of(problem, theta))
    scaled = _scaled(N, Lambda)
    right = scaled.scale[:, None] * (Lambda.T @ first.N_X)
    solved = solve_all(scaled.R, np.hstack([probes, right]), n_probes)
    Gamma = Lambda @ (scaled.scale[:, None] * solved.x[:, n_probes:])
    moved = scaled.R @ probes
    log_det, error = log_determinant(scaled.R, probes, moved, solved)
    log_det += first.log_det_v - 2 * float(np.log(scaled.scale).sum())
    state = replace(first, log_det_v=log_det, N=(N,), Gamma=Gamma, bands=bands_of(problem, theta))
    state = with_fixed_effects(A - first.N_X.T @ Gamma, state)
    solutions = solved.x[:, :n_probes]
    directions = [Directions.of(f, theta[s]) for f, s in zip(problem.factors, problem.slices, strict=True)]
    own, N_moves = _first_factor(problem, state, directions[0])
    moves = [Lambda.T @ move @ Lambda for move in N_moves] + _other_moves(problem, N.entries @ Lambda)
    by_probe = np.column_stack([_traces(scaled, move, probes, moved, solutions) for move in moves])
    exact = np.concatenate([own, np.zeros(len(moves) - len(own))])
    exact -= _of_fixed_effects(problem, state, directions, reml=reml)
    by_probe += exact
    value = deviance(problem, state, reml=reml)
    return Evaluation(value, error, by_probe.mean(axis=0), by_probe, state, scaled, solutions)


def _banded(bands: np.ndarray) -> sp.csr_array:
    """Lambda of the linked effects from `bands_of`."""
    n_columns = bands.shape[1] - 1
    diagonals = [band[: n_columns - d] for d, band in enumerate(bands)]
    return sp.csr_array(sp.diags_array(diagonals, offsets=[-d for d in range(len(bands))]))


def _scaled(N: Sparse, Lambda: sp.csr_array) -> Scaled:
    """S in parts; an empty diagonal of N counts as zero."""
    S = sp.csr_array(Lambda.T @ N.entries @ Lambda)
    scale = 1 / np.sqrt(1 + S.diagonal())
    R = sp.coo_array(S)
    rows, columns = R.coords
    off = rows != columns
    rows, columns = rows[off], columns[off]
    entries = R.data[off] * scale[rows] * scale[columns]
    return Scaled(sp.csr_array(sp.coo_array((entries, (rows, columns)), shape=S.shape)), scale, Lambda)


def _first_factor(
    problem: LinearProblem, state: State, directions: Directions
) -> tuple[np.ndarray, list[sp.csr_array]]:
    """What the first factor's theta moves: its own log determinant (m1,), and N, a matrix for each."""
    k, J, m1, rest = problem.factors[0].k, problem.n_levels[0], len(directions.first), problem.rest
    whole = np.zeros((k, k))
    B_moves = np.empty((m1, k * (k + 1) // 2, J))
    for part in chunks(J):
        G = problem.G[:, :, part]
        T = -multiply(G, state.B[:, :, part])
        for a in range(k):
            T[a, a] += 1.0
        whole += multiply(T, G).sum(axis=2)
        Tt = np.swapaxes(T, 0, 1)
        for i, direction in enumerate(directions.first):
            move = multiply(Tt, np.tensordot(direction, T, axes=(1, 0)))
            for at, (a, b) in enumerate(symmetric_pairs(k)):
                B_moves[i, at, part] = move[a, b]
    N_moves = [rest.matrices(-(rest.C @ move.ravel()))[0].entries for move in B_moves]
    return np.einsum("iab,ab->i", directions.first, whole), N_moves


def _other_moves(problem: LinearProblem, N_Lambda: sp.csr_array) -> list[sp.csr_array]:
    """dS of each theta of the other factors."""
    rest, moves = problem.rest, []
    n_bands = max(f.k for f in problem.factors[1:])
    for g, factor in enumerate(problem.factors[1:]):
        for row, column in zip(factor.rows, factor.cols, strict=True):
            bands = np.zeros((n_bands, rest.n_columns + 1))
            bands[row - column, rest.at(g, column)] = 1.0
            half = _banded(bands).T @ N_Lambda
            moves.append(sp.csr_array(half + half.T))
    return moves


def _traces(
    scaled: Scaled, move: sp.csr_array, probes: np.ndarray, moved: np.ndarray, solutions: np.ndarray
) -> np.ndarray:
    """Each probe's estimate of tr(S^-1 dS), shape (n_probes,): tr((I - R) dS) is known, probes tell what is left."""
    diagonal = sp.diags_array(scaled.scale)
    change = sp.csr_array(diagonal @ move @ diagonal)
    known = float(change.diagonal().sum()) - float(scaled.R.multiply(change).sum())
    return known + np.einsum("qn,qn->n", solutions - probes + moved, change @ probes)


def _of_fixed_effects(problem: LinearProblem, state: State, directions: list[Directions], *, reml: bool) -> np.ndarray:
    """How far the part of the criterion that the fixed effects determine falls with each theta, shape (m,)."""
    root = projection_root(problem, state, reml=reml)
    falls = []
    for direction, U in zip(directions, residual_crossproducts(problem, state), strict=True):
        W = U @ root
        falls.append(np.einsum("iab,lar,lbr->i", direction.first, W, W, optimize=True))
    return np.concatenate(falls)
