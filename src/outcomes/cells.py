"""Cells of CSV files that we write: a spreadsheet must never run one as a formula."""

from __future__ import annotations

import polars as pl
import polars.selectors as cs

# A text cell that begins so, and is no plain number, is run by spreadsheets (OWASP, CSV injection).
FORMULA_START = r"^[=+\-@\t\r]"
PLAIN_NUMBER = r"^[+\-]?[0-9]+([.,][0-9]+)?([eE][+\-]?[0-9]+)?$"


def neutralise_formulas(frame: pl.DataFrame) -> pl.DataFrame:
    """Put an apostrophe before every text cell that a spreadsheet would run; numbers stay as they are."""
    return frame.with_columns(_neutral(pl.col(name)) for name in frame.select(cs.string()).columns)


def _neutral(text: pl.Expr) -> pl.Expr:
    """One column: an expression over several at once would join them into one cell."""
    runs = text.str.contains(FORMULA_START) & ~text.str.contains(PLAIN_NUMBER)
    return pl.when(runs).then(pl.concat_str(pl.lit("'"), text)).otherwise(text).name.keep()
