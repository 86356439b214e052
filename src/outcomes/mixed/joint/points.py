"""Parameters of the joint model, and what is known at one value of them and of the effects."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

CURRENT = "alpha"
"""The loading of the current value, in the hazard alone."""
LOADINGS = ("s_u", "s_w", "lambda_u", "s_v", "s_s", "lambda_v", "tau", "s_uw", "lambda_w", CURRENT)
"""Order of the loadings in the parameter vector."""

CLIENT, THERAPIST = slice(0, 2), slice(2, 5)
AT = {
    "s_u": (0, 0),
    "s_w": (1, 1),
    "lambda_u": (2, 0),
    "s_v": (0, 2),
    "s_s": (1, 3),
    "lambda_v": (2, 2),
    "tau": (2, 4),
    "s_uw": (1, 0),
    "lambda_w": (2, 1),
}
"""Row (l0, l1, c) and column of each loading but that of the current value."""


@dataclass(frozen=True)
class Parameters:
    """beta (p,), gamma (g,), precision 1 / sigma^2, loadings (4, 5): rows l0, l1, c, c1; alpha of the current value."""

    beta: np.ndarray
    gamma: np.ndarray
    precision: float
    loadings: np.ndarray
    alpha: float


@dataclass(frozen=True)
class Point:
    """Everything at one value of the effects; `value` is the joint negative log-likelihood without constants.

    eta, score, weight, third : (N,) of the hazard rows; cell_score (2, K), cell_weight (3, K) : their sums by cell and
    those of x (and x^2) times them; b : (K, 5) effects by cell; r0, r1 : (K,) sums of the ratings' residuals and of
    x times them; M : (K, 5, 5) curvature by cell.
    """

    value: float
    eta: np.ndarray
    b: np.ndarray
    r0: np.ndarray
    r1: np.ndarray
    rss: float
    score: np.ndarray
    weight: np.ndarray
    third: np.ndarray
    cell_score: np.ndarray
    cell_weight: np.ndarray
    M: np.ndarray


@dataclass(frozen=True)
class Curvature:
    """Inverse Hessian in the effects by parts: A_inverse (C, 2, 2), K (cells, 2, 3), and that of the therapists' system
    as `TherapistSystem` stores it."""

    A_inverse: np.ndarray
    K: np.ndarray
    S_inverse: np.ndarray
    log_determinant: float


@dataclass(frozen=True)
class Correction:
    """Quadrature less Laplace over the clients: `value` = -sum log r_i, and its derivatives.

    by_eta : (N,) in the hazard's predictors; by_covariance : (C, 2, 2) in A^-1, symmetric; by_loading : (2, 2) in what
    c and c1 (rows) have of the client's effects.
    """

    value: float
    by_eta: np.ndarray
    by_covariance: np.ndarray
    by_loading: np.ndarray
