"""Bounds for episodes whose ending is not known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike

from outcomes.errors import UsageError


class EndingState(StrEnum):
    """How an episode ended under one definition of dropout (`ending_state` of the core tables)."""

    DROPOUT = "dropout"
    PLANNED = "planned"
    OTHER = "other"
    UNDETERMINED = "undetermined"


@dataclass(frozen=True)
class DropoutBounds:
    """An estimate under the two extreme readings of the undetermined episodes.

    Attributes
    ----------
    as_observed : float
        Undetermined episodes left out; NaN where none is determined.
    all_dropout, none_dropout : float
        All of them counted as dropout; none of them.
    lowest, highest : float
        The smaller and the larger of the two readings. For a proportion no other reading can lie outside them; for a
        regression coefficient they are two sensitivity analyses, not sharp bounds.
    n_undetermined : int
    """

    as_observed: float
    all_dropout: float
    none_dropout: float
    lowest: float
    highest: float
    n_undetermined: int


def bound_undetermined(states: ArrayLike, estimator: Callable[[np.ndarray, np.ndarray], float]) -> DropoutBounds:
    """Estimate with the undetermined episodes set to either ending.

    Worst-case bounds: Manski 1989, doi 10.2307/145818.

    Parameters
    ----------
    states : array_like of EndingState, shape (n,)
    estimator : callable
        Takes the dropout indicator (0/1, shape (m,)) and the indices of its episodes (shape (m,)); gives one number.

    Raises
    ------
    UsageError
        If a state is unknown or there are no episodes.
    """
    states = np.asarray(states, dtype=str)
    known = np.isin(states, [state.value for state in EndingState])
    if states.size == 0 or not known.all():
        raise UsageError(f"{int((~known).sum())} of {states.size} episodes have no state that is known.")
    everyone = np.arange(states.size)
    is_dropout = (states == EndingState.DROPOUT).astype(float)
    is_open = states == EndingState.UNDETERMINED
    most = float(estimator(np.where(is_open, 1.0, is_dropout), everyone))
    least = float(estimator(is_dropout, everyone))
    determined = everyone[~is_open]
    observed = float(estimator(is_dropout[determined], determined)) if determined.size else float("nan")
    return DropoutBounds(observed, most, least, min(most, least), max(most, least), int(is_open.sum()))


def dropout_proportion(is_dropout: np.ndarray, _episodes: np.ndarray) -> float:
    """Share of dropouts: the simplest estimator for `bound_undetermined`."""
    return float(np.mean(is_dropout))
