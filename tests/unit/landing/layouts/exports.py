"""One small set of sessions, written as each layout would export it, with faults planted in known rows."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import pandas as pd
import pyreadstat
import xlsxwriter
from exports_common import Row, Written, after, csv_text
from exports_nested import as_fhir, as_iapt, as_pmhc

from outcomes.contract import Rule

COLUMNS = (
    "client_id", "therapist_id", "session_number", "session_date", "attended", "satisfaction", "directiveness",
)  # fmt: skip
FIRST_DAY = date(2024, 1, 8)
CLIENTS, SESSIONS = 12, 4


def clean_rows() -> list[Row]:
    """Twelve clients of three therapists, four sessions each, every cell as text."""
    return [
        {
            "client_id": f"c{client:02}",
            "therapist_id": f"t{client % 3}",
            "session_number": str(session),
            "session_date": (FIRST_DAY + timedelta(days=7 * session)).isoformat(),
            "attended": "1",
            "satisfaction": str((client + session) % 11),
            "directiveness": str((3 * client + session) % 11),
        }
        for client in range(CLIENTS)
        for session in range(1, SESSIONS + 1)
    ]


FAULTS: dict[Rule, tuple[str, str]] = {
    Rule.OUT_OF_RANGE: ("satisfaction", "11"),
    Rule.NOT_A_NUMBER: ("directiveness", "seven"),
    Rule.NOT_AN_INTEGER: ("session_number", "2.5"),
    Rule.NOT_A_DATE: ("session_date", "last week"),
    Rule.IMPOSSIBLE_DATE: ("session_date", "2099-01-01"),
    Rule.MISSING_KEY: ("client_id", ""),
    Rule.NOT_YES_NO: ("attended", "7"),
    Rule.RATED_BUT_ABSENT: ("attended", "0"),
}
"""Faults of one cell; with a row that stands twice, and two that contradict each other, ten kinds."""


def planted_rows() -> tuple[list[Row], dict[int, Rule]]:
    """Return rows with ten kinds of faults, and which rule which row breaks."""
    rows = clean_rows()
    expected: dict[int, Rule] = {}
    for client, (rule, (column, value)) in enumerate(FAULTS.items()):
        place = client * SESSIONS + 1
        rows[place][column] = value
        expected[place] = rule
    rows.append(dict(rows[9 * SESSIONS]))
    expected[len(rows) - 1] = Rule.DUPLICATE_ROW
    rows.append(rows[10 * SESSIONS] | {"satisfaction": "1" if rows[10 * SESSIONS]["satisfaction"] != "1" else "2"})
    expected |= {10 * SESSIONS: Rule.CONFLICTING_ROWS, len(rows) - 1: Rule.CONFLICTING_ROWS}
    return rows, expected


def as_utf16_bars(rows: list[Row], folder: Path) -> Written:
    """UTF-16 with bars between the cells, as some hospital systems export."""
    text = csv_text([list(COLUMNS), *([row[name] for name in COLUMNS] for row in rows)], "|")
    return Written(text.encode("utf-16"), "sessions.csv", 'encoding = "utf-16"', after(2, rows))


def as_excel(rows: list[Row], folder: Path) -> Written:
    """A workbook with numbers and dates of its own, a title row that is empty, and two sheets."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        book.add_worksheet("Read me").write(0, 0, "see Data")
        sheet, day = book.add_worksheet("Data"), book.add_format({"num_format": "dd.mm.yyyy"})
        sheet.write_row(1, 0, COLUMNS)
        for place, row in enumerate(rows):
            for column, name in enumerate(COLUMNS):
                _write_cell(sheet, place + 2, column, row[name], day)
    return Written(out.getvalue(), "sessions.xlsx", 'sheet = "Data"', after(3, rows))


def _write_cell(sheet, row: int, column: int, text: str, day) -> None:
    try:
        sheet.write_datetime(row, column, datetime.fromisoformat(text), day)
    except ValueError:
        try:
            sheet.write_number(row, column, float(text))
        except ValueError:
            sheet.write_string(row, column, text)


def as_spss(rows: list[Row], folder: Path) -> Written:
    """An SPSS file: numbers where a whole variable is numbers, text elsewhere, a declared missing value."""
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    for name in COLUMNS:
        try:
            frame[name] = pd.to_numeric(frame[name])
        except ValueError:
            continue
    path = folder / "made.sav"
    pyreadstat.write_sav(
        frame, str(path), file_label="sessions", variable_value_labels={"attended": {1: "yes", 0: "no"}}
    )
    return Written(path.read_bytes(), "sessions.sav", "", after(2, rows))


