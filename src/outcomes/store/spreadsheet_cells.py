"""Cells of CSV files that we write: a spreadsheet must never run one as a formula."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
import polars.selectors as cs

from outcomes.store.formula_cells import FORMULA_START, PLAIN_NUMBER, neutral_cell


def neutralise_formulas(frame: pl.DataFrame) -> pl.DataFrame:
    """Put an apostrophe before every text cell and column name that a spreadsheet would run; numbers stay as they are.

    Lists and maps, which CSV does not have, become JSON.
    """
    names = frame.select(cs.nested()).columns
    flat = frame.with_columns(pl.Series(name, [_json(cell) for cell in frame[name]], pl.String) for name in names)
    neutral = flat.with_columns(_neutral(pl.col(name)) for name in flat.select(cs.string()).columns)
    return neutral.rename({name: neutral_cell(name) for name in frame.columns})


def _neutral(text: pl.Expr) -> pl.Expr:
    """One column: an expression over several at once would join them into one cell."""
    runs = text.str.contains(FORMULA_START) & ~text.str.contains(PLAIN_NUMBER)
    return pl.when(runs).then(pl.concat_str(pl.lit("'"), text)).otherwise(text).name.keep()


def _json(content: Any) -> str | None:
    if content is None:
        return None
    listed = content.to_list() if isinstance(content, pl.Series) else content
    return json.dumps(listed, ensure_ascii=False, default=str)
