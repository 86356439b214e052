"""The deviance of the dynamic model, its linear coefficients by generalised least squares, and its gradient.

Given the past, both errors are linear in the client's and the therapist's intercepts, so these integrate out exactly:
first the client's two, then the therapists'. The gradient is the expectation, given the data, of the gradient with the
intercepts known (Fisher's identity; Louis 1982, doi 10.1111/j.2517-6161.1982.tb01203.x).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from outcomes.mixed.dynamic import parameters
from outcomes.mixed.dynamic.parameters import Tables
from outcomes.mixed.dynamic.patterns import Precisions, precisions
from outcomes.mixed.dynamic.problem import ClientBlocks, DynamicProblem, Size
from outcomes.mixed.dynamic.sequences import Stretches
from outcomes.mixed.dynamic.therapists import Factored, invert, solve


@dataclass(frozen=True)
class Assembly:
    """Weighted cross-products at one value of the dynamic parameters; q columns of both equations.

    Parameters
    ----------
    precisions : tuple of Precisions
        By group of patterns.
    gram : ndarray, shape (q, q)
    h : ndarray, shape (P, 2, q)
        Effects with columns.
    flat : ndarray
        Effects with effects, client by client (see `ClientBlocks`).
    log_det : float
        Of the errors' covariances.
    """

    precisions: tuple[Precisions, ...]
    gram: np.ndarray
    h: np.ndarray
    flat: np.ndarray
    log_det: float


def assemble(problem: DynamicProblem, tables: Tables) -> Assembly:
    """Weigh the patterns' sums with their precisions."""
    found = tuple(precisions(g, at, tables) for g, at in zip(problem.groups, problem.places, strict=True))
    q = problem.size.q_d + problem.size.q_y
    gram = np.zeros((q, q))
    log_det = 0.0
    n_cells = problem.to_pairs.shape[1]
    columns, precision_of = np.empty((n_cells, 2, q)), np.empty((n_cells, 4))
    for group, precision, part in zip(problem.groups, found, problem.cells, strict=True):
        log_det += float(group.count @ precision.log_det)
        gram += _gram(group, precision)
        summed = _by_outcome(precision.omega, group, axis=1)
        twice = _by_outcome(summed, group, axis=2).reshape(-1, 4)
        precision_of[part] = group.cell_count[:, None] * twice[group.cell_word]
        _weigh_cells(group, summed, columns[part])
    h = problem.to_pairs @ columns.reshape(n_cells, 2 * q)
    own = problem.to_pairs @ precision_of
    flat = np.zeros(problem.n_flat)
    for group, precision, places in zip(problem.groups, found, problem.crossing_places, strict=True):
        if group.crossing is not None:
            crossing = group.crossing
            omega = precision.omega[crossing.word]
            values = np.concatenate(
                [omega[:, :, : group.nd] @ crossing.D, omega[:, :, group.nd :] @ crossing.Y], axis=2
            )
            np.add.at(h.reshape(-1, q), crossing.effect, values)
            np.add.at(flat, places, omega)
    flat[problem.diagonal] += own.reshape(-1, 2, 2)
    return Assembly(found, gram, h.reshape(-1, 2, q), flat, log_det)


def _by_outcome(values: np.ndarray, group: Stretches, axis: int) -> np.ndarray:
    """Sums over the observations of each outcome: the axis gets length 2."""
    return np.add.reduceat(values, [0, group.nd], axis=axis) if group.ny else _without_ratings(values, axis)


def _without_ratings(values: np.ndarray, axis: int) -> np.ndarray:
    """Sums by outcome where there is no satisfaction."""
    total = values.sum(axis=axis, keepdims=True)
    return np.concatenate([total, np.zeros_like(total)], axis=axis)


def _weigh_cells(group: Stretches, weights: np.ndarray, out: np.ndarray) -> None:
    """Sums of the cells' columns with each pattern's weights (W, 2, n_m), into `out` of shape (C, 2, q)."""
    q_d = group.cell_guidance.shape[2]
    stops = np.append(group.cell_first, len(group.cell_word))[1:]
    for first, stop in zip(group.cell_first, stops, strict=True):
        own = weights[group.cell_word[first]]
        np.matmul(own[:, : group.nd], group.cell_guidance[first:stop], out=out[first:stop, :, :q_d])
        np.matmul(own[:, group.nd :], group.cell_satisfaction[first:stop], out=out[first:stop, :, q_d:])


