"""Satterthwaite's degrees of freedom from the exact gradient of the fixed effects' covariance.

nu = 2 (c'Vc)^2 / (g'Ag), with g the gradient of c'V(theta, sigma)c and A the asymptotic covariance of (theta, sigma),
twice the inverse Hessian of the deviance (Kuznetsova et al. 2017, doi 10.18637/jss.v082.i13).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from outcomes.mixed.linear.deviance import State, residual_crossproducts
from outcomes.mixed.linear.problem import LinearFrame, LinearProblem

_EIGENVALUE_TOLERANCE = 1e-8  # directions in which the deviance is flat carry no information (lmerTest's rule)


@dataclass(frozen=True)
class CovarianceGradient:
    """How the fixed effects' covariance moves with the covariance parameters.

    Parameters
    ----------
    vcov : ndarray, shape (p, p)
    jacobian : ndarray, shape (m + 1, p, p)
        Derivatives of `vcov` by theta and by log sigma^2.
    parameter_cov : ndarray, shape (m + 1, m + 1)
        Asymptotic covariance of theta and log sigma^2.
    """

    vcov: np.ndarray
    jacobian: np.ndarray
    parameter_cov: np.ndarray

    def df(self, contrast: np.ndarray) -> float:
        """Denominator degrees of freedom of one contrast, shape (p,)."""
        variance = contrast @ self.vcov @ contrast
        slope = self.jacobian @ contrast @ contrast
        return float(2 * variance**2 / (slope @ self.parameter_cov @ slope))

    def df_joint(self, L: np.ndarray) -> float:
        """Denominator degrees of freedom of the F test of several contrasts, shape (q, p).

        Independent directions are combined as by Fai & Cornelius (1996, doi 10.1080/00949659608811740).
        """
        values, vectors = np.linalg.eigh(L @ self.vcov @ L.T)
        used = values > max(values[-1], 0.0) * 1e-10
        nu = np.array([self.df(direction @ L) for direction in vectors.T[used]])
        if len(nu) == 1:
            return float(nu[0])
        if np.ptp(nu) < 1e-8 * nu.max():
            return float(nu.mean())
        if np.any(nu <= 2):
            return 2.0
        expectation = np.sum(nu / (nu - 2))
        return float(2 * expectation / (expectation - len(nu)))


def covariance_gradient(
    problem: LinearProblem, state: State, theta: np.ndarray, hessian: np.ndarray, vcov: np.ndarray, *, reml: bool
) -> CovarianceGradient:
    """Derivatives at an optimum.

    Parameters
    ----------
    problem : LinearProblem
    state : State
        The eliminations at the optimum.
    theta, hessian : ndarray, shapes (m,), (m, m)
        Optimum and second derivatives of the profiled deviance.
    vcov : ndarray, shape (p, p)
        Covariance of the fixed effects in the formula's units.
    reml : bool
    """
    products = level_products(residual_crossproducts(problem, state))
    return gradient_from_products(problem, state, products, theta, hessian, vcov, reml=reml)


def level_products(crossproducts: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
    """Sum over levels of U_a U_b' of each factor, shape (k, k, q, q); U (L, k, q)."""
    return tuple(np.tensordot(U, U, axes=(0, 0)).transpose(0, 2, 1, 3) for U in crossproducts)


def gradient_from_products(
    frame: LinearFrame,
    state: State,
    products: tuple[np.ndarray, ...],
    theta: np.ndarray,
    hessian: np.ndarray,
    vcov: np.ndarray,
    *,
    reml: bool,
) -> CovarianceGradient:
    """Derivatives at an optimum, from sums over levels alone (`level_products`)."""
    df = frame.n - frame.p if reml else frame.n
    to_original = frame.to_original @ state.XVX_inverse * frame.y_scale**2 * state.r2 / df
    back = frame.to_original @ state.XVX_inverse
    residual = np.append(-state.beta, 1.0)
    jacobian = [np.empty((0, frame.p, frame.p))]
    mixed = [np.empty(0)]
    for factor, part, product in zip(frame.factors, frame.slices, products, strict=True):
        Lambda = factor.relative_factor(theta[part])
        weight = product @ residual @ residual
        for i, j in zip(factor.rows, factor.cols, strict=True):
            half = np.einsum("b,bxy->xy", Lambda[:, j], product[i][:, :-1, :-1])
            jacobian.append((to_original @ (half + half.T) @ back.T)[None])
            mixed.append(np.array([2 * Lambda[:, j] @ weight[i] * df / state.r2]))
    mixed_column = np.concatenate(mixed)
    full = np.empty((len(theta) + 1, len(theta) + 1))
    full[:-1, :-1] = hessian + np.outer(mixed_column, mixed_column) / df
    full[-1, :-1] = full[:-1, -1] = mixed_column
    full[-1, -1] = df
    return CovarianceGradient(vcov, np.concatenate([*jacobian, vcov[None]]), 2 * _positive_inverse(full))


def _positive_inverse(matrix: np.ndarray) -> np.ndarray:
    """Inverse on the directions of positive curvature."""
    scale = np.sqrt(np.maximum(np.abs(np.diag(matrix)), 1e-300))
    values, vectors = np.linalg.eigh(matrix / np.outer(scale, scale))
    inverse = np.where(values > _EIGENVALUE_TOLERANCE, 1 / np.where(values > 0, values, 1.0), 0.0)
    return (vectors * inverse) @ vectors.T / np.outer(scale, scale)
