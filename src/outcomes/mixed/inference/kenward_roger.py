"""Kenward-Roger's adjusted covariance and F test, from the cross-products.

Kenward & Roger (1997, doi 10.2307/2533558), in the form of Halekoh & Hojsgaard (2014, doi 10.18637/jss.v059.i09):
V = sum_i gamma_i G_i is linear in its parameters (entries of the random effects' covariances, and sigma^2), so second
derivatives vanish. V^-1 = (I - Z M Z') / sigma^2, hence every product below follows from Z'Z, Z'X and X'X.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from scipy.linalg import block_diag

from outcomes.errors import UsageError
from outcomes.mixed.linear.deviance import solve
from outcomes.mixed.linear.problem import LinearProblem
from outcomes.mixed.linear.result import LinearFit

MAX_COLUMNS = 3_000
"""Random effects in all (levels x columns) up to which the dense products fit: about 0.5 GB at this size."""


@dataclass(frozen=True)
class KenwardRogerTest:
    """F test with the adjusted covariance.

    Parameters
    ----------
    std_error : ndarray, shape (q,)
        Adjusted standard errors of the contrasts.
    statistic, df_denom, p_value : float
        Scaled F, its denominator degrees of freedom and p-value.
    """

    std_error: np.ndarray
    statistic: float
    df_denom: float
    p_value: float


@dataclass(frozen=True)
class Adjustment:
    """Ingredients of the test, in working units.

    Parameters
    ----------
    Phi, Phi_adjusted : ndarray, shape (p, p)
        Covariance of the fixed effects, plain and adjusted.
    P : ndarray, shape (r, p, p)
        -X'V^-1 G_i V^-1 X for each covariance parameter.
    W : ndarray, shape (r, r)
        Asymptotic covariance of the covariance parameters (inverse expected information).
    """

    Phi: np.ndarray
    Phi_adjusted: np.ndarray
    P: np.ndarray
    W: np.ndarray


def kenward_roger_cov(fit: LinearFit) -> np.ndarray:
    """Adjusted covariance of the fixed effects, shape (p, p), in the formula's units.

    Raises
    ------
    UsageError
        For ML fits, fits of another engine and more than `MAX_COLUMNS` random effects.
    """
    problem = fit.engine_state.problem
    back = problem.to_original * problem.y_scale
    return back @ _adjustment(fit).Phi_adjusted @ back.T


def kenward_roger_test(fit: LinearFit, L: np.ndarray, gap: np.ndarray) -> KenwardRogerTest:
    """Test L @ beta = rhs, with gap = L @ beta - rhs of shape (q,); see `kenward_roger_cov` for refusals."""
    problem = fit.engine_state.problem
    parts = _adjustment(fit)
    contrast = L @ problem.to_original * problem.y_scale
    q, Phi = len(L), parts.Phi
    Theta = contrast.T @ np.linalg.solve(contrast @ Phi @ contrast.T, contrast)
    D = np.einsum("ab,bc,icd,de->iae", Theta, Phi, parts.P, Phi, optimize=True)
    traces = np.trace(D, axis1=1, axis2=2)
    A1 = traces @ parts.W @ traces
    A2 = np.einsum("ij,iab,jba->", parts.W, D, D, optimize=True)
    B = (A1 + 6 * A2) / (2 * q)
    g = ((q + 1) * A1 - (q + 4) * A2) / ((q + 2) * A2)
    denominator = 3 * q + 2 * (1 - g)
    c1, c2, c3 = g / denominator, (q - g) / denominator, (q + 2 - g) / denominator
    expectation = 1 / (1 - A2 / q)
    variance = (2 / q) * (1 + c1 * B) / ((1 - c2 * B) ** 2 * (1 - c3 * B))
    rho = variance / (2 * expectation**2)
    m = 4 + (q + 2) / (q * rho - 1)
    scale = m / (expectation * (m - 2))
    adjusted = contrast @ parts.Phi_adjusted @ contrast.T
    F = float(scale * gap @ np.linalg.solve(adjusted, gap) / q)
    return KenwardRogerTest(np.sqrt(np.diag(adjusted)), F, float(m), float(scipy.stats.f.sf(F, q, m)))


def _adjustment(fit: LinearFit) -> Adjustment:
    """Phi, its adjustment, P and W."""
    state = fit.engine_state
    problem = state.problem
    if not fit.reml:
        raise UsageError("Kenward-Roger is defined for REML fits.", "fit with reml=True")
    columns = sum(n * f.k for n, f in zip(problem.n_levels, problem.factors, strict=True))
    if columns > MAX_COLUMNS:
        raise UsageError(
            f"Kenward-Roger would need dense products of {columns} random effects (at most {MAX_COLUMNS}).",
            "use Satterthwaite's degrees of freedom, which agree at this size",
        )
    p = problem.p
    solution = solve(problem, state.theta)
    sigma2 = solution.r2 / (problem.n - p)
    ZZ, ZX = crossproducts(problem)
    XX = problem.XX[:p, :p]
    Lambda = _dense_factor(problem, state.theta)
    M = Lambda @ np.linalg.solve(np.eye(columns) + Lambda.T @ ZZ @ Lambda, Lambda.T)
    N = np.eye(columns) - ZZ @ M
    K = N @ ZZ  # Z'V^-1 Z sigma^2
    U = N @ ZX  # Z'V^-1 X sigma^2
    U2 = N @ U  # Z'V^-2 X sigma^4
    K2 = N @ K
    X2 = XX - ZX.T @ M @ ZX - U.T @ M @ ZX  # X'V^-2 X sigma^4
    X3 = X2 - U2.T @ M @ ZX
    Phi = solution.XVX_inverse * sigma2
    selectors = _parameters(problem)
    r = len(selectors) + 1
    P, Q, traces = np.empty((r, p, p)), np.empty((r, r, p, p)), np.empty((r, r))
    P[-1] = -X2 / sigma2**2
    Q[-1, -1] = X3 / sigma2**3
    traces[-1, -1] = (problem.n - 2 * np.trace(ZZ @ M) + np.sum((ZZ @ M) * (ZZ @ M).T)) / sigma2**2
    spread = [E @ U for E in selectors]
    products = [K @ E for E in selectors]
    for i, E in enumerate(selectors):
        P[i] = -U.T @ spread[i] / sigma2**2
        Q[i, -1] = spread[i].T @ U2 / sigma2**3
        Q[-1, i] = Q[i, -1].T
        traces[i, -1] = traces[-1, i] = np.sum(K2 * E.T) / sigma2**2
        for j in range(len(selectors)):
            Q[i, j] = spread[i].T @ K @ spread[j] / sigma2**3
            traces[i, j] = np.sum(products[i] * products[j].T) / sigma2**2
    information = np.empty((r, r))
    for i in range(r):
        for j in range(r):
            symmetric = (Q[i, j] + Q[j, i]) / 2
            information[i, j] = traces[i, j] - 2 * np.sum(Phi * symmetric) + np.sum((Phi @ P[i]) * (Phi @ P[j]).T)
    W = 2 * np.linalg.pinv(information, hermitian=True)
    inner = np.einsum("ij,ijab->ab", W, Q) - np.einsum("ij,iab,bc,jcd->ad", W, P, Phi, P, optimize=True)
    return Adjustment(Phi, Phi + 2 * Phi @ ((inner + inner.T) / 2) @ Phi, P, W)


def crossproducts(problem: LinearProblem) -> tuple[np.ndarray, np.ndarray]:
    """Dense Z'Z and Z'X of all factors, the eliminated one first, levels by level."""
    k, J = problem.factors[0].k, problem.n_levels[0]
    p, rest = problem.p, problem.rest
    first = k * J
    size = first + (0 if rest is None else rest.n_columns)
    ZZ, ZX = np.zeros((size, size)), np.zeros((size, p))
    for a in range(k):
        ZX[a:first:k] = problem.ZX[a, :, :p]
        for b in range(k):
            ZZ[np.arange(J) * k + a, np.arange(J) * k + b] = problem.G[a, b]
    if rest is None:
        return ZZ, ZX
    ZX[first:] = rest.F[:, :p]
    for a in range(k):
        ZZ[a:first:k, first:] = rest.E[a].toarray()
    ZZ[first:, :first] = ZZ[:first, first:].T
    flat = np.zeros(rest.packing.size)
    flat[rest.lower] = flat[rest.upper] = rest.D
    for columns, blocks in rest.packing.matrices(flat):
        for members, block in zip(columns, blocks, strict=True):
            real = members < rest.n_columns
            at = first + members[real]
            ZZ[np.ix_(at, at)] = block[np.ix_(real, real)]
    return ZZ, ZX


def _dense_factor(problem: LinearProblem, theta: np.ndarray) -> np.ndarray:
    """Lambda of all levels of all factors."""
    blocks = [
        np.kron(np.eye(n), f.relative_factor(theta[part]))
        for f, part, n in zip(problem.factors, problem.slices, problem.n_levels, strict=True)
    ]
    return block_diag(*blocks)


def _parameters(problem: LinearProblem) -> list[np.ndarray]:
    """For each covariance entry, the matrix E with G = Z E Z'."""
    selectors = []
    for f, (factor, n) in enumerate(zip(problem.factors, problem.n_levels, strict=True)):
        for i, j in zip(factor.rows, factor.cols, strict=True):
            entry = np.zeros((factor.k, factor.k))
            entry[i, j] = entry[j, i] = 1.0
            blocks = [np.zeros((m * g.k, m * g.k)) for g, m in zip(problem.factors, problem.n_levels, strict=True)]
            blocks[f] = np.kron(np.eye(n), entry)
            selectors.append(block_diag(*blocks))
    return selectors
