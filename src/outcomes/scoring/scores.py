"""Score questionnaires by their declared rules."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from outcomes.errors import DataRefused, UsageError
from outcomes.scoring.rules import Combine, Instrument


@dataclass(frozen=True)
class ScaleScores:
    """Scores of one scale.

    Attributes
    ----------
    value : ndarray, shape (n,)
        NaN where more items are missing than the rule allows.
    n_prorated : int
        Scores that stand on fewer than all items.
    n_missing : int
        Administrations without a score.
    """

    value: np.ndarray
    n_prorated: int
    n_missing: int


def score(instrument: Instrument, answers: ArrayLike, scale: str | None = None) -> ScaleScores:
    """Score a scale: reverse (min + max - answer), combine, pro-rate where the rule allows, multiply.

    Parameters
    ----------
    instrument : Instrument
    answers : array_like, shape (n, n_items)
        Answers as coded on the form, items in order 1..n_items; NaN is missing.
    scale : str, optional
        Not needed where the instrument has one scale.

    Raises
    ------
    UsageError
        If the number of columns is not the instrument's, or it has no such scale or no key.
    DataRefused
        If an answer lies outside the item's range; the message counts, and names no value.

    Examples
    --------
    >>> from outcomes.scoring.instruments import instrument
    >>> score(instrument("GAD-7"), [[1, 2, 0, 3, 1, 1, 2]]).value.tolist()
    [10.0]
    """
    rule = instrument.scale(scale)
    answers = np.atleast_2d(np.asarray(answers, dtype=float))
    if answers.shape[1] != instrument.n_items:
        raise UsageError(
            f"{instrument.instrument_id} has {instrument.n_items} items; {answers.shape[1]} columns were given.",
            hint="one column for each item, in the order of the form",
        )
    outside = (answers < instrument.item_min) | (answers > instrument.item_max)
    if outside.any():
        items = ", ".join(str(item) for item in np.flatnonzero(outside.any(axis=0)) + 1)
        raise DataRefused(
            f"{int(outside.sum())} answers to {instrument.instrument_id} lie outside"
            f" {instrument.item_min}..{instrument.item_max} (items {items}).",
            hint="recode missing-data codes to empty, and check the coding of the form",
        )
    answers = answers.copy()
    reverse = np.array(rule.reversed_items, dtype=int) - 1
    answers[:, reverse] = instrument.item_min + instrument.item_max - answers[:, reverse]
    used = answers[:, np.array(rule.items) - 1]
    n_missing = np.isnan(used).sum(axis=1)
    is_scored = n_missing <= rule.max_missing
    value = np.full(answers.shape[0], np.nan)
    value[is_scored] = np.nanmean(used[is_scored], axis=1) * rule.multiplier
    if rule.combine is Combine.SUM:
        value = value * used.shape[1]
    return ScaleScores(
        value=value,
        n_prorated=int((is_scored & (n_missing > 0)).sum()),
        n_missing=int((~is_scored).sum()),
    )
