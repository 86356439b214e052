"""The one door between layouts and landing: a file's reader by its name and the study, plain format or layout."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import numpy as np
import polars as pl

from outcomes.contract import Kind, Refusal, Rule
from outcomes.errors import StorageError
from outcomes.landing.formats.base import Format, Owners, Pair
from outcomes.landing.formats.id_cells import IdCells
from outcomes.landing.formats.registry import PACKED, format_of
from outcomes.landing.formats.source_rows import LaidOut, SourceRows
from outcomes.landing.layouts.base import CannotRewrite, Export, Layout, Table, Tidy
from outcomes.landing.layouts.dropping import is_dropped
from outcomes.landing.layouts.registry import LAYOUTS, TABLES
from outcomes.landing.layouts.typed_cells import has_own_dates, spelt_as_declared
from outcomes.landing.refusal import FileRefused
from outcomes.landing.rules.columns import ColumnPlan, known_names, normal, plan_columns, refuse_nameless
from outcomes.study.settings import StudySettings
from outcomes.study.tables.layouts import LayoutName

_TABLE = "tidy_rows"


def reader_of(name: str, kinds: tuple[Kind, ...], settings: StudySettings) -> tuple[Format, bool]:
    """Tell how a file is read, by its name and what the study says of its kinds, and whether it is packed by gzip.

    Raises
    ------
    FileRefused
        If the ending of the name is none that is read so.
    """
    suffix = suffix_of(name)
    layout = layout_of(suffix, settings.sources[kinds[0]].format)
    if layout is None:
        return format_of(name, tuple(TABLES))
    if suffix not in layout.suffixes:
        raise FileRefused(
            Refusal.UNREADABLE,
            f"a {layout.title} is read from files whose names end in {', '.join(layout.suffixes)}",
            "export it in one of these formats, or correct format in [sources] of study.toml",
        )
    return as_format(layout, suffix, kinds), name.lower().endswith(PACKED)


def layout_of(suffix: str, name: LayoutName) -> Layout | None:
    """Return the layout of files that end in a suffix; None for the plain formats, which need none."""
    return TABLES.get(suffix) if name is LayoutName.TABLE else LAYOUTS[name]


def suffix_of(name: str) -> str:
    """Return the ending of a file's name that tells its format, without that of packing."""
    return Path(name.lower().removesuffix(PACKED)).suffix


def as_format(layout: Layout, suffix: str, kinds: tuple[Kind, ...]) -> Format:
    """Make a layout look like any format of source files."""

    def exports_of(content: Path, scratch: Path, settings: StudySettings) -> list[Export]:
        """Several kinds share one table, but each sheet of a workbook is a table of its own."""
        by_sheet: dict[str, list[Kind]] = {}
        for kind in kinds:
            by_sheet.setdefault(settings.sources[kind].sheet, []).append(kind)
        return [Export(content, suffix, scratch, tuple(sharing), settings) for sharing in by_sheet.values()]

    def read(
        con: duckdb.DuckDBPyConnection, content: Path, scratch: Path, kind: Kind, settings: StudySettings
    ) -> tuple[ColumnPlan, SourceRows]:
        export = next(one for one in exports_of(content, scratch, settings) if kind in one.kinds)
        table = layout.open(export)
        tidy = arranged(layout, table, export, kind)
        plan = plan_columns(tuple(tidy.frame.columns), kind, settings)
        plan = replace(plan, dropped=tuple(dict.fromkeys((*plan.dropped, *tidy.dropped))))
        return plan, _source_rows(con, layout, table, tidy)

    def pairs(content: Path, kind: Kind, settings: StudySettings) -> set[Pair]:
        with tempfile.TemporaryDirectory(prefix="outcomes-") as scratch:  # never beside the source
            exports = exports_of(content, Path(scratch), settings)
            return {pair for one in exports for found in _owners(layout, layout.open(one), one) for pair in found}

    def rewrite(content: Path, target: Path, kind: Kind, settings: StudySettings, owners: Owners) -> int:
        with tempfile.TemporaryDirectory(prefix="outcomes-") as scratch:  # never beside the source
            exports = exports_of(content, Path(scratch), settings)
            gone = [_lines_of(layout, one, owners) for one in exports]
            if any(gone) and (layout.rewrite is None or len(exports) > 1):
                raise CannotRewrite(layout.title)
            if any(gone):
                layout.rewrite(exports[0], target, gone[0])
            return sum(map(len, gone))

    return Format(layout.title, layout.suffixes, read, pairs, rewrite)


