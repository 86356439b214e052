"""Qualtrics: CSV with three header rows (or two, from before), or SPSS; previews out, what identifies is not read."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from outcomes.contract import Kind, LeftOut, Refusal
from outcomes.landing.layouts.base import Export, Layout, Recognised, Table, Tidy
from outcomes.landing.layouts.dropping import mapped_names
from outcomes.landing.layouts.opened import spss, text_tables
from outcomes.landing.layouts.opened.headers import unique
from outcomes.landing.layouts.opened.looking import first_rows
from outcomes.landing.layouts.opened.opening import open_table, rewrite_table
from outcomes.landing.layouts.plain import own_columns
from outcomes.landing.layouts.typed_cells import STAMPS
from outcomes.landing.refusal import FileRefused, counted
from outcomes.landing.rules.columns import normal
from outcomes.study.tables.layouts import LayoutName

# Normal forms (letters only) of the columns that Qualtrics itself adds to every export.
_IDENTIFYING = frozenset(
    [
        "ipaddress",
        "recipientlastname",
        "recipientfirstname",
        "recipientemail",
        "externalreference",
        "externaldatareference",
        "locationlatitude",
        "locationlongitude",
        "locationaccuracy",
        "name",
        "emailaddress",
    ]
)
_OWN = _IDENTIFYING | frozenset(
    [
        "startdate",
        "enddate",
        "status",
        "progress",
        "duration",
        "durationinseconds",
        "finished",
        "recordeddate",
        "responseid",
        "responseset",
        "distributionchannel",
        "userlanguage",
    ]
)
_IMPORT_ID = re.compile(r'^\s*\{"ImportId":')
_LEGACY = re.compile(r"V\d+")
_BROWSER = re.compile(r"_(Browser|Version|Operating System|Resolution|First Click|Last Click|Page Submit|Click Count)$")
# Words of Status by what they stand for; codes and their English labels.
_REAL = frozenset({"0", "ip address", "4", "imported", "16", "offline", "offline response"})
_PREVIEW = frozenset(
    {"1", "survey preview", "2", "survey test", "9", "spam survey preview", "17", "offline survey preview"}
)
_SPAM = frozenset({"8", "spam", "12", "imported spam"})
_DONE = frozenset({"1", "true", "yes", "wahr", "vrai", "verdadero"})


def open_qualtrics(export: Export) -> Table:
    """Open an export and take off its further header rows.

    Raises
    ------
    FileRefused
        If a CSV file has neither the three header rows of today's exports nor the two of earlier ones.
    """
    table = open_table(export)
    table.facts[STAMPS] = True
    if export.suffix in spss.SUFFIXES:
        return table
    if not table.frame.height:
        raise _no_headers()
    second = table.frame.row(0)
    third = table.frame.row(1) if table.frame.height > 1 else ()
    if third and all(_IMPORT_ID.match(cell) for cell in third if cell) and any(third):
        names, n_headers = table.frame.columns, 2
    elif _LEGACY.fullmatch(table.frame.columns[0]) and {_letters(cell) for cell in second} & _OWN:
        # Columns that Qualtrics adds are V1, V2, ... there; the second row says what they are.
        pairs = zip(table.frame.columns, second, strict=True)
        names, n_headers = [label if _LEGACY.fullmatch(name) else name for name, label in pairs], 1
    else:
        raise _no_headers()
    frame = table.frame[n_headers:]
    if not frame.height and not table.malformed:
        raise FileRefused(Refusal.EMPTY, "the export has no answers", "export it again, with its answers")
    frame.columns = unique(tuple(names))
    nameless = [name for name in frame.columns if not name.strip() and bool((frame[name] == "").all())]
    return replace(table, frame=frame.drop(nameless), lines=table.lines[n_headers:])


def arrange(table: Table, export: Export, kind: Kind) -> Tidy:
    """Leave out previews, tests, spam and (where the study says so) unfinished answers; drop what identifies.

    Raises
    ------
    FileRefused
        If Status has words of which nobody can say whether the answers are real.
    """
    options = export.source(kind).qualtrics
    columns = {_letters(name): name for name in table.frame.columns}
    fate = pl.lit("")
    if "status" in columns:
        status = _word(columns["status"])
        real = sorted(_REAL | {one.strip().casefold() for one in options.real})
        strange = table.frame.filter(~status.is_in([*real, *_PREVIEW, *_SPAM])).height
        if strange:
            raise FileRefused(
                Refusal.UNREADABLE,
                f"of {counted(strange, 'answer')} the Status is no word that is known: nobody can say whether they are "
                "real, previews or spam",
                f"export it with numbers, or name the words of real answers in [sources.{kind}] of study.toml: "
                'qualtrics = { real = ["..."] }',
            )
        fate = (
            pl.when(status.is_in(real)).then(pl.lit(""))
            .when(status.is_in(list(_PREVIEW))).then(pl.lit(LeftOut.PREVIEW.value))
            .otherwise(pl.lit(LeftOut.SPAM.value))
        )  # fmt: skip
    if options.finished_only and "finished" in columns:
        is_open = (fate == "") & ~_word(columns["finished"]).is_in(list(_DONE))
        fate = pl.when(is_open).then(pl.lit(LeftOut.UNFINISHED.value)).otherwise(fate)
    fates = table.frame.with_columns(fate.alias("\0fate"))["\0fate"]
    taken = fates == ""
    mapped = mapped_names(export.kinds, export.settings)
    dropped = [
        name for name in table.frame.columns
        if normal(name) not in mapped and (_letters(name) in _OWN or _is_browser(name))
    ]  # fmt: skip
    reasons = (LeftOut.PREVIEW, LeftOut.SPAM, LeftOut.UNFINISHED)
    counts = {reason: int((fates == reason.value).sum()) for reason in reasons}
    identifying = [name for name in dropped if _letters(name) in _IDENTIFYING]
    return Tidy(
        table.frame.filter(taken).drop(dropped), table.lines[taken.to_numpy()].astype(np.int64), table.frame.height,
        {reason: n for reason, n in counts.items() if n}, tuple(dropped),
        (f"{counted(len(identifying), 'column')} that can identify persons not read",) if identifying else (),
    )  # fmt: skip


def _word(column: str) -> pl.Expr:
    return pl.col(column).str.strip_chars().str.to_lowercase()


def _letters(name: str) -> str:
    return re.sub(r"[^a-z]", "", name.lower())


def _is_browser(name: str) -> bool:
    """Say whether a column is from Qualtrics' own questions on the browser and on the time spent."""
    return _BROWSER.search(name) is not None


