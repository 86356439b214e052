"""Profiled deviance of a linear mixed model with its exact gradient (Bates et al. 2015, doi 10.18637/jss.v067.i01).

With V = I + Z Psi Z' (relative to sigma^2), Psi = Lambda Lambda', P = V^-1 - V^-1 X (X'V^-1 X)^-1 X'V^-1 and
c = (n - p) / y'Py, the REML criterion is log|V| + log|X'V^-1 X| + (n - p)(1 + log(2 pi y'Py / (n - p))) and its
derivative with respect to one factor's Lambda is 2 (sum over levels of Z'PZ - c Z'Py y'PZ) Lambda. The first factor is
eliminated level by level, the others component by component; no matrix has one row per session.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from outcomes.mixed.elimination.batched import (
    apply,
    chunks,
    inverse_and_logdet,
    multiply,
    positive_inverse,
    sandwich,
    symmetric_pairs,
)
from outcomes.mixed.elimination.components import Chunk
from outcomes.mixed.elimination.linked_matrix import (
    ALONE,
    LinkedMatrix,
    invert_in_place,
    left,
    left_transposed,
    right,
    right_transposed,
)
from outcomes.mixed.linear.problem import LinearFrame, LinearProblem


@dataclass(frozen=True)
class State:
    """Everything that follows from theta.

    Parameters
    ----------
    log_det_v, log_det_xvx : float
    r2 : float
        y'Py in working units.
    beta : ndarray, shape (p,)
        Working coefficients.
    XVX_inverse : ndarray, shape (p, p)
    B : ndarray, shape (k, k, J)
        (Z'Z + Psi^-1)^-1 of the eliminated factor, finite when Psi is singular.
    S_inverse : tuple of ndarray
        Inverse of I + Lambda' N Lambda by bucket.
    N : tuple of LinkedMatrix
        The other factors' cross-products after elimination, by bucket.
    N_X : ndarray, shape (Q, q)
    Gamma : ndarray, shape (Q, q)
        Coefficients of the other factors on [X y].
    bands : ndarray, shape (bands, Q + 1)
        Diagonals of the other factors' Lambda; see `bands_of`.
    """

    log_det_v: float
    B: np.ndarray
    S_inverse: tuple[np.ndarray, ...] = ()
    N: tuple[LinkedMatrix, ...] = ()
    N_X: np.ndarray | None = None
    Gamma: np.ndarray | None = None
    bands: np.ndarray | None = None
    log_det_xvx: float = np.nan
    r2: float = np.nan
    beta: np.ndarray | None = None
    XVX_inverse: np.ndarray | None = None


def solve(problem: LinearProblem, theta: np.ndarray) -> State:
    """Eliminate all random effects at theta, and solve for the fixed effects."""
    return with_fixed_effects(*eliminate(problem, theta))


def with_fixed_effects(A: np.ndarray, eliminated: State) -> State:
    """The state with the fixed effects that follow from A = [X y]'V^-1 [X y], shape (q, q)."""
    p = len(A) - 1
    lower = np.linalg.cholesky(A[:p, :p])
    inverse = np.linalg.inv(lower)
    XVX_inverse = inverse.T @ inverse
    beta = XVX_inverse @ A[:p, p]
    return replace(
        eliminated,
        log_det_xvx=2 * float(np.log(np.diag(lower)).sum()),
        r2=float(A[p, p] - A[:p, p] @ beta),
        beta=beta,
        XVX_inverse=XVX_inverse,
    )


def eliminate_first(problem: LinearProblem, theta: np.ndarray) -> tuple[np.ndarray, State]:
    """[X y]'V^-1 [X y], shape (q, q), and the state as if the first factor were the only one; N_X is of the others."""
    factor = problem.factors[0]
    Lambda = factor.relative_factor(theta[problem.slices[0]])
    k, J = factor.k, problem.n_levels[0]
    rest = problem.rest
    A = problem.XX.copy()
    B = np.empty((k, k, J))
    N_X = None if rest is None else rest.F.copy()
    log_det_v = 0.0
    for part, _, across in _chunks(problem):
        inner = sandwich(Lambda.T, problem.G[:, :, part])
        for a in range(k):
            inner[a, a] += 1.0
        inverse, log_det = inverse_and_logdet(inner)
        log_det_v += log_det
        B[:, :, part] = sandwich(Lambda, inverse)
        ZX = problem.ZX[:, part]
        BZX = apply(B[:, :, part], ZX)
        for a in range(k):
            A -= ZX[a].T @ BZX[a]
            if rest is not None:
                N_X -= across[a] @ BZX[a]
    return A, State(log_det_v=log_det_v, B=B, N_X=N_X)


def remaining_products(problem: LinearProblem, B: np.ndarray) -> np.ndarray:
    """N at `lower`: the other factors' cross-products once the first is eliminated."""
    rest = problem.rest
    return rest.D - rest.C @ np.concatenate([B[a, b] for a, b in symmetric_pairs(len(B))])


def eliminate(problem: LinearProblem, theta: np.ndarray) -> tuple[np.ndarray, State]:
    """[X y]'V^-1 [X y] (q, q), and the state at theta that knows no fixed effects yet; FitRefused where there are
    too many effects for that."""
    A, first = eliminate_first(problem, theta)
    rest, N_X, log_det_v = problem.rest, first.N_X, first.log_det_v
    if rest is None:
        return A, first
    rest.packing.refuse_sparse()
    values = remaining_products(problem, first.B)
    bands = bands_of(problem, theta)
    padded_X = np.vstack([N_X, np.zeros(N_X.shape[1])])
    Gamma = np.zeros_like(padded_X)
    inverses = []
    for members, S in rest.packing.matrices(rest.flat(values)):
        band = bands[:, members]
        S_inverse, log_det = _inverse(S, band)
        log_det_v += log_det
        X_bucket = padded_X[members]
        Gamma_bucket = left_transposed(S_inverse @ left(X_bucket, band), band)
        A -= np.tensordot(X_bucket, Gamma_bucket, axes=((0, 1), (0, 1)))
        Gamma[members] = Gamma_bucket
        inverses.append(S_inverse)
    return A, State(
        log_det_v=log_det_v,
        B=first.B,
        S_inverse=tuple(inverses),
        N=rest.matrices(values),
        N_X=N_X,
        Gamma=Gamma[:-1],
        bands=bands,
    )


def _inverse(N: np.ndarray, band: np.ndarray) -> tuple[np.ndarray, float]:
    """Inverses of I + Lambda' N Lambda (n, m, m) and the sum of their log determinants; N is written over."""
    if len(band) == 1:
        N *= band[0][..., None]
        N *= band[0][..., None, :]
    else:
        N[...] = left(right(N, band), band)
    diagonal = np.arange(N.shape[1])
    N[:, diagonal, diagonal] += 1.0
    if len(N) == 1 and len(diagonal) > ALONE:
        return N, invert_in_place(N[0])
    return positive_inverse(N)


def deviance(problem: LinearFrame, state: State, *, reml: bool) -> float:
    """Profiled criterion in the outcome's units."""
    df = problem.n - problem.p if reml else problem.n
    value = state.log_det_v - problem.log_weights
    value += df * (1 + np.log(2 * np.pi * state.r2 * problem.y_scale**2 / df))
    return value + (state.log_det_xvx + 2 * problem.log_det_x if reml else 0.0)


def gradient(
    problem: LinearProblem, state: State, theta: np.ndarray, *, reml: bool, precision: float | None = None
) -> np.ndarray:
    """Derivative of the profiled criterion with respect to theta.

    With `precision` (1 / sigma^2 in working units) sigma is held: the derivative of log|V| + y'Py / sigma^2 (+ ..).
    """
    root = projection_root(problem, state, reml=reml, precision=precision)
    first, products = _first_factor(problem, state, root)
    lambdas = [f.relative_factor(theta[s]) for f, s in zip(problem.factors, problem.slices, strict=True)]
    matrices = [(first - products) @ lambdas[0]]
    if problem.rest is not None:
        matrices += _other_factors(problem, state, root, lambdas[1:])
    return np.concatenate([2 * m[f.rows, f.cols] for m, f in zip(matrices, problem.factors, strict=True)])


def projection_root(problem: LinearFrame, state: State, *, reml: bool, precision: float | None = None) -> np.ndarray:
    """R, shape (q, p + 1 or 1), with which the criterion falls by sum(U R R'U') where U = Z'V^-1 [X y]."""
    df = problem.n - problem.p if reml else problem.n
    root = np.zeros((problem.p + 1, problem.p * reml + 1))
    if reml:
        root[:-1, :-1] = np.linalg.cholesky(state.XVX_inverse)
    root[:, -1] = np.append(-state.beta, 1.0) * np.sqrt(df / state.r2 if precision is None else precision)
    return root


def factor_traces(problem: LinearProblem, state: State, theta: np.ndarray) -> tuple[np.ndarray, ...]:
    """Sum over levels of Z'V^-1 Z Lambda of each factor, shape (k, k): the elements that theta fills."""
    lambdas = [f.relative_factor(theta[s]) for f, s in zip(problem.factors, problem.slices, strict=True)]
    nothing = np.zeros((problem.p + 1, 1))
    traces = [_first_factor(problem, state, nothing)[0] @ lambdas[0]]
    if problem.rest is not None:
        traces += _other_factors(problem, state, nothing, lambdas[1:])
    return tuple(traces)


def residual_crossproducts(problem: LinearProblem, state: State) -> tuple[np.ndarray, ...]:
    """Z'V^-1 [X y] of every factor, each (L, k, q)."""
    rest = problem.rest
    T = -multiply(problem.G, state.B)
    for a in range(len(T)):
        T[a, a] += 1.0
    remaining = problem.ZX if rest is None else problem.ZX - np.stack([E @ state.Gamma for E in rest.E])
    result = [np.swapaxes(apply(T, remaining), 0, 1)]
    if rest is None:
        return tuple(result)
    U = _rest_crossproducts(problem, state)
    for g, factor in enumerate(problem.factors[1:]):
        result.append(U[rest.columns[g]].reshape(-1, factor.k, U.shape[1]))
    return tuple(result)


def rest_covariance(problem: LinearProblem, state: State) -> tuple[np.ndarray, ...]:
    """Lambda S^-1 Lambda' by bucket: the conditional covariance of the other factors' effects, over sigma^2."""
    found = []
    for bucket, S_inverse in zip(problem.rest.packing.buckets, state.S_inverse, strict=True):
        band = state.bands[:, bucket.members]
        if len(band) == 1:
            M = S_inverse * band[0][..., None]
            M *= band[0][..., None, :]
        else:
            M = right_transposed(left_transposed(S_inverse, band), band)
        found.append(M)
    return tuple(found)


def rest_covariance_at_lower(problem: LinearProblem, state: State) -> np.ndarray:
    """The entries of `rest_covariance` where N can differ from zero."""
    rest = problem.rest
    if len(state.bands) > 1:
        return np.concatenate([M.ravel() for M in rest_covariance(problem, state)])[rest.lower]
    flat = (
        state.S_inverse[0].ravel()
        if len(state.S_inverse) == 1
        else np.concatenate([S.ravel() for S in state.S_inverse])
    )
    return flat[rest.lower] * state.bands[0, rest.rows] * state.bands[0, rest.cols]


def cross_quadratic(problem: LinearProblem, covariance: np.ndarray) -> np.ndarray:
    """E M E' by level of the eliminated factor, M the other factors' matrices at `lower`; shape (k, k, J)."""
    rest, k, J = problem.rest, problem.factors[0].k, problem.n_levels[0]
    sums = rest.Ct @ (covariance * np.where(rest.lower == rest.upper, 1.0, 2.0))
    Q = np.empty((k, k, J))
    for i, (a, b) in enumerate(symmetric_pairs(k)):
        # the coefficients of an off-diagonal place hold both orders
        Q[a, b] = Q[b, a] = sums[i * J : (i + 1) * J] * (1.0 if a == b else 0.5)
    return Q


def _chunks(problem: LinearProblem) -> Sequence[Chunk]:
    """Levels of the first factor a few at a time, with their products with the other factors where there are some."""
    if problem.rest is not None:
        return problem.rest.by_chunk
    return [(part, (), ()) for part in chunks(problem.n_levels[0])]


def _first_factor(problem: LinearProblem, state: State, root: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sums over levels of Z'V^-1 Z, and of U root root' U' with U = Z'V^-1 [X y], both (k, k)."""
    k, rest = problem.factors[0].k, problem.rest
    Q = None if rest is None else cross_quadratic(problem, rest_covariance_at_lower(problem, state))
    whole, products = np.zeros((k, k)), np.zeros((k, k))
    for part, along, _ in _chunks(problem):
        G = problem.G[:, :, part]
        T = -multiply(G, state.B[:, :, part])
        for a in range(k):
            T[a, a] += 1.0
        remaining = problem.ZX[:, part]
        TG = multiply(T, G)
        if rest is not None:
            remaining = remaining - np.stack([E @ state.Gamma for E in along])
            TG = TG - multiply(T, multiply(Q[:, :, part], np.swapaxes(T, 0, 1)))
        whole += TG.sum(axis=2)
        U = apply(T, remaining @ root)
        for a in range(k):
            for b in range(a + 1):
                products[a, b] = products[b, a] = products[a, b] + np.vdot(U[a], U[b])
    return whole, products


def _rest_crossproducts(problem: LinearProblem, state: State) -> np.ndarray:
    """Z'V^-1 [X y] of the other factors' columns, shape (Q, q): N_X - N Gamma."""
    padded = np.vstack([state.Gamma, np.zeros(state.Gamma.shape[1])])
    U = np.vstack([state.N_X, np.zeros(state.N_X.shape[1])])
    for bucket, N in zip(problem.rest.packing.buckets, state.N, strict=True):
        U[bucket.members] -= N.times(padded[bucket.members])
    return U[:-1]


def _other_factors(
    problem: LinearProblem, state: State, root: np.ndarray, lambdas: list[np.ndarray]
) -> list[np.ndarray]:
    """Gradient matrices (before doubling) of the factors that were not eliminated first."""
    rest = problem.rest
    W = _rest_crossproducts(problem, state) @ root
    n_bands = len(state.bands)
    traces = np.zeros((n_bands, rest.n_columns + 1))
    for bucket, N, S_inverse in zip(rest.packing.buckets, state.N, state.S_inverse, strict=True):
        traces[:, bucket.members] = N.diagonals(state.bands[:, bucket.members], S_inverse)
    result = []
    for g, (factor, Lambda) in enumerate(zip(problem.factors[1:], lambdas, strict=True)):
        U = W[rest.columns[g]].reshape(-1, factor.k, W.shape[1])
        matrix = -np.tensordot(U, U, axes=((0, 2), (0, 2))) @ Lambda
        for d in range(factor.k):
            for a in range(factor.k - d):
                matrix[a + d, a] += traces[d, rest.at(g, a)].sum()
        result.append(matrix)
    return result


def bands_of(problem: LinearProblem, theta: np.ndarray) -> np.ndarray:
    """Diagonals of the other factors' Lambda, shape (bands, Q + 1): band d of column c is Lambda[c + d, c]."""
    rest = problem.rest
    n_bands = max(f.k for f in problem.factors[1:])
    bands = np.zeros((n_bands, rest.n_columns + 1))
    for g, (factor, part) in enumerate(zip(problem.factors[1:], problem.slices[1:], strict=True)):
        Lambda = factor.relative_factor(theta[part])
        for a in range(factor.k):
            columns = rest.at(g, a)
            for d in range(factor.k - a):
                bands[d, columns] = Lambda[a + d, a]
    return bands
