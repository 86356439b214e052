"""The nonlinear parameters of the dynamic model: their order, their matrices and how errors travel over a gap.

The state of a client at a session is s = (x, r): the guidance's and the satisfaction's departure from what is usual.
A session on, s' = A s + (eta, eps) with A = [[a, b], [c, phi]]; the first session has its own covariance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

N_DYNAMIC = 9
"""a, b, c, phi, kappa and four log standard deviations; the factors of Sigma and T follow."""

NAMES = (
    *("a", "b", "c", "phi", "kappa", "log s_x1", "log s_r1", "log s_eta", "log s_eps"),
    *("client 11", "client 21", "client 22", "therapist 11", "therapist 21", "therapist 22"),
)
"""Names of the elements of theta; the last three exist with therapists only."""

_LOWER = (np.array([0, 1, 1]), np.array([0, 0, 1]))
_COMPLEX_STEP = 1e-30


@dataclass(frozen=True)
class Tables:
    """What the errors of one stretch of sessions need, for offsets 0..K from where the stretch starts.

    Parameters
    ----------
    power : ndarray, shape (K + 1, 2, 2)
        A to the power k.
    cov : ndarray, shape (2, K + 1, 2, 2)
        Covariance of the state k sessions on: [0] after a session whose state is known, [1] after the client's first
        session with nothing known.
    """

    power: np.ndarray
    cov: np.ndarray


def start(n_theta: int) -> np.ndarray:
    """Where the search begins, for outcomes in units of their standard deviation."""
    theta = np.zeros(n_theta)
    theta[[0, 3]] = 0.1
    theta[5:N_DYNAMIC] = np.log(0.8)
    theta[N_DYNAMIC : N_DYNAMIC + 3] = 0.5, 0.0, 0.5
    theta[N_DYNAMIC + 3 :] = (0.2, 0.0, 0.2)[: n_theta - N_DYNAMIC - 3]
    return theta


def factor(theta: np.ndarray, first: int) -> np.ndarray:
    """Lower triangular factor of a covariance of two intercepts, from three elements of theta."""
    lower = np.zeros((2, 2))
    lower[_LOWER] = theta[first : first + 3]
    return lower


def factor_gradient(gradient: np.ndarray) -> np.ndarray:
    """Gradient with respect to the three elements, of that with respect to the whole factor."""
    return gradient[_LOWER]


def tables(theta: np.ndarray, longest: int) -> Tables:
    """Powers and covariances up to an offset of `longest` sessions."""
    power, cov = _recursion(theta[None, :N_DYNAMIC], longest)
    return Tables(power[0], cov[0])


def chain(theta: np.ndarray, d_power: np.ndarray, d_cov: np.ndarray) -> np.ndarray:
    """Gradient (..., 9) with respect to the dynamic parameters, of that with respect to the tables (..., K + 1, 2, 2)
    and (..., 2, K + 1, 2, 2).

    The tables are polynomials and exponentials of the parameters, so a complex step differentiates them exactly
    (Squire & Trapp 1998, doi 10.1137/S003614459631241X).
    """
    stepped = theta[None, :N_DYNAMIC] + 1j * _COMPLEX_STEP * np.eye(N_DYNAMIC)
    power, cov = _recursion(stepped, d_power.shape[-3] - 1)
    parts = np.einsum("jkab,...kab->...j", power.imag, d_power)
    parts += np.einsum("jikab,...ikab->...j", cov.imag, d_cov)
    return parts / _COMPLEX_STEP


def _recursion(theta: np.ndarray, longest: int) -> tuple[np.ndarray, np.ndarray]:
    """The tables for each row of theta, shape (m, 9); complex values pass through."""
    a, b, c, phi, kappa = theta.T[:5]
    x1, r1, eta, eps = np.exp(2 * theta.T[5:9])
    zero = np.zeros_like(a)
    A = np.array([[a, b], [c, phi]]).transpose(2, 0, 1)
    At = A.swapaxes(1, 2)
    Q = np.array([[eta, zero], [zero, eps]]).transpose(2, 0, 1)
    power = np.zeros((len(theta), longest + 1, 2, 2), dtype=theta.dtype)
    cov = np.zeros((len(theta), 2, longest + 1, 2, 2), dtype=theta.dtype)
    power[:, 0] = np.eye(2)
    cov[:, 1, 0] = np.array([[x1, kappa * x1], [kappa * x1, kappa**2 * x1 + r1]]).transpose(2, 0, 1)
    for k in range(1, longest + 1):
        power[:, k] = power[:, k - 1] @ A
        cov[:, :, k] = A[:, None] @ cov[:, :, k - 1] @ At[:, None] + Q[:, None]
    return power, cov