def _no_headers() -> FileRefused:
    return FileRefused(
        Refusal.UNREADABLE,
        'the file has not the header rows of a Qualtrics export: names, questions, {"ImportId": ...} (or, in earlier '
        "exports, V1, V2, ... and what they stand for)",
        "export it in Qualtrics as CSV and do not change it; a file of one header row needs no format",
    )


def recognise(path: Path) -> Recognised | None:
    """Tell an export by its header rows, or an SPSS file by the names that Qualtrics gives."""
    rows = first_rows(path)
    if len(rows) > 2 and any(rows[2]) and all(_IMPORT_ID.match(cell) for cell in rows[2] if cell):
        why = "its third row has the ImportIds of Qualtrics"
    elif len(rows) > 1 and _LEGACY.fullmatch(rows[0][0]) and {_letters(cell) for cell in rows[1]} & _OWN:
        why = "its first row is V1, V2, ..., and its second says what they are: an earlier Qualtrics export"
    else:
        return None
    return Recognised(
        LayoutName.QUALTRICS, why,
        notes=("columns that can identify persons (address on the network, place, name, e-mail) are not read; map "
               "ExternalReference if it is the client's pseudonym",),
    )  # fmt: skip


QUALTRICS = Layout(
    LayoutName.QUALTRICS, "Qualtrics export", (*text_tables.SUFFIXES, *spss.SUFFIXES), open_qualtrics, arrange,
    own_columns, rewrite_table, recognise,
)  # fmt: skip
