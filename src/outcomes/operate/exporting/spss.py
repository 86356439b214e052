"""SPSS files with labels of variables and values (pyreadstat, the extra `spss`)."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import polars.selectors as cs

from outcomes.errors import UsageError
from outcomes.operate.exporting.described import DescribedColumn, DescribedTable

_LABEL_BYTES = 256  # what SPSS shows of a variable's label
_YES_NO = {0: "no", 1: "yes"}


def write_spss(frame: pl.DataFrame, table: DescribedTable, path: Path) -> None:
    """Write a table as `.sav`: labels with units, codes with their words, ids as nominal texts.

    Texts with a closed list of values become numbers from 1 with value labels, in the order of the codebook; yes and no
    become 1 and 0.

    Raises
    ------
    UsageError
        If pyreadstat is not installed.
    """
    try:
        import pyreadstat
    except ImportError as missing:
        raise UsageError("SPSS files need the package pyreadstat", "pip install 'outcomes[formats]'") from missing
    values = {column.name: labels for column in table.columns if (labels := _values(column))}
    coded = frame.with_columns(
        pl.col(column.name).replace_strict({word: code for code, word in values[column.name].items()}, default=None,
                                           return_dtype=pl.Float64)
        for column in table.columns if column.codes
    )  # fmt: skip
    numbers = coded.with_columns((cs.boolean() | cs.integer() | cs.decimal()).cast(pl.Float64))
    pyreadstat.write_sav(
        numbers.with_columns(cs.string().fill_null("")).to_pandas(),
        str(path),
        file_label=table.description[:64],
        column_labels={column.name: _cut(column.label) for column in table.columns},
        variable_value_labels=values,
        variable_measure={column.name: _measure(column) for column in table.columns},
    )


def _values(column: DescribedColumn) -> dict[float, str]:
    if column.type == "BOOLEAN":
        return {float(code): word for code, word in _YES_NO.items()}
    return {float(code): word for code, word in enumerate(column.codes, start=1)}


def _measure(column: DescribedColumn) -> str:
    if column.is_text or column.type == "BOOLEAN" or column.range == "0 | 1":
        return "nominal"
    return "scale"


def _cut(label: str) -> str:
    """As much of a label as SPSS keeps, whole words."""
    if len(label.encode()) <= _LABEL_BYTES:
        return label
    short = label.encode()[: _LABEL_BYTES - 3].decode(errors="ignore")
    return short.rpartition(" ")[0] + "..."
