"""The raw files of the recipes: one simulated cohort, written as each source would export it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import polars as pl
import pyreadstat
import xlsxwriter

from outcomes.simulate import Cohort

Cells = list[list[str]]


def of_one_course(cohort: Cohort) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Return sessions, episodes and clients with each client's first course of therapy only, every cell as text."""
    episodes = cohort.episodes.unique("client_id", keep="first", maintain_order=True)
    sessions = cohort.sessions.join(episodes.select("episode_id"), on="episode_id", maintain_order="left")
    return tuple(
        frame.with_columns(pl.all().cast(pl.String).fill_null("")) for frame in (sessions, episodes, cohort.clients)
    )


def _write_csv(path: Path, rows: Cells, encoding: str = "utf-8") -> None:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    path.write_text(out.getvalue(), encoding=encoding)


def redcap(cohort: Cohort, root: Path) -> None:
    """A project of three forms: intake and ending once a record, the visit repeating."""
    sessions, episodes, clients = of_one_course(cohort)
    header = [
        "record_id", "redcap_repeat_instrument", "redcap_repeat_instance", "therapist", "practice", "pref_dir",
        "gender", "full_name", "intake_complete", "start_date", "end_date", "how_ended", "data_cut",
        "ending_complete", "visit_date", "came", "sat", "dir", "wai", "visit_complete",
    ]  # fmt: skip
    genders = {"woman": "1", "man": "2", "non-binary": "3", "other": "4", "not stated": "5", "": ""}
    endings = {"agreed": "1", "client_ended": "2", "judged_premature": "3", "open": "", "": ""}
    by_client = {row["client_id"]: row for row in clients.iter_rows(named=True)}
    rows: Cells = [header]
    for episode in episodes.iter_rows(named=True):
        client, own = by_client[episode["client_id"]], sessions.filter(client_id=episode["client_id"])
        if not own.height:
            continue
        first = own.row(0, named=True)
        rows.append(
            [client["client_id"], "", "", first["therapist_id"], first["practice_id"],
             client["directiveness_preferred"], genders[client["gender"]], "Ann Marker", "2", episode["start"],
             episode["end"], endings.get(episode["ending"], "9"), episode["data_cut"], "2", "", "", "", "", "", ""]
        )  # fmt: skip
        rows += [
            [client["client_id"], "visit", row["session_number"], *[""] * 11, row["session_date"],
             "1" if row["attended"] == "yes" else "0", row["satisfaction"], row["directiveness"], row["alliance"], "2"]
            for row in own.iter_rows(named=True)
        ]  # fmt: skip
    _write_csv(root / "inbox" / "PracticeOutcomes_DATA_2025-01-07.csv", rows)
    _write_csv(root / "dictionary.csv", REDCAP_DICTIONARY)


REDCAP_DICTIONARY: Cells = [
    ["Variable / Field Name", "Form Name", "Section Header", "Field Type", "Field Label",
     "Choices, Calculations, OR Slider Labels", "Field Note", "Text Validation Type OR Show Slider Number",
     "Text Validation Min", "Text Validation Max", "Identifier?"],
    ["record_id", "intake", "", "text", "Record", "", "", "", "", "", ""],
    ["therapist", "intake", "", "text", "Therapist (pseudonym)", "", "", "", "", "", ""],
    ["practice", "intake", "", "text", "Practice (pseudonym)", "", "", "", "", "", ""],
    ["pref_dir", "intake", "", "text", "Preferred directiveness", "", "", "number", "0", "10", ""],
    ["gender", "intake", "", "radio", "Gender", "1, woman | 2, man | 3, non-binary | 4, other | 5, not stated",
     *[""] * 5],
    ["full_name", "intake", "", "text", "Name", "", "", "", "", "", "y"],
    ["start_date", "ending", "", "text", "First contact", "", "", "date_ymd", "", "", ""],
    ["end_date", "ending", "", "text", "Ending", "", "", "date_ymd", "", "", ""],
    ["how_ended", "ending", "", "radio", "How", "1, agreed | 2, client ended | 3, too early | 9, not known", *[""] * 5],
    ["data_cut", "ending", "", "text", "Observed until", "", "", "date_ymd", "", "", ""],
    ["visit_date", "visit", "", "text", "Day", "", "", "date_ymd", "", "", ""],
    ["came", "visit", "", "yesno", "Came", *[""] * 6],
    ["sat", "visit", "", "text", "Satisfaction", "", "", "number", "0", "10", ""],
    ["dir", "visit", "", "text", "Directiveness", "", "", "number", "0", "10", ""],
    ["wai", "visit", "", "text", "Alliance", "", "", "number", "0", "10", ""],
]  # fmt: skip


