"""An R script that makes data frames of exported CSV files: types, levels, labels and units from the codebook."""

from __future__ import annotations

import json
from collections.abc import Iterable

from outcomes.operate.exporting.described import DescribedColumn, DescribedTable

SCRIPT = "read.R"
_TYPES = {"VARCHAR": "character", "BOOLEAN": "logical", "DATE": "Date", "DOUBLE": "numeric", "TIMESTAMP": "character"}

_HEAD = """\
# Reads the CSV files beside it into data frames and keeps each as .rds. Base R only:
#   setwd("this folder"); source("read.R"); head(mart_sessions)
# attr(x, "label") and attr(x, "units") say what a column is.
.label <- function(frame, labels, units) {
  for (name in names(labels)) attr(frame[[name]], "label") <- labels[[name]]
  for (name in names(units)) attr(frame[[name]], "units") <- units[[name]]
  frame
}
.logical <- function(x) x == "true"
"""


def r_script(tables: Iterable[DescribedTable]) -> str:
    """Write the script for these tables."""
    return _HEAD + "".join(_reading(table) for table in tables)


def _reading(table: DescribedTable) -> str:
    name = table.name
    classes = ", ".join(f"{column.name} = {_text(_class(column))}" for column in table.columns)
    lines = [
        f"\n# {table.description}",
        f'{name} <- read.csv("{name}.csv", colClasses = c({classes}), na.strings = "", encoding = "UTF-8")',
    ]
    for column in table.columns:
        if column.type == "BOOLEAN":
            lines.append(f"{name}${column.name} <- .logical({name}${column.name})")
        elif column.codes:
            levels = ", ".join(map(_text, column.codes))
            lines.append(f"{name}${column.name} <- factor({name}${column.name}, levels = c({levels}))")
    labels = ", ".join(f"{column.name} = {_text(column.description)}" for column in table.columns)
    units = ", ".join(f"{column.name} = {_text(column.unit)}" for column in table.columns if column.unit)
    lines.append(f"{name} <- .label({name}, list({labels}), list({units}))")
    lines.append(f'saveRDS({name}, "{name}.rds")')
    return "\n".join(lines) + "\n"


def _class(column: DescribedColumn) -> str:
    if column.type == "BOOLEAN":
        return "character"  # read as true and false, made logical below
    if column.type.endswith("INTEGER"):
        return "integer"
    return _TYPES.get(column.type, "numeric")


def _text(words: str) -> str:
    """A text of R; JSON's escapes are R's."""
    return json.dumps(words, ensure_ascii=False)