def _gram(group: Stretches, precision: Precisions) -> np.ndarray:
    """Cross-products of all columns, weighted by the patterns' precisions."""
    size = np.diff(group.root_first, append=len(group.root_guidance))
    whitener = np.repeat(precision.whitener, size, axis=0)
    whitened = np.concatenate(
        [whitener[:, :, : group.nd] @ group.root_guidance, whitener[:, :, group.nd :] @ group.root_satisfaction], axis=2
    )
    whitened = whitened.reshape(-1, whitened.shape[2])
    return whitened.T @ whitened


LOG_2PI = float(np.log(2 * np.pi))


@dataclass(frozen=True)
class Eliminated:
    """Clients of one size after their own intercepts s are integrated out; b = E Lambda s + Gamma t is their effect.

    Parameters
    ----------
    C : ndarray, shape (U, 2K, 2K)
        Precision of the effects by the data, by unit.
    CE, G : ndarray, shape (U, 2K, 2)
        Its row sums over pairs, and these times Lambda.
    K_inverse : ndarray, shape (U, 2, 2)
    """

    C: np.ndarray
    CE: np.ndarray
    G: np.ndarray
    K_inverse: np.ndarray


@dataclass(frozen=True)
class Share:
    """What some sessions contribute at one theta: where no client and no therapist is in two parts, these add.

    Parameters
    ----------
    n_values : int
    log_det : float
        log|V|.
    gram : ndarray, shape (q, q)
        Cross-products of both equations' columns, the outcomes included, weighted by V^-1.
    """

    n_values: int
    log_det: float
    gram: np.ndarray

    def __add__(self, other: Share) -> Share:
        """The share of two parts together."""
        return Share(self.n_values + other.n_values, self.log_det + other.log_det, self.gram + other.gram)


@dataclass(frozen=True)
class Best:
    """What follows from the share of all sessions.

    Parameters
    ----------
    psi : ndarray, shape (p,)
        Linear coefficients: guidance's, then satisfaction's.
    information : ndarray, shape (p, p)
        X' V^-1 X.
    deviance : float
        Minus twice the log-likelihood, all constants included.
    """

    psi: np.ndarray
    information: np.ndarray
    deviance: float


@dataclass(frozen=True)
class Integrated:
    """What is known at one theta, shape (m,), before the linear coefficients are."""

    theta: np.ndarray
    share: Share
    client_factor: np.ndarray
    therapist_factor: np.ndarray | None
    tables: parameters.Tables
    assembly: Assembly
    clients: tuple[Eliminated, ...]
    therapists: Factored | None
    right: np.ndarray | None


@dataclass(frozen=True)
class State(Integrated):
    """Everything at one theta and the linear coefficients; see `Best`."""

    psi: np.ndarray
    information: np.ndarray
    deviance: float


def evaluate(
    problem: DynamicProblem, theta: np.ndarray, psi: np.ndarray | None = None, beside: Integrated | None = None
) -> State:
    """Deviance at theta, at the best linear coefficients or at those given; see `integrate`."""
    return settle(problem, integrate(problem, theta, beside), psi)


def settle(problem: DynamicProblem, found: Integrated, psi: np.ndarray | None = None) -> State:
    """The state with the best linear coefficients of these sessions, or with those given."""
    return State(**vars(found), **vars(least_squares(problem.size, found.share, psi)))


