"""REDCap: a flat CSV export and its data dictionary become the rows of one form, event or record."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import polars as pl

from outcomes.contract import Kind, LeftOut, Refusal
from outcomes.errors import no_such
from outcomes.landing.layouts.base import Export, Layout, Recognised, Table, Tidy
from outcomes.landing.layouts.dropping import is_dropped, mapped_names
from outcomes.landing.layouts.opened.looking import first_rows
from outcomes.landing.layouts.opened.text_tables import SUFFIXES, open_text, rewrite_text
from outcomes.landing.layouts.redcap_dictionary import Dictionary, read_dictionary
from outcomes.landing.layouts.redcap_rows import EVENT, FORM, INSTANCE, Rows, rows_of
from outcomes.landing.layouts.typed_cells import STAMPS
from outcomes.landing.refusal import FileRefused, counted, listed
from outcomes.landing.rules.columns import known_names, normal
from outcomes.study.tables.layouts import LayoutName, RedcapOptions

_OWN_COLUMNS = (EVENT, FORM, INSTANCE, "redcap_data_access_group", "redcap_survey_identifier")
_NOT_COMPLETED = "[not completed]"
_STATES = frozenset({"", "0", "1", "2", "Incomplete", "Unverified", "Complete"})


def open_redcap(export: Export) -> Table:
    """Open an export; its timestamps are dates with a time of day."""
    table = open_text(export)
    table.facts[STAMPS] = True
    return table


def arrange(table: Table, export: Export, kind: Kind) -> Tidy:
    """Take the rows of the form, the events or the record that the study names, joined to their record's values.

    Raises
    ------
    FileRefused
        For identifying or free-text fields that the study does not drop, a dictionary of another project, or a value
        of the record that is not one.
    StudyError
        If there is no data dictionary, or it has no such form.
    """
    options = export.source(kind).redcap
    dictionary = read_dictionary(Path(options.dictionary))
    if options.instrument and options.instrument not in dictionary.forms:
        raise no_such("form of the REDCap project", options.instrument, dictionary.forms)
    _refuse_what_identifies(table.frame.columns, dictionary, export, kind)
    rows = rows_of(table.frame, dictionary, export.source(kind).missing)
    _refuse_unnamed_events(rows, options, kind)
    chosen = _chosen(rows, options)
    columns = _columns(rows, options)
    joined, differing = rows.joined(columns, options.record_event, chosen)
    read = known_names(kind, export.settings) - {normal(one) for one in export.source(kind).drop}
    if unclear := [column for column in differing if normal(column) in read]:
        raise FileRefused(
            Refusal.UNREADABLE,
            f"{counted(len(unclear), 'field belongs', 'fields belong')} to the record as a whole, but differ between "
            f"its events: {listed(unclear)}",
            f'name the event that counts in [sources.{kind}] of study.toml: redcap = {{ record_event = "..." }}',
        )
    fates = rows.frame.with_columns(  # a select would give one row where nothing depends on the columns
        chosen=chosen,
        filled=rows.is_filled(options.instrument) if options.instrument else pl.lit(True),
        own=rows.is_own,
    ).select("chosen", "filled", "own")
    taken = fates["chosen"] & fates["filled"]
    n_chosen, n_own = int(fates["chosen"].sum()), int((fates["own"] & ~fates["chosen"]).sum())
    if not taken.any():
        raise FileRefused(
            Refusal.EMPTY, "the export has no filled row of the form or the events that the study reads",
            f"check redcap in [sources.{kind}] of study.toml, or export the project's whole data",
        )  # fmt: skip
    kept, dropped = _passed_on(joined.columns, columns, export)
    frame = joined.filter(taken).select(kept)
    frame = frame.with_columns(pl.all().replace({_NOT_COMPLETED: ""}))
    return Tidy(
        frame, table.lines[taken.to_numpy()].astype(np.int64), rows.frame.height,
        {
            LeftOut.RECORD_ROW: n_own,
            LeftOut.OTHER_FORM: rows.frame.height - n_chosen - n_own,
            LeftOut.EMPTY_FORM: n_chosen - int(taken.sum()),
        },
        tuple(dropped), _notes(rows, options, taken),
    )  # fmt: skip


def owners(table: Table, export: Export) -> pl.DataFrame:
    """Give every row the ids of its record, so that a withdrawal finds the rows that do not have them themselves."""
    rows = rows_of(table.frame, read_dictionary(Path(export.first.redcap.dictionary)), export.first.missing)
    names = {normal(export.source(kind).columns.get(one, one)) for kind in export.kinds for one in _IDS}
    columns = [column for column in rows.frame.columns if normal(column) in names]
    return rows.joined(columns, export.first.redcap.record_event)[0]


_IDS = ("client_id", "episode_id")


def _refuse_what_identifies(header: Iterable[str], dictionary: Dictionary, export: Export, kind: Kind) -> None:
    fields = {
        column: dictionary.by_column[column]
        for column in header
        if column in dictionary.by_column and not is_dropped(column, export)
    }
    drop = f"list it under drop in [sources.{kind}] of study.toml, or leave it out of the export"
    if marked := [column for column, one in fields.items() if one.is_identifier]:
        raise FileRefused(
            Refusal.IDENTIFIER_COLUMN,
            f"{counted(len(marked), 'field is', 'fields are')} marked in the data dictionary as identifying "
            f"(Identifier? = y, or a telephone number, an e-mail address, a postcode): {listed(marked)}",
            drop,
        )
    if texts := [column for column, one in fields.items() if one.type in ("notes", "file", "signature")]:
        raise FileRefused(
            Refusal.FREE_TEXT,
            f"{counted(len(texts), 'field holds', 'fields hold')} free text or files: {listed(texts)}",
            drop,
        )


def _refuse_unnamed_events(rows: Rows, options: RedcapOptions, kind: Kind) -> None:
    """Refuse to take rows of all events for one row a record."""
    if options.instrument or options.events or not rows.has(EVENT):
        return
    events = rows.frame.filter(rows.is_own)[EVENT].unique(maintain_order=True).to_list()
    per_record = rows.frame.filter(rows.is_own)[rows.dictionary.record_id].is_duplicated().any()
    if per_record:
        raise FileRefused(
            Refusal.UNREADABLE,
            f"the export has {counted(len(events), 'event')}; whose rows are {kind}? {listed(events)}",
            f'name them in [sources.{kind}] of study.toml: redcap = {{ events = ["..."] }}',
        )


def _chosen(rows: Rows, options: RedcapOptions) -> pl.Expr:
    in_events = rows.event.is_in(list(options.events)) if options.events else pl.lit(True)
    if options.instrument:
        return rows.is_on_row(options.instrument) & in_events
    return (rows.form == "") & in_events if options.events else rows.is_own


def _columns(rows: Rows, options: RedcapOptions) -> list[str]:
    """Return the columns that rows may have: those of their form and those of the record, none of other forms."""
    other = rows.repeating_forms - {options.instrument}
    elsewhere = {column for form in other for column in rows.columns_of(form) if not _is_mixed(rows, form)}
    return [column for column in rows.frame.columns if column not in elsewhere]


def _is_mixed(rows: Rows, form: str) -> bool:
    """Say whether a form that repeats in some rows also stands in the record's own ones."""
    return bool(rows.frame.select((rows.is_own & rows.is_filled(form)).any()).item())


