"""Predictions beside the columns that they were made from."""

from __future__ import annotations

import numpy as np
import polars as pl

from outcomes.errors import UsageError


def beside(data: pl.DataFrame, columns: dict[str, np.ndarray]) -> pl.DataFrame:
    """The input's columns with the predictions after them; NaN becomes missing.

    Raises
    ------
    UsageError
        When the input has a column of a prediction's name.
    """
    if taken := [name for name in columns if name in data.columns]:
        raise UsageError(
            f"The data have a column {taken[0]!r} already, which predictions are called.",
            f"rename it, or leave it out: data.drop({', '.join(map(repr, taken))})",
        )
    return data.hstack(pl.DataFrame(columns).fill_nan(None))
