"""What the tables of all answers have in common, and rows made into them: an unknown column or word is refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from outcomes.errors import UsageError
from outcomes.mixed import FitStatus
from outcomes.release.codebook.vocabulary import ColumnText, TableText, count, number, text

SOURCE = "outcomes.answers"

NUMBERS: dict[str, ColumnText] = {
    "estimate": number("Estimate, in the unit that the row says; empty where refused or where the row is a joint test"),
    "std_error": number("Standard error of the estimate; empty where there is none"),
    "p_value": number("Two-sided p-value against no effect", "0 to 1"),
    "conf_low": number("Lower end of the 95% interval, in the estimate's unit"),
    "conf_high": number("Upper end of the 95% interval, in the estimate's unit"),
    "status": text("How the fit behind the row ended", FitStatus),
    "reason": text("What a reader must know of the fit; why it was refused"),
    "n_sessions": count("Sessions behind the fit; empty where refused", "sessions", "BIGINT"),
    "n_clients": count("Clients behind the fit; empty where refused", "clients", "BIGINT"),
    "n_therapists": count("Therapists behind the fit; empty where refused", "therapists", "BIGINT"),
}
"""The last columns of every table of estimates."""

_POLARS = {"VARCHAR": pl.String, "DOUBLE": pl.Float64, "BIGINT": pl.Int64, "BOOLEAN": pl.Boolean}


def answer_table(name: str, description: str, columns: Mapping[str, ColumnText]) -> TableText:
    """Describe a table that an answer writes."""
    return TableText(name, description, SOURCE, columns)


def filled(table: TableText, rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """Make rows into a table as it is described; a column that a row does not give is empty there.

    Raises
    ------
    UsageError
        If a row has a column that the table has not, or a word that is not on the column's closed list.
    """
    rows = list(rows)
    if odd := {name for row in rows for name in row} - set(table.columns):
        raise UsageError(f"{table.name} has no column {', '.join(sorted(odd))}", "describe it in the answer's tables")
    frame = pl.DataFrame(rows, schema={name: _POLARS[column.type] for name, column in table.columns.items()})
    for name, column in table.columns.items():
        if column.values and (unknown := set(frame[name].drop_nulls()) - {*column.values, ""}):
            raise UsageError(
                f"{table.name}.{name} has words that are not on its list: {', '.join(sorted(unknown))}",
                "use the enumeration of the answer's tables",
            )
    return frame
