"""What landing would say of a file under a study file: refused, or which rules how many rows would break."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import duckdb

from outcomes.contract import Kind, Rule
from outcomes.errors import StorageError, StudyError
from outcomes.landing.formats.csv_files import read_csv
from outcomes.landing.formats.source_rows import SourceRows
from outcomes.landing.identifiers.door import refuse_identifying_values
from outcomes.landing.refusal import FileRefused, refusing_the_unforeseen
from outcomes.landing.rules.columns import ColumnPlan
from outcomes.landing.rules.row_rules import create_typed, find_breaches
from outcomes.preview.cells import CLEAN
from outcomes.study.settings import StudySettings
from outcomes.study.tables.layouts import Encoding


@dataclass(frozen=True)
class Trial:
    """What would become of the rows that were read.

    Attributes
    ----------
    refused, hint : str
        Why landing would refuse the whole file, and what to try; empty where it would not.
    by_rule : dict of str to int
        Rows by the first rule that they break.
    by_column : dict of str to dict of str to int
        The same rows by the column meant; '' for the whole row.
    """

    refused: str = ""
    hint: str = ""
    by_rule: dict[str, int] = field(default_factory=dict)
    by_column: dict[str, dict[str, int]] = field(default_factory=dict)


def try_landing(
    con: duckdb.DuckDBPyConnection, table: Path, scratch: Path, kind: Kind, settings: StudySettings, n_malformed: int
) -> Trial:
    """Apply landing's rules to a comma-separated UTF-8 table; nothing is landed.

    Parameters
    ----------
    n_malformed : int
        Rows that were left out of the table because they could not be split into cells.
    """
    try:
        with refusing_the_unforeseen():
            plan, rows = read_csv(con, table, scratch, kind, settings)
        return try_rules(con, plan, rows, n_malformed)
    except (FileRefused, StudyError, StorageError) as refusal:
        return Trial(refusal.message, refusal.hint)


def try_shared(
    con: duckdb.DuckDBPyConnection, content: Path, scratch: Path, kind: Kind, kinds: tuple[Kind, ...],
    settings: StudySettings, n_malformed: int,
) -> Trial:  # fmt: skip
    """Apply landing's layout and rules to a file of several kinds, as one of them; nothing is landed.

    Parameters
    ----------
    content : Path
        The export, or the comma-separated UTF-8 table that was read from a text file.
    n_malformed : int
        Rows that were left out of that table.
    """
    from outcomes.landing.layouts.door import as_format, layout_of, suffix_of  # brings all layouts along

    room = scratch / "tried"
    room.mkdir()
    if content.name == CLEAN:
        read = {one: settings.sources[one].model_copy(update={"encoding": Encoding.UTF_8}) for one in kinds}
        settings = settings.model_copy(update={"sources": {**settings.sources, **read}})
    suffix = suffix_of(content.name)
    try:
        layout = layout_of(suffix, settings.sources[kind].format)
        with refusing_the_unforeseen():
            plan, rows = as_format(layout, suffix, kinds).read(con, content, room, kind, settings)
    except (FileRefused, StudyError, StorageError) as refusal:
        return Trial(refusal.message, refusal.hint)
    return try_rules(con, plan, rows, n_malformed)


def try_rules(con: duckdb.DuckDBPyConnection, plan: ColumnPlan, rows: SourceRows, n_malformed: int = 0) -> Trial:
    """Apply landing's rules to rows that were read; see `try_landing`."""
    try:
        with refusing_the_unforeseen():
            create_typed(con, plan, rows, date.today())
            breaches = find_breaches(con, plan)
        by_rule = Counter(found[0].rule for found in breaches.values())
        by_rule[Rule.RAGGED_ROW] += n_malformed + len(rows.malformed)
        columns = {rule: Counter[str]() for rule in by_rule}
        for found in breaches.values():
            columns[found[0].rule][found[0].column] += 1
        refused = _identifiers(con, plan, rows.n_records)
    except (FileRefused, StudyError, StorageError) as refusal:
        return Trial(refusal.message, refusal.hint)
    ordered = [rule for rule in Rule if by_rule[rule]]
    return Trial(
        refused.message if refused else "", refused.hint if refused else "",
        {rule.value: by_rule[rule] for rule in ordered},
        {rule.value: dict(columns[rule]) for rule in ordered},
    )  # fmt: skip


def _identifiers(con: duckdb.DuckDBPyConnection, plan: ColumnPlan, n_rows: int) -> FileRefused | None:
    try:
        refuse_identifying_values(con, plan, {}, n_rows)
    except FileRefused as refusal:
        return refusal
    return None