def qualtrics(cohort: Cohort, root: Path) -> None:
    """A survey after every attended session, with the pseudonyms as embedded data, and two previews."""
    sessions, _, _ = of_one_course(cohort)
    names = [
        "StartDate", "EndDate", "Status", "IPAddress", "Progress", "Finished", "ResponseId", "RecipientEmail",
        "LocationLatitude", "LocationLongitude", "client", "therapist", "session", "Q1", "Q2", "Q3",
    ]  # fmt: skip
    questions = [
        *names[:13],
        "How satisfied are you\nwith this session?",
        "How directive was your therapist?",
        "Anything else?",
    ]
    rows: Cells = [names, questions, [f'{{"ImportId":"{name}"}}' for name in names]]
    attended = sessions.filter(pl.col("attended") == "yes")
    for place, row in enumerate(attended.iter_rows(named=True)):
        stamp = f"{row['session_date']} 16:05:00"
        rows.append(
            [stamp, stamp, "1" if place < 2 else "0", "203.0.113.7", "100", "1", f"R_{place:05}", "", "47.1", "7.2",
             row["client_id"], row["therapist_id"], row["session_number"], row["satisfaction"], row["directiveness"],
             "Thank you!"]
        )  # fmt: skip
    _write_csv(root / "inbox" / "Session feedback_January.csv", rows, "utf-8-sig")


def excel(cohort: Cohort, root: Path) -> None:
    """One workbook with a sheet each for sessions, courses of therapy and clients."""
    sessions, episodes, clients = of_one_course(cohort)
    sheets = {
        "Sessions": sessions.select(
            Client="client_id", Therapist="therapist_id", Nr="session_number", Date="session_date", Came="attended",
            Satisfaction="satisfaction", Guidance="directiveness",
        ),
        "Courses": episodes.select(Client="client_id", From="start", Until="end", Ending="ending", Seen="data_cut"),
        "Clients": clients.select(Client="client_id", Prefers="directiveness_preferred", Gender="gender"),
    }  # fmt: skip
    with xlsxwriter.Workbook(root / "inbox" / "practice.xlsx") as book:
        day = book.add_format({"num_format": "dd.mm.yyyy"})
        for name, frame in sheets.items():
            sheet = book.add_worksheet(name)
            for place, row in enumerate([tuple(frame.columns), *frame.rows()]):
                for column, text in enumerate(row):
                    _write_cell(sheet, place, column, text, day)


def _write_cell(sheet, row: int, column: int, text: str, day) -> None:
    for write, read in ((sheet.write_datetime, datetime.fromisoformat), (sheet.write_number, float)):
        try:
            write(row, column, read(text), *([day] if read is datetime.fromisoformat else []))
        except ValueError:
            continue
        return
    sheet.write_string(row, column, text)


def spss(cohort: Cohort, root: Path) -> None:
    """Two SPSS files with value labels and a user-missing code."""
    sessions, _, _ = of_one_course(cohort)
    ratings = [pl.col(name).replace("", "99").cast(pl.Float64).alias(to) for name, to in
               (("satisfaction", "SATIS"), ("directiveness", "DIRECT"))]  # fmt: skip
    frame = sessions.select(
        pl.col("client_id").alias("CODE"), pl.col("therapist_id").alias("THER"),
        pl.col("session_number").cast(pl.Float64).alias("SESSION"), pl.col("session_date").str.to_date().alias("DAY"),
        (pl.col("attended") == "yes").cast(pl.Float64).alias("CAME"), *ratings, pl.lit("ok").alias("REMARKS"),
    )  # fmt: skip
    pyreadstat.write_sav(
        frame, str(root / "inbox" / "sessions.sav"), variable_value_labels={"CAME": {1: "yes", 0: "no"}},
        missing_ranges={"SATIS": [99], "DIRECT": [99]},
    )  # fmt: skip
    genders = {"woman": 1.0, "man": 2.0, "non-binary": 3.0, "other": 4.0, "not stated": 5.0}
    clients = cohort.clients.select(
        pl.col("client_id").alias("CODE"), pl.col("directiveness_preferred").alias("PREFERS"),
        pl.col("gender").replace_strict(genders, default=None).alias("SEX"),
    )  # fmt: skip
    labels = {"SEX": {code: label for label, code in genders.items()}}
    pyreadstat.write_sav(clients, str(root / "inbox" / "clients.sav"), variable_value_labels=labels)


