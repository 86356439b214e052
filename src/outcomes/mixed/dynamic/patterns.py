"""Precisions of the patterns' stretches at given parameters, and the way back to the parameters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from outcomes.mixed.dynamic.parameters import Tables
from outcomes.mixed.dynamic.sequences import Stretches


@dataclass(frozen=True)
class Precisions:
    """What a stretch's likelihood is made of, by pattern: errors e = F m of its values m have covariance R.

    Parameters
    ----------
    F : ndarray, shape (W, n_e, n_m)
        Takes from each value what the start's state leads to expect.
    R_inverse : ndarray, shape (W, n_e, n_e)
    log_det : ndarray, shape (W,)
        Of R.
    whitener : ndarray, shape (W, n_e, n_m)
        Its product with a stretch's values has independent errors of variance 1.
    omega : ndarray, shape (W, n_m, n_m)
        F' R^-1 F.
    """

    F: np.ndarray
    R_inverse: np.ndarray
    log_det: np.ndarray
    whitener: np.ndarray
    omega: np.ndarray


@dataclass(frozen=True)
class Indices:
    """Places of a group's errors in the tables: all of shape (W, n_e, n_e), but `offset` (W, n_e) and the outcomes."""

    offset: np.ndarray
    outcome: np.ndarray
    gap: np.ndarray
    early: np.ndarray
    late_outcome: np.ndarray
    early_outcome: np.ndarray


def indices(group: Stretches) -> Indices:
    """Offsets of the errors of a group: guidance of each session, then satisfaction of the last one."""
    offset = np.hstack([group.offset, group.offset[:, -1:]]) if group.is_rated else group.offset
    outcome = np.repeat([0, 1], [group.offset.shape[1], int(group.is_rated)])
    place = np.arange(len(outcome))
    late, early = np.maximum.outer(place, place), np.minimum.outer(place, place)
    return Indices(
        offset=offset,
        outcome=outcome,
        gap=offset[:, late] - offset[:, early],
        early=offset[:, early],
        late_outcome=outcome[late],
        early_outcome=outcome[early],
    )


def precisions(group: Stretches, at: Indices, tables: Tables) -> Precisions:
    """Precisions of all patterns of a group.

    Cov(s_k, s_l) = A^(k - l) Cov(s_l) for k at or after l.
    """
    cov = tables.cov[int(not group.has_start)]
    R = np.sum(tables.power[at.gap, at.late_outcome] * cov[at.early, at.early_outcome], axis=-1)
    n_e, n_m = len(at.outcome), group.nd + group.ny
    F = np.zeros((len(R), n_e, n_m))
    own = np.concatenate([np.arange(int(group.has_start), group.nd), np.arange(group.nd, n_m)[int(group.has_start) :]])
    F[:, np.arange(n_e), own] = 1.0
    if group.has_start:
        F[:, :, [0, group.nd]] = -tables.power[at.offset, at.outcome]
    lower = np.linalg.cholesky(R)
    whitener = np.linalg.solve(lower, F)
    return Precisions(
        F=F,
        R_inverse=np.linalg.inv(R),
        log_det=2 * np.log(np.diagonal(lower, axis1=1, axis2=2)).sum(axis=1),
        whitener=whitener,
        omega=whitener.swapaxes(1, 2) @ whitener,
    )


def add_gradient(
    group: Stretches,
    at: Indices,
    found: Precisions,
    S: np.ndarray,
    tables: Tables,
    d_power: np.ndarray,
    d_cov: np.ndarray,
) -> None:
    """Add the deviance's derivatives with respect to the tables.

    Parameters
    ----------
    S : ndarray, shape (W, n_m, n_m)
        Expected sum over each pattern's stretches of m m', intercepts taken out.
    d_power, d_cov : ndarray
        Added to in place.

    Notes
    -----
    The deviance of a pattern is n log|R| + tr(R^-1 F S F').
    """
    RF = found.R_inverse @ found.F
    d_R = group.count[:, None, None] * found.R_inverse - RF @ S @ RF.swapaxes(1, 2)
    side = int(not group.has_start)
    np.add.at(d_power, (at.gap, at.late_outcome), d_R[..., None] * tables.cov[side][at.early, at.early_outcome])
    np.add.at(d_cov[side], (at.early, at.early_outcome), d_R[..., None] * tables.power[at.gap, at.late_outcome])
    if group.has_start:
        d_F = 2 * RF @ S
        np.add.at(d_power, (at.offset, at.outcome), -d_F[:, :, [0, group.nd]])
