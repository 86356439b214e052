"""Cumulative incidence of dropout in the presence of other endings, in discrete time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from outcomes.errors import UsageError

REPORT_SESSIONS = (3, 8, 12)
"""Sessions at which incidences are printed."""


@dataclass(frozen=True)
class CumulativeIncidence:
    """Risks by session 1..T.

    Attributes
    ----------
    incidence : ndarray, shape (n_causes, ..., T)
        Probability (0-1) of an ending by cause k up to session t.
    survival : ndarray, shape (..., T)
        Probability of no ending up to session t; with the incidences it sums to 1.
    naive : ndarray, shape (n_causes, ..., T)
        1 - prod(1 - h_k): what Kaplan-Meier gives when the other causes are censored; too high, for comparison only.
    """

    incidence: np.ndarray
    survival: np.ndarray
    naive: np.ndarray


def cumulative_incidence(hazards: ArrayLike) -> CumulativeIncidence:
    """Combine cause-specific hazards: CIF_k(t) = sum_{s<=t} h_k(s) prod_{r<s} (1 - h(r)), h = sum_k h_k.

    Discrete time with competing causes: Schmid & Berger 2021, doi 10.1002/wics.1529. Hazards of the causes may come
    from separate fits on the whole risk set (Lee, Feuer & Fine 2018).

    Parameters
    ----------
    hazards : array_like, shape (n_causes, ..., T)
        First axis causes, last axis sessions 1..T; axes between them (clients) are kept.

    Raises
    ------
    UsageError
        If a hazard is missing, outside [0, 1], or the causes sum to more than 1.

    Examples
    --------
    >>> cif = cumulative_incidence([[0.10, 0.05, 0.05], [0.0, 0.10, 0.20]])
    >>> [round(float(risk[-1]), 5) for risk in (cif.incidence[0], cif.survival, cif.naive[0])]
    [0.18325, 0.57375, 0.18775]
    """
    hazards = np.asarray(hazards, dtype=float)
    if hazards.ndim < 2:
        raise UsageError("Hazards need an axis of causes and an axis of sessions.", hint="shape (1, T) for one cause")
    total = hazards.sum(axis=0)
    if np.isnan(hazards).any() or (hazards < 0).any() or (total > 1 + 1e-12).any():
        raise UsageError("Hazards must lie in [0, 1] and sum over causes to at most 1 at every session.")
    survival = np.cumprod(1 - np.minimum(total, 1.0), axis=-1)
    before = np.concatenate([np.ones_like(survival[..., :1]), survival[..., :-1]], axis=-1)
    return CumulativeIncidence(
        incidence=np.cumsum(hazards * before, axis=-1),
        survival=survival,
        naive=1 - np.cumprod(1 - hazards, axis=-1),
    )


def incidence_difference(
    hazards_high: ArrayLike, hazards_low: ArrayLike, sessions: tuple[int, ...] = REPORT_SESSIONS
) -> np.ndarray:
    """Difference of average incidences under two levels of guidance (g-computation).

    Every client's hazards are predicted under both levels and turned into incidences, which are then averaged over
    clients; hazards never are (Robins 1986, doi 10.1016/0270-0255(86)90088-6).

    Parameters
    ----------
    hazards_high, hazards_low : array_like, shape (n_causes, n_clients, T)
    sessions : tuple of int
        1-based; each at most T.

    Returns
    -------
    ndarray, shape (n_causes, len(sessions))
        Incidence under high minus incidence under low, as a probability.
    """
    high, low = (cumulative_incidence(hazards).incidence for hazards in (hazards_high, hazards_low))
    if high.shape != low.shape or high.ndim != 3:
        raise UsageError(f"Hazards have shapes {high.shape} and {low.shape}; both must be (causes, clients, sessions).")
    if max(sessions) > high.shape[-1] or min(sessions) < 1:
        raise UsageError(f"The hazards reach session {high.shape[-1]}; sessions {sessions} were asked for.")
    return (high - low).mean(axis=1)[:, np.array(sessions) - 1]
