"""The deviance of the dynamic model, its linear coefficients by generalised least squares, and its gradient.

Given the past, both errors are linear in the client's and the therapist's intercepts, so these integrate out exactly:
first the client's two, then the therapists'. The gradient is the expectation, given the data, of the gradient with the
intercepts known (Fisher's identity; Louis 1982, doi 10.1111/j.2517-6161.1982.tb01203.x).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from outcomes.mixed.dynamic import parameters
from outcomes.mixed.dynamic.assembly import Assembly, assemble
from outcomes.mixed.dynamic.problem import ClientBlocks, DynamicProblem
from outcomes.mixed.dynamic.therapists import Factored, invert, solve

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
class State:
    """Everything at one value of theta.

    Parameters
    ----------
    theta : ndarray, shape (m,)
    deviance : float
        Minus twice the log-likelihood, all constants included.
    psi : ndarray, shape (p,)
        Linear coefficients: guidance's, then satisfaction's.
    information : ndarray, shape (p, p)
        X' V^-1 X.
    """

    theta: np.ndarray
    deviance: float
    psi: np.ndarray
    information: np.ndarray
    client_factor: np.ndarray
    therapist_factor: np.ndarray | None
    tables: parameters.Tables
    assembly: Assembly
    clients: tuple[Eliminated, ...]
    therapists: Factored | None
    right: np.ndarray | None


def evaluate(problem: DynamicProblem, theta: np.ndarray, psi: np.ndarray | None = None) -> State:
    """Deviance at theta, at the best linear coefficients or at those given.

    Raises
    ------
    numpy.linalg.LinAlgError
        Where the deviance does not exist (parameters out of all bounds).
    """
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
    psi, information, rest = _least_squares(problem, gram, psi)
    return State(
        theta=theta,
        deviance=float(problem.n_values * LOG_2PI + log_det + rest),
        psi=psi,
        information=information,
        client_factor=client_factor,
        therapist_factor=therapist_factor,
        tables=tables,
        assembly=assembly,
        clients=tuple(eliminated),
        therapists=therapists,
        right=right,
    )


def residual_weights(problem: DynamicProblem, psi: np.ndarray) -> np.ndarray:
    """Weights, shape (q,), that make residuals of the columns: 1 for the outcomes, minus the coefficients else."""
    weights = np.ones(problem.q_d + problem.q_y)
    weights[problem.linear] = -psi
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


def _least_squares(
    problem: DynamicProblem, gram: np.ndarray, psi: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, float]:
    """Coefficients, their information and the weighted sum of squares that is left."""
    linear = problem.linear
    outcome = np.zeros(len(gram))
    outcome[[0, problem.q_d]] = 1.0
    information = gram[np.ix_(linear, linear)]
    if psi is None:
        psi = np.linalg.solve(information, gram[linear] @ outcome)
    weights = residual_weights(problem, psi)
    return psi, information, float(weights @ gram @ weights)