def wide(cohort: Cohort, root: Path) -> None:
    """One row a client: what is known of the client, then the ratings of up to twelve sessions side by side."""
    sessions, _, clients = of_one_course(cohort)
    numbers = [str(number) for number in range(1, 13)]
    header = [
        "id",
        "therapist",
        "gender",
        "preferred",
        *(f"{what}_{n}" for n in numbers for what in ("satisfaction", "guidance")),
    ]
    rows: Cells = [header]
    for client in clients.iter_rows(named=True):
        own = sessions.filter((pl.col("client_id") == client["client_id"]) & (pl.col("attended") == "yes"))
        if not own.height:
            continue
        by_number = {row["session_number"]: row for row in own.iter_rows(named=True)}
        cells = (by_number.get(n, {}).get(name, "") for n in numbers for name in ("satisfaction", "directiveness"))
        rows.append(
            [client["client_id"], own["therapist_id"][0], client["gender"], client["directiveness_preferred"], *cells]
        )
    _write_csv(root / "inbox" / "ratings_wide.csv", rows, "utf-16")


def fhir(cohort: Cohort, root: Path) -> None:
    """An Encounter with its therapist and a response a session; the Questionnaire gives the points of one item."""
    sessions, _, _ = of_one_course(cohort)
    address = "https://clinic.example/Questionnaire/session-rating"
    weight = "http://hl7.org/fhir/StructureDefinition/ordinalValue"
    values = sorted({one for one in sessions["satisfaction"] if one}, key=float)
    options = [
        {"valueCoding": {"code": f"sat-{n}", "extension": [{"url": weight, "valueDecimal": float(value)}]}}
        for n, value in enumerate(values)
    ]
    form = {
        "resourceType": "Questionnaire", "id": "session-rating", "url": address, "status": "active",
        "item": [{"linkId": "sat", "type": "choice", "answerOption": options}, {"linkId": "dir", "type": "decimal"}],
    }  # fmt: skip
    entries = []
    for n, row in enumerate(sessions.filter(pl.col("attended") == "yes").iter_rows(named=True)):
        subject = {"reference": f"Patient/{row['client_id']}", "display": "Ann Marker"}
        person = {"individual": {"reference": f"Practitioner/{row['therapist_id']}"}}
        item = []
        if row["satisfaction"]:
            code = f"sat-{values.index(row['satisfaction'])}"
            item.append({"linkId": "sat", "text": "?", "answer": [{"valueCoding": {"code": code}}]})
        if row["directiveness"]:
            item.append({"linkId": "dir", "answer": [{"valueDecimal": float(row["directiveness"])}]})
        entries += [
            {"resourceType": "Encounter", "id": f"e{n}", "subject": subject, "participant": [person]},
            {
                "resourceType": "QuestionnaireResponse", "id": f"r{n}", "questionnaire": address, "status": "completed",
                "subject": subject, "encounter": {"reference": f"Encounter/e{n}"},
                "authored": f"{row['session_date']}T17:00:00+01:00", "item": item,
            },
        ]  # fmt: skip
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in entries]}
    (root / "inbox" / "fhir_january.json").write_text(json.dumps(bundle), encoding="utf-8")
    (root / "session-rating.json").write_text(json.dumps(form), encoding="utf-8")


def flat(cohort: Cohort, root: Path) -> None:
    """One table of sessions, on which the client and the course of therapy stand again."""
    sessions, episodes, clients = of_one_course(cohort)
    every = sessions.join(episodes.drop("client_id"), on="episode_id").join(clients, on="client_id", how="left")
    rows = every.select(
        client="client_id", therapist="therapist_id", nr="session_number", day="session_date", came="attended",
        guidance="directiveness", satisfied="satisfaction", prefers="directiveness_preferred", gender="gender",
        first_contact="start", ended="end", ending="ending", seen_until="data_cut",
    )  # fmt: skip
    _write_csv(root / "inbox" / "everything.csv", [rows.columns, *(list(row) for row in rows.fill_null("").rows())])


WRITERS: dict[str, Callable[[Cohort, Path], None]] = {
    "redcap": redcap,
    "qualtrics": qualtrics,
    "excel": excel,
    "spss": spss,
    "wide": wide,
    "flat": flat,
    "fhir": fhir,
}


def blocks(page: str, language: str) -> Iterator[str]:
    """Yield the blocks of one language of a page."""
    for part in page.split(f"```{language}\n")[1:]:
        yield part.partition("```")[0]
