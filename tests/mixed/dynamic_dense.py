"""The dynamic model's likelihood written out in one dense covariance, independently of the engine."""

from __future__ import annotations

import numpy as np
from scipy.stats import multivariate_normal


def unpack(theta: np.ndarray) -> dict[str, np.ndarray]:
    """Matrices of the model by name."""
    a, b, c, phi, kappa = theta[:5]
    x1, r1, eta, eps = np.exp(2 * theta[5:9])

    def covariance(elements: np.ndarray) -> np.ndarray:
        lower = np.array([[elements[0], 0.0], [elements[1], elements[2]]])
        return lower @ lower.T

    return {
        "A": np.array([[a, b], [c, phi]]),
        "Q": np.diag([eta, eps]),
        "P": np.array([[x1, kappa * x1], [kappa * x1, kappa**2 * x1 + r1]]),
        "Sigma": covariance(theta[9:12]),
        "T": covariance(theta[12:15]) if len(theta) > 12 else np.zeros((2, 2)),
    }


def state_covariance(model: dict[str, np.ndarray], slots: np.ndarray) -> np.ndarray:
    """Covariance, shape (n, 2, n, 2), of the states at some sessions, by recursion over every session."""
    last = int(slots.max())
    whole = np.zeros((last + 1, 2, last + 1, 2))
    whole[0, :, 0] = model["P"]
    for t in range(1, last + 1):
        whole[t, :, t] = model["A"] @ whole[t - 1, :, t - 1] @ model["A"].T + model["Q"]
        for s in range(t):
            whole[t, :, s] = model["A"] @ whole[t - 1, :, s]
            whole[s, :, t] = whole[t, :, s].T
    return whole[np.ix_(slots, [0, 1], slots, [0, 1])]


def log_likelihood(rows, theta: np.ndarray, psi: np.ndarray) -> float:
    """Log density of all observed values: rows as the engine's `Rows`, by its definition only."""
    model = unpack(theta)
    n = len(rows.client)
    p_d = rows.D.shape[1] - 1
    cov = np.zeros((n, 2, n, 2))
    for client in np.unique(rows.client):
        own = np.flatnonzero(rows.client == client)
        cov[np.ix_(own, [0, 1], own, [0, 1])] += state_covariance(model, rows.slot[own])
        cov[np.ix_(own, [0, 1], own, [0, 1])] += model["Sigma"][None, :, None, :]
    for therapist in np.unique(rows.therapist):
        own = np.flatnonzero(rows.therapist == therapist)
        cov[np.ix_(own, [0, 1], own, [0, 1])] += model["T"][None, :, None, :]
    residual = np.stack([rows.D[:, 0] - rows.D[:, 1:] @ psi[:p_d], rows.Y[:, 0] - rows.Y[:, 1:] @ psi[p_d:]], axis=1)
    observed = np.stack([np.ones(n, dtype=bool), rows.is_rated], axis=1).ravel()
    cov = cov.reshape(2 * n, 2 * n)[np.ix_(observed, observed)]
    return float(multivariate_normal(cov=cov).logpdf(residual.ravel()[observed]))
