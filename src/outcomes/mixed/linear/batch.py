"""The profiled deviance and its gradient at many parameters, or for many outcomes and columns, at once.

Where clients are few, what an evaluation costs is the number of calls and not their size: ten thousand sessions take
some forty array operations of microseconds each. Bootstrap draws, the differences that make a Hessian, specifications
that differ in their fixed effects: all have the same grouping factors, so that their evaluations run as one, along an
axis of their own. The algebra is that of `deviance`, which a test holds it to; shapes have S, the evaluations, in front
of the levels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from outcomes.mixed.elimination.batched import apply, inverse_and_logdets, multiply, symmetric_pairs
from outcomes.mixed.elimination.linked_matrix import left, left_transposed, right, right_transposed
from outcomes.mixed.linear.deviance import bands_of
from outcomes.mixed.linear.problem import LinearProblem

MAX_NUMBERS = 120_000
"""Numbers (evaluations times levels times columns) that are handled at once: 1 MB a temporary array, near the cache."""

MAX_COMPONENT = 64
"""Linked levels above which one matrix is work enough for an evaluation alone."""


def is_small(problem: LinearProblem) -> bool:
    """Whether evaluations of a problem are so small that several at once are faster than one after the other."""
    largest = 0 if problem.rest is None else max(b.members.shape[1] for b in problem.rest.packing.buckets)
    return 2 * problem.ZX.size <= MAX_NUMBERS and largest <= MAX_COMPONENT


@dataclass(frozen=True)
class Batch:
    """Problems with the same grouping factors, whose [X y] may differ.

    Parameters
    ----------
    members : tuple of LinearProblem
    ZX : ndarray, shape (M, k, J, q)
        Of each member; fixed columns first, the outcome last, zeros between where a member has fewer.
    F : ndarray, shape (M, Q, q), or None
    XX : ndarray, shape (M, q, q)
    """

    members: tuple[LinearProblem, ...]
    ZX: np.ndarray
    F: np.ndarray | None
    XX: np.ndarray

    @classmethod
    def of(cls, members: Sequence[LinearProblem]) -> Batch:
        """Stack problems that share everything but their columns."""
        q = max(member.p for member in members) + 1
        places = [np.append(np.arange(member.p), q - 1) for member in members]
        first = members[0]
        ZX = np.zeros((len(members), *first.ZX.shape[:2], q))
        XX = np.zeros((len(members), q, q))
        F = None if first.rest is None else np.zeros((len(members), first.rest.n_columns, q))
        for i, (member, place) in enumerate(zip(members, places, strict=True)):
            ZX[i][:, :, place] = member.ZX
            XX[i][np.ix_(place, place)] = member.XX
            if F is not None:
                F[i][:, place] = member.rest.F
        return cls(tuple(members), ZX, F, XX)

    def evaluate(self, who: np.ndarray, thetas: np.ndarray, *, reml: bool) -> tuple[np.ndarray, np.ndarray]:
        """Deviances (S,) and gradients (S, m) of the members `who` (S,) at `thetas` (S, m)."""
        step = max(MAX_NUMBERS // self.ZX[0].size, 1)
        parts = [self._part(who[i : i + step], thetas[i : i + step], reml) for i in range(0, len(who), step)]
        return np.concatenate([values for values, _ in parts]), np.concatenate([slopes for _, slopes in parts])

    def hessians(self, who: np.ndarray, thetas: np.ndarray, step: float, *, reml: bool) -> np.ndarray:
        """Second derivatives (S, m, m) by central differences of the gradient; steps relative to max(1, |theta|)."""
        n, m = thetas.shape
        steps = step * np.maximum(1.0, np.abs(thetas))
        moves = steps[:, :, None] * np.eye(m)
        both = np.stack([thetas[:, None] + moves, thetas[:, None] - moves], axis=2).reshape(-1, m)
        slopes = self.evaluate(np.repeat(who, 2 * m), both, reml=reml)[1].reshape(n, m, 2, m)
        found = (slopes[:, :, 0] - slopes[:, :, 1]) / (2 * steps[:, :, None])
        return (found + np.swapaxes(found, 1, 2)) / 2

    def _part(self, who: np.ndarray, thetas: np.ndarray, reml: bool) -> tuple[np.ndarray, np.ndarray]:
        with np.errstate(invalid="ignore", divide="ignore"):
            return _evaluate(self, who, thetas, reml)


def _evaluate(batch: Batch, who: np.ndarray, thetas: np.ndarray, reml: bool) -> tuple[np.ndarray, np.ndarray]:
    """Eliminate, solve for the fixed effects of each, differentiate."""
    problem = batch.members[0]
    rest, k, J, S = problem.rest, problem.factors[0].k, problem.n_levels[0], len(who)
    lambdas = [
        np.stack([factor.relative_factor(theta[part]) for theta in thetas])
        for factor, part in zip(problem.factors, problem.slices, strict=True)
    ]
    L = np.moveaxis(lambdas[0], 0, 2)[..., None]  # (k, k, S, 1)
    Lt = np.swapaxes(L, 0, 1)
    G = problem.G[:, :, None, :]
    ZX = np.moveaxis(batch.ZX[who], 1, 0)  # (k, S, J, q)
    inner = multiply(multiply(Lt, G), L)
    for a in range(k):
        inner[a, a] += 1.0
    inverse, log_dets = inverse_and_logdets(inner)
    log_det_v = log_dets.sum(axis=1)
    B = multiply(multiply(L, inverse), Lt)
    BZX = apply(B, ZX)
    A = batch.XX[who] - sum(np.swapaxes(ZX[a], 1, 2) @ BZX[a] for a in range(k))
    linked = None
    if rest is not None:
        N_X = batch.F[who] - sum(_by_levels(E.T, BZX[a]) for a, E in enumerate(rest.E))
        bands = np.stack([bands_of(problem, theta) for theta in thetas], axis=1)  # (bands, S, Q + 1)
        linked = _Linked(problem, B, N_X, bands)
        log_det_v = log_det_v + linked.log_det
        A = A - linked.explained
    values, roots = _fixed_effects(batch, who, A, log_det_v, reml)
    T = -multiply(G, B)
    for a in range(k):
        T[a, a] += 1.0
    remaining, TG = ZX, multiply(T, G)
    if linked is not None:
        remaining = ZX - np.stack([_by_levels(E, linked.Gamma) for E in rest.E])
        TG = TG - multiply(T, multiply(linked.quadratic(J, k), np.swapaxes(T, 0, 1)))
    U = apply(T, remaining @ roots)
    matrices = np.moveaxis(TG.sum(axis=3), 2, 0)
    for a in range(k):
        for b in range(k):
            matrices[:, a, b] -= np.einsum("sjr,sjr->s", U[a], U[b])
    found = [matrices @ lambdas[0]]
    if linked is not None:
        found += linked.gradients(roots, lambdas[1:])
    slopes = [2 * one[:, factor.rows, factor.cols] for one, factor in zip(found, problem.factors, strict=True)]
    return values, np.concatenate(slopes, axis=1).reshape(S, -1)


def _by_levels(matrix, columns: np.ndarray) -> np.ndarray:
    """A sparse matrix (R, J) times (S, J, q), shape (S, R, q)."""
    S, J, q = columns.shape
    flat = np.ascontiguousarray(np.swapaxes(columns, 0, 1)).reshape(J, S * q)
    return np.swapaxes((matrix @ flat).reshape(-1, S, q), 0, 1)


def _fixed_effects(
    batch: Batch, who: np.ndarray, A: np.ndarray, log_det_v: np.ndarray, reml: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Deviances (S,), and the roots (S, q, r) whose products the gradient needs."""
    q = A.shape[1]
    values, roots = np.empty(len(who)), np.zeros((len(who), q, q))
    for s, i in enumerate(who):
        member = batch.members[i]
        p, df = member.p, member.n - member.p if reml else member.n
        try:
            lower = np.linalg.cholesky(A[s, :p, :p])
        except np.linalg.LinAlgError:
            values[s] = np.inf
            continue
        inverse = np.linalg.inv(lower)
        xvx = inverse.T @ inverse
        beta = xvx @ A[s, :p, -1]
        r2 = A[s, -1, -1] - A[s, :p, -1] @ beta
        values[s] = log_det_v[s] - member.log_weights + df * (1 + np.log(2 * np.pi * r2 * member.y_scale**2 / df))
        if reml:
            values[s] += 2 * float(np.log(np.diag(lower)).sum()) + 2 * member.log_det_x
            roots[s, :p, :p] = np.linalg.cholesky(xvx)
        roots[s, :p, -1], roots[s, -1, -1] = -beta * np.sqrt(df / r2), np.sqrt(df / r2)
    return values, roots