REDCAP_DICTIONARY = csv_text(
    [
        [
            "Variable / Field Name", "Form Name", "Section Header", "Field Type", "Field Label",
            "Choices, Calculations, OR Slider Labels", "Field Note", "Text Validation Type OR Show Slider Number",
            "Text Validation Min", "Text Validation Max", "Identifier?",
        ],
        ["record_id", "intake", "", "text", "Record", "", "", "", "", "", ""],
        ["therapist", "intake", "", "text", "Therapist", "", "", "", "", "", ""],
        ["gender", "intake", "", "radio", "Gender", "1, woman | 2, man", "", "", "", "", ""],
        ["full_name", "intake", "", "text", "Name", "", "", "", "", "", "y"],
        ["visit_date", "visit", "", "text", "Day", "", "", "date_ymd", "", "", ""],
        ["came", "visit", "", "yesno", "Came", "", "", "", "", "", ""],
        ["sat", "visit", "", "text", "Satisfaction", "", "", "number", "0", "10", ""],
        ["dir", "visit", "", "text", "Directiveness", "", "", "number", "0", "10", ""],
    ]
)  # fmt: skip
REDCAP_STUDY = """format = "redcap"
redcap = { dictionary = "dictionary.csv", instrument = "visit" }
drop = ["gender"]
[sources.sessions.columns]
client_id = "record_id"
therapist_id = "therapist"
session_number = "redcap_repeat_instance"
session_date = "visit_date"
attended = "came"
satisfaction = "sat"
directiveness = "dir"
"""
REDCAP_HEADER = [
    "record_id", "redcap_repeat_instrument", "redcap_repeat_instance", "therapist", "gender", "intake_complete",
    "visit_date", "came", "sat", "dir", "visit_complete",
]  # fmt: skip


def as_redcap(rows: list[Row], folder: Path) -> Written:
    """A record's own row with its therapist, before the repeating rows of its visits."""
    table, lines, seen = [REDCAP_HEADER], [], set()
    for row in rows:
        if row["client_id"] and row["client_id"] not in seen:
            seen.add(row["client_id"])
            table.append([row["client_id"], "", "", row["therapist_id"], "1", "2", "", "", "", "", ""])
        lines.append(len(table) + 1)
        table.append(
            [row["client_id"], "visit", row["session_number"], "", "", "", row["session_date"], row["attended"],
             row["satisfaction"], row["directiveness"], "2"]
        )  # fmt: skip
    return Written(
        csv_text(table).encode(), "sessions.csv", REDCAP_STUDY, tuple(lines), (("dictionary.csv", REDCAP_DICTIONARY),)
    )


QUALTRICS_COLUMNS = [
    "StartDate", "Status", "IPAddress", "Finished", "ResponseId", "RecipientEmail", "LocationLatitude", "client",
    "therapist", "n", "Q1", "Q2", "Q3",
]  # fmt: skip
QUALTRICS_STUDY = """format = "qualtrics"
[sources.sessions.columns]
client_id = "client"
therapist_id = "therapist"
session_number = "n"
session_date = "StartDate"
attended = "Q1"
satisfaction = "Q2"
directiveness = "Q3"
"""


def as_qualtrics(rows: list[Row], folder: Path) -> Written:
    """Three header rows, one of them with a line break in a question, and columns that identify."""
    head = [
        QUALTRICS_COLUMNS,
        [f"What is\n{name}?" if name == "Q2" else name for name in QUALTRICS_COLUMNS],
        [f'{{"ImportId":"{name}"}}' for name in QUALTRICS_COLUMNS],
    ]
    body = [
        [_stamp(row["session_date"]), "0", "203.0.113.7", "1", f"R_{place}", "ann.marker@example.org", "47.115097",
         row["client_id"], row["therapist_id"], row["session_number"], row["attended"], row["satisfaction"],
         row["directiveness"]]
        for place, row in enumerate(rows)
    ]  # fmt: skip
    return Written(csv_text([*head, *body]).encode(), "sessions.csv", QUALTRICS_STUDY, after(5, rows))


def _stamp(day: str) -> str:
    return f"{day} 10:30:00" if day[:2] == "20" else day


def wide_rows() -> list[list[str]]:
    """Six clients with three sessions side by side."""
    header = [
        "client_id",
        "therapist_id",
        "age",
        *(f"{one}{n}" for n in (1, 2, 3) for one in ("sat_", "dir", "came_", "day_")),
    ]
    return [
        header,
        *(
            [
                f"c{client}",
                "t1",
                "40",
                *(cell for n in (1, 2, 3) for cell in (str(client + n), "5", "1", f"2024-02-0{n}")),
            ]
            for client in range(6)
        ),
    ]


WRITERS: dict[str, Callable[[list[Row], Path], Written]] = {
    "utf-16 with bars": as_utf16_bars,
    "excel": as_excel,
    "spss": as_spss,
    "redcap": as_redcap,
    "qualtrics": as_qualtrics,
    "fhir": as_fhir,
    "pmhc": as_pmhc,
    "iapt": as_iapt,
}


def put(door, written: Written, **declared) -> None:
    """Declare the study for an export, and put beside it what the export needs."""
    door.declare(sessions=written.study, **declared)
    for name, text in written.companions:
        (door.root / name).write_text(text, encoding="utf-8")