def _passed_on(header: list[str], columns: list[str], export: Export) -> tuple[list[str], list[str]]:
    """Part the columns into those that are passed on and those that only REDCap itself or other forms need."""
    mapped = mapped_names(export.kinds, export.settings)
    kept, dropped = [], []
    for column in header:
        is_ours = normal(column) in mapped
        is_redcaps = column in _OWN_COLUMNS or re.fullmatch(r".*_(complete|timestamp|return_code)", column)
        (dropped if (is_redcaps and not is_ours) or column not in columns else kept).append(column)
    return kept, dropped


def _notes(rows: Rows, options: RedcapOptions, taken: pl.Series) -> tuple[str, ...]:
    record = rows.dictionary.record_id
    without = rows.frame[record].n_unique() - rows.frame.filter(taken)[record].n_unique()
    what = f"of the form {options.instrument}" if options.instrument else "of these events"
    return (f"{counted(without, 'record has', 'records have')} no row {what}",) if without else ()


def recognise(path: Path) -> Recognised | None:
    """Tell an export by the columns that REDCap adds."""
    rows = first_rows(path, 2000)
    header = [name.strip() for name in rows[0]] if rows else []
    states = [
        place
        for place, name in enumerate(header)
        if name.endswith("_complete") and {row[place] for row in rows[1:] if place < len(row)} <= _STATES
    ]
    own = [name for name in header if name in _OWN_COLUMNS]
    if not own and not states:
        return None
    options = {}
    if FORM in header:
        place = header.index(FORM)
        forms = [row[place] for row in rows[1:] if place < len(row) and row[place]]
        if forms:
            options["redcap.instrument"] = max(set(forms), key=forms.count)
    return Recognised(
        LayoutName.REDCAP,
        f"it has columns that REDCap adds: {listed([*own, *(header[place] for place in states)], 6)}",
        options,
        ("the project's data dictionary (CSV) is needed beside study.toml: redcap.dictionary",),
    )


REDCAP = Layout(LayoutName.REDCAP, "REDCap export", SUFFIXES, open_redcap, arrange, owners, rewrite_text, recognise)