class _Linked:
    """The factors that are left after the first, at all evaluations; see `State` for the symbols."""

    def __init__(self, problem: LinearProblem, B: np.ndarray, N_X: np.ndarray, bands: np.ndarray) -> None:
        rest, S = problem.rest, N_X.shape[0]
        self.problem, self.bands = problem, bands
        symmetric = np.concatenate([B[a, b].T for a, b in symmetric_pairs(len(B))])
        flat = np.zeros((rest.packing.size, S))
        flat[rest.lower] = flat[rest.upper] = rest.D[:, None] - rest.C @ symmetric
        self.padded = np.concatenate([N_X, np.zeros((S, 1, N_X.shape[2]))], axis=1)
        Gamma = np.zeros_like(self.padded)
        self.log_det, self.explained = np.zeros(S), np.zeros((S, N_X.shape[2], N_X.shape[2]))
        self.S_inverse, self.N_Lambda = [], []
        for bucket in rest.packing.buckets:
            n, m = bucket.members.shape
            N = np.moveaxis(flat[bucket.offset : bucket.offset + n * m * m].reshape(n, m, m, S), 3, 0)
            band = bands[:, :, bucket.members]
            N_Lambda = right(N, band)
            inner = left(N_Lambda, band)
            diagonal = np.arange(m)
            inner[..., diagonal, diagonal] += 1.0
            lower = np.linalg.cholesky(inner)
            self.log_det += 2 * np.log(np.diagonal(lower, axis1=2, axis2=3)).sum(axis=(1, 2))
            S_inverse = np.linalg.inv(inner)
            X = self.padded[:, bucket.members]
            of_bucket = left_transposed(S_inverse @ left(X, band), band)
            columns = X.reshape(S, n * m, -1)
            self.explained += np.swapaxes(columns, 1, 2) @ of_bucket.reshape(columns.shape)
            Gamma[:, bucket.members] = of_bucket
            self.S_inverse.append(S_inverse)
            self.N_Lambda.append(N_Lambda)
        self.Gamma = Gamma[:, :-1]

    def quadratic(self, J: int, k: int) -> np.ndarray:
        """E M E' by level of the first factor, shape (k, k, S, J)."""
        rest = self.problem.rest
        parts = []
        for bucket, S_inverse in zip(rest.packing.buckets, self.S_inverse, strict=True):
            band = self.bands[:, :, bucket.members]
            covariance = right_transposed(left_transposed(S_inverse, band), band)
            parts.append(np.moveaxis(covariance, 0, 3).reshape(-1, len(self.log_det)))
        entries = np.concatenate(parts)[rest.lower] * np.where(rest.lower == rest.upper, 1.0, 2.0)[:, None]
        sums = rest.Ct @ entries
        found = np.empty((k, k, len(self.log_det), J))
        for i, (a, b) in enumerate(symmetric_pairs(k)):
            found[a, b] = found[b, a] = sums[i * J : (i + 1) * J].T * (1.0 if a == b else 0.5)
        return found

    def gradients(self, roots: np.ndarray, lambdas: list[np.ndarray]) -> list[np.ndarray]:
        """Matrices (S, k, k), before doubling, of each of the other factors."""
        rest, n_bands = self.problem.rest, len(self.bands)
        U = np.zeros_like(self.padded)
        traces = np.zeros(self.bands.shape)
        for bucket, N_Lambda, S_inverse in zip(rest.packing.buckets, self.N_Lambda, self.S_inverse, strict=True):
            m = bucket.members.shape[1]
            X = self.padded[:, bucket.members]
            U[:, bucket.members] = X - N_Lambda @ (S_inverse @ left(X, self.bands[:, :, bucket.members]))
            for d in range(n_bands):
                values = np.einsum("snij,snij->sni", N_Lambda[:, :, d:], S_inverse[:, :, : m - d])
                traces[d][:, bucket.members[:, : m - d]] = values
        W = U[:, :-1] @ roots
        found = []
        for g, (factor, Lambda) in enumerate(zip(self.problem.factors[1:], lambdas, strict=True)):
            own = W[:, rest.columns[g]].reshape(len(W), -1, factor.k, W.shape[2])
            matrix = -np.einsum("slap,slbp->sab", own, own, optimize=True) @ Lambda
            for d in range(factor.k):
                for a in range(factor.k - d):
                    matrix[:, a + d, a] += traces[d][:, rest.at(g, a)].sum(axis=1)
            found.append(matrix)
        return found