def arranged(layout: Layout, table: Table, export: Export, kind: Kind) -> Tidy:
    """Lay out the rows of one kind, without the columns that are not for it, and count that none is lost.

    Columns go that the study drops (names or patterns such as `pmq*`) in any source of the file, and those that only
    another kind of the same file reads.

    Raises
    ------
    FileRefused
        If the layout refuses the file.
    StorageError
        If rows are lost between the export and its layout.
    """
    tidy = layout.arrange(table, export, kind)
    if tidy.frame.height + sum(tidy.left_out.values()) != tidy.n_read or len(tidy.lines) != tidy.frame.height:
        raise StorageError(
            f"{tidy.n_read:,} rows of a {layout.title} gave {tidy.frame.height:,} rows, and "
            f"{sum(tidy.left_out.values()):,} were left out",
            "keep the file and report this; nothing of it was landed",
        )
    dropped, kept, nameless = list(tidy.dropped), [], []
    others = frozenset().union(*(known_names(other, export.settings) for other in export.kinds if other != kind))
    own = known_names(kind, export.settings)
    for name in tidy.frame.columns:
        if is_dropped(name, export):
            dropped.append(name)
        elif not name.strip():
            nameless.append(name)
        elif normal(name) in own or normal(name) not in others:
            kept.append(name)
    filled = [name for name in nameless if (tidy.frame[name].str.strip_chars() != "").any()]
    refuse_nameless([table.frame.columns.index(name) for name in filled])
    frame = tidy.frame.select(kept)
    if has_own_dates(table):
        frame = spelt_as_declared(frame, kind, export.settings, table.facts, is_typed=table.is_typed)
    return replace(tidy, frame=frame, dropped=tuple(dict.fromkeys(dropped)))


def _source_rows(con: duckdb.DuckDBPyConnection, layout: Layout, table: Table, tidy: Tidy) -> SourceRows:
    """Offer tidy rows and malformed records to the rules, in the order of their lines."""
    lines = np.concatenate([tidy.lines, np.fromiter(table.malformed, np.int64, len(table.malformed))]).astype(np.int64)
    order = np.argsort(lines, kind="stable")
    n_tidy = tidy.frame.height
    frame = tidy.frame[order[order < n_tidy]]
    malformed: dict[int, Rule] = {}
    raw: dict[int, list[str]] = {}
    row_of: dict[int, int] = {}
    broken = list(table.malformed.values())
    if broken:
        for place, origin in enumerate(order.tolist()):
            if origin >= n_tidy:
                malformed[place], raw[place] = broken[origin - n_tidy]
            else:
                row_of[place] = len(row_of)
    frame.columns = [f"c{place}" for place in range(frame.width)]
    con.register(_TABLE, (frame if frame.width else pl.DataFrame({"nothing": [""] * n_tidy})).to_arrow())

    def raw_cells(places: Sequence[int]) -> Iterator[list[str]]:
        for place in places:
            yield raw[place] if place in raw else [cell or "" for cell in frame.row(row_of.get(place, place))]

    laid_out = LaidOut(layout.name, tidy.n_read + len(broken), dict(tidy.left_out), tidy.notes, tidy.agreement)
    return SourceRows(
        f"(select * from {_TABLE})", lines[order], malformed, raw_cells, is_typed=table.is_typed, laid_out=laid_out
    )


def _lines_of(layout: Layout, export: Export, owners: Owners) -> set[int]:
    """Return the lines of an export at which the owners' records start."""
    table = layout.open(export)
    found = zip(table.lines.tolist(), _owners(layout, table, export), strict=True)
    theirs = {line for line, pairs in found if any(owners.owns(*pair) for pair in pairs)}
    return theirs | {line for line, (_, cells) in table.malformed.items() if owners.mentions("\n".join(cells).encode())}


@dataclass(frozen=True)
class _Ids:
    """Where one kind's client and episode stand among the columns."""

    cells: IdCells
    client: str | None
    episode: str | None


def _owners(layout: Layout, table: Table, export: Export) -> Iterator[set[Pair]]:
    """Yield for every record of the table the pairs of client and episode that any kind of the file sees in it."""
    frame = layout.owners(table, export)
    columns = {normal(name): name for name in frame.columns}
    ids = []
    for kind in export.kinds:
        cells = IdCells(kind, export.settings)
        ids.append(_Ids(cells, columns.get(cells.client), columns.get(cells.episode)))
    for row in frame.iter_rows(named=True):
        yield {
            (one.cells.text(row.get(one.client)), one.cells.text(row.get(one.episode)))
            for one in ids
            if one.client or one.episode
        }