def integrate(problem: DynamicProblem, theta: np.ndarray, beside: Integrated | None = None) -> Integrated:
    """Integrate all intercepts out at theta.

    `beside` is what was found at another theta: where that has the same dynamic parameters, what follows from them is
    taken from there.

    Raises
    ------
    numpy.linalg.LinAlgError
        Where the deviance does not exist (parameters out of all bounds).
    """
    if beside is not None and np.array_equal(beside.theta[: parameters.N_DYNAMIC], theta[: parameters.N_DYNAMIC]):
        tables, assembly = beside.tables, beside.assembly
    else:
        tables = parameters.tables(theta, problem.longest)
        assembly = assemble(problem, tables)
    gram, h, log_det = assembly.gram.copy(), assembly.h, assembly.log_det
    q = len(gram)
    client_factor = parameters.factor(theta, parameters.N_DYNAMIC)
    has_therapists = problem.layout is not None
    therapist_factor = parameters.factor(theta, parameters.N_DYNAMIC + 3) if has_therapists else None
    links = np.zeros(problem.layout.n_flat) if has_therapists else None
    left = np.empty_like(h) if has_therapists else None
    eliminated = []
    for block in problem.blocks:
        one, lost, fall, rest = _eliminate(block, assembly.flat, h, client_factor)
        eliminated.append(one)
        gram -= fall
        log_det += lost
        if has_therapists:
            left[block.pairs] = rest
            D = (one.C - one.G @ one.K_inverse @ one.G.swapaxes(1, 2)) * block.size[:, None, None]
            k = block.n_therapists
            D = D.reshape(-1, k, 2, k, 2).transpose(0, 1, 3, 2, 4)
            links += np.bincount(
                block.links.ravel(), (therapist_factor.T @ D @ therapist_factor).ravel(), minlength=len(links)
            )
    therapists = right = None
    if has_therapists:
        therapists = invert(problem.layout, links)
        log_det += therapists.log_det
        summed = (problem.by_therapist @ left.reshape(-1, 2 * q)).reshape(-1, 2, q)
        right = therapist_factor.T @ summed
        gram -= np.einsum("jap,jaq->pq", right, solve(problem.layout, therapists, right))
    return Integrated(
        theta=theta,
        share=Share(problem.size.n_values, float(log_det), gram),
        client_factor=client_factor,
        therapist_factor=therapist_factor,
        tables=tables,
        assembly=assembly,
        clients=tuple(eliminated),
        therapists=therapists,
        right=right,
    )


def least_squares(size: Size, share: Share, psi: np.ndarray | None = None) -> Best:
    """The best linear coefficients, or those given, from the share of all sessions.

    Raises
    ------
    numpy.linalg.LinAlgError
        Where there are none.
    """
    linear, gram = size.linear, share.gram
    outcome = np.zeros(len(gram))
    outcome[[0, size.q_d]] = 1.0
    information = gram[np.ix_(linear, linear)]
    if psi is None:
        psi = np.linalg.solve(information, gram[linear] @ outcome)
    weights = residual_weights(size, psi)
    rest = float(weights @ gram @ weights)
    return Best(psi, information, float(share.n_values * LOG_2PI + share.log_det + rest))


def residual_weights(size: Size, psi: np.ndarray) -> np.ndarray:
    """Weights, shape (q,), that make residuals of the columns: 1 for the outcomes, minus the coefficients else."""
    weights = np.ones(size.q_d + size.q_y)
    weights[size.linear] = -psi
    return weights


def _eliminate(
    block: ClientBlocks, flat: np.ndarray, h: np.ndarray, Lambda: np.ndarray
) -> tuple[Eliminated, float, np.ndarray, np.ndarray]:
    """Integrate the clients' intercepts out: the parts, log-determinant, fall of the Gram matrix, what is left of h."""
    n, k, q = block.n_clients, block.n_therapists, h.shape[2]
    C = flat[block.part].reshape(block.shape)[block.one_of]
    CE = C.reshape(-1, 2 * k, k, 2).sum(axis=2)
    K = np.eye(2) + Lambda.T @ CE.reshape(-1, k, 2, 2).sum(axis=1) @ Lambda
    det = K[:, 0, 0] * K[:, 1, 1] - K[:, 0, 1] ** 2
    K_inverse = np.empty_like(K)
    K_inverse[:, 0, 0], K_inverse[:, 1, 1] = K[:, 1, 1] / det, K[:, 0, 0] / det
    K_inverse[:, 0, 1] = K_inverse[:, 1, 0] = -K[:, 0, 1] / det
    G = CE @ Lambda
    own_h = h[block.pairs].reshape(n, k, 2, q)
    total = own_h.sum(axis=1) if k > 1 else own_h[:, 0]
    root = np.linalg.cholesky(K_inverse).swapaxes(1, 2) @ Lambda.T
    scaled = times(root[block.unit], total).reshape(-1, q)
    rest = own_h.reshape(n, 2 * k, q) - times((G @ K_inverse @ Lambda.T)[block.unit], total)
    lost = float(block.size @ np.log(det))
    return Eliminated(C, CE, G, K_inverse), lost, scaled.T @ scaled, rest.reshape(n * k, 2, q)


def times(matrices: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Products of many small matrices (n, i, 2) and (n, 2, q), row by row of the small ones: faster than matmul."""
    return matrices[:, :, :1] * values[:, None, 0] + matrices[:, :, 1:] * values[:, None, 1]
