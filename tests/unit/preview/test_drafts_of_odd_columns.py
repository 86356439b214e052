"""`outcomes check` and `outcomes init --from` before odd columns: typed dates, no names, titles, few numbers."""

from __future__ import annotations

import io
import json
from datetime import datetime, timedelta

import duckdb
import polars as pl
import pytest
import xlsxwriter

from outcomes.landing import Landed, Refused, land_file, land_inbox
from outcomes.preview import look as looking
from outcomes.study import StudyFolder

HEADER = "client_id;therapist_id;session_number;session_date;directiveness;satisfaction"
PERSON = "Erika Mustermann"
LONG = "How satisfied were you with this session overall, taking into account what you did together in the room?"


def rows(date=lambda n: f"2024-03-{n:02}", rating=lambda n: n, more: str = "") -> str:
    return "".join(
        f"c{client};t{client % 3};{n};{date(n)};{n};{rating(n)}{more}\n" for client in range(20) for n in range(1, 8)
    )


def drafted(desk, path) -> tuple[str, StudyFolder]:
    """Draft a study from a file; return the text of its study file and the study."""
    run = desk.run("init", desk.root / "study", "--from", path)
    assert run.exit_code == 0, run.output
    return (desk.root / "study" / "study.toml").read_text(), StudyFolder.open(desk.root / "study")


def looked(desk, *arguments) -> dict:
    return json.loads(desk.run("check", "--json", *arguments).stdout)["files"][0]


def workbook() -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"default_date_format": "yyyy-mm-dd hh:mm"}) as book:
        sheet = book.add_worksheet()
        for place, row in enumerate([HEADER, *rows().splitlines()]):
            sheet.write_row(place, 0, row.split(";"))
            if place:
                sheet.write_datetime(place, 3, datetime(2024, 3, 1, 14, 30) + timedelta(days=place % 7))
    return out.getvalue()


def parquet() -> bytes:
    out = io.BytesIO()
    frame = pl.read_csv(io.StringIO(f"{HEADER}\n{rows()}"), separator=";", try_parse_dates=True)
    frame.with_columns(pl.col("session_date").cast(pl.Datetime) + pl.duration(hours=14)).write_parquet(out)
    return out.getvalue()


@pytest.mark.parametrize(("name", "content"), [("sessions.xlsx", workbook), ("sessions.parquet", parquet)])
def test_typed_dates_are_drafted_without_a_time_of_day_and_land(desk, name, content):
    path = desk.file(name, content())
    text, study = drafted(desk, path)
    assert "%H" not in text
    landed = land_file(study, path)
    assert (landed.rows_landed, landed.rows_quarantined) == (140, 0)


@pytest.mark.parametrize("ends", [";", ";;;"])
def test_columns_without_a_name_and_without_values_are_ignored_by_check_and_landing(desk, ends):
    path = desk.file("sessions.csv", f"{HEADER}{ends}\n{rows(more=ends)}")
    text, study = drafted(desk, path)
    assert "drop" not in text
    assert isinstance(land_file(study, path), Landed)
    assert looked(desk, path)["refused"] == looked(desk, "--study", study.root, path)["refused"] == ""


def test_a_column_without_a_name_that_holds_values_is_refused_alike(desk):
    path = desk.file("sessions.csv", f"{HEADER};;\n{rows(more=';;x')}")
    text, study = drafted(desk, path)
    assert "column 8" not in text
    refused = land_file(study, path)
    assert "1 column holds values and has no name in the header: 'column 8'" in refused.message
    assert looked(desk, path)["refused"] == looked(desk, "--study", study.root, path)["refused"] == refused.message


@pytest.mark.parametrize(
    "title", [f"Sitzungen von {PERSON};;;;;", f"Sitzungen von {PERSON}", f"Therapeut;{PERSON};;;;", f"{PERSON};T1;3"]
)
@pytest.mark.parametrize("form", ["", 'format = "flat"'])
def test_a_title_above_the_header_is_told_and_not_shown(desk, title, form):
    clean = desk.file("sessions.csv", f"{HEADER}\n{rows()}")
    text, study = drafted(desk, clean)
    study.settings_path.write_text(text.replace("[sources.sessions]\n", f"[sources.sessions]\n{form}\n"))
    study = StudyFolder.open(study.root)
    path = desk.file("sessions_title.csv", f"{title}\n{HEADER}\n{rows()}")
    said = [desk.run("check", *more, path).output for more in ((), ("--json",), ("--study", study.root))]
    refused = land_file(study, path)
    assert isinstance(refused, Refused)
    for one in (*said, refused.message):
        assert "does not look like column names; if it is a title above the header, remove it" in one
        assert not any(name in one for name in PERSON.split())


def test_one_long_name_hides_no_other_and_is_cut_in_messages(desk):
    path = desk.file("sessions.csv", f"{HEADER};{LONG}\n{rows(more=';1')}")
    text, study = drafted(desk, path)
    assert LONG in text
    said = desk.run("check", path).output.partition("Lines for study.toml")[0]
    assert "session_number (same name)" in said
    assert LONG not in said
    study.settings_path.write_text(text.replace(LONG, "none"))
    refused = land_file(StudyFolder.open(study.root), path)
    assert LONG[:60] in refused.message
    assert LONG not in refused.message


def test_a_range_is_drafted_from_the_numbers_that_landing_reads(desk):
    path = desk.file(
        "sessions.csv", f"{HEADER}\n{rows(rating=lambda n: ('keine Angabe', '7,5', '4', '8', '12', '-', '6')[n - 1])}"
    )
    text, study = drafted(desk, path)
    assert "seen 4 to 12" in text
    assert (study.settings.scales["satisfaction"].minimum, study.settings.scales["satisfaction"].maximum) == (0, 20)


def test_decimal_commas_are_read_where_most_numbers_have_one(desk):
    path = desk.file("sessions.csv", f"{HEADER}\n{rows(rating=lambda n: '6.5' if n == 1 else f'{n},5')}")
    text, study = drafted(desk, path)
    assert "seen 2.5 to 7.5" in text
    assert study.settings.sources["sessions"].decimal_mark == ","


def test_no_range_is_guessed_where_no_number_can_be_read(desk):
    path = desk.file("sessions.csv", f"{HEADER}\n{rows(rating=lambda n: 'gut' if n % 2 else 'schlecht')}")
    run = desk.run("init", desk.root / "study", "--from", path)
    assert "fill in the ranges of the scales in which no number could be read (satisfaction)" in run.output
    text = (desk.root / "study" / "study.toml").read_text()
    assert "# [scales.satisfaction]  # no number could be read" in text
    assert "satisfaction" not in StudyFolder.open(desk.root / "study").settings.scales


def test_dates_in_two_formats_are_told_and_the_column_is_kept(desk):
    two = lambda n: f"{n}.3.2024" if n < 3 else f"2024-03-{n:02} 00:00:00"  # noqa: E731
    path = desk.file("sessions.csv", f"{HEADER}\n{rows(date=two)}")
    text, study = drafted(desk, path)
    fault = "its dates are in two formats, %Y-%m-%d %H:%M:%S and %d.%m.%Y: write all in one"
    assert f"same name; {fault}" in text
    assert "drop" not in text
    assert f"session_date: {fault}" in desk.run("check", "--study", study.root, path).output


def test_dates_in_many_formats_do_not_make_a_birthday_of_the_contracts_column(desk):
    forms = ("%d.%m.%Y", "%Y-%m-%d", "%d/%m/%Y", "%Y%m%d", "%d %b %Y", "%d-%m-%Y", "%d.%m.%y")
    path = desk.file("sessions.csv", f"{HEADER}\n{rows(date=lambda n: datetime(2024, 3, 13).strftime(forms[n - 1]))}")
    text, _ = drafted(desk, path)
    assert 'session_date = "session_date"' in text


def test_a_check_of_a_file_that_fails_unforeseen_names_the_place_and_no_value(desk, monkeypatch):
    def fails(*_):
        raise duckdb.ConversionException(f"could not convert {PERSON}")

    monkeypatch.setattr(looking, "find_columns", fails)
    run = desk.run("check", desk.file("sessions.csv", f"{HEADER}\n{rows()}"))
    assert run.exit_code == 1
    assert "failed unexpectedly: ConversionException in preview/look.py" in run.output
    assert PERSON not in run.output


def test_files_of_one_inbox_are_counted_once_whatever_they_feed(desk):
    header = HEADER.replace("satisfaction", "satisfaction;gender;reactance")
    path = desk.file("sessions.csv", f"{header}\n{rows(more=';f;3')}")
    text, study = drafted(desk, path)
    assert text.count("pattern") > 1
    study.settings_path.write_text(text.replace('"therapist_id"', '"missing"').replace('"gender"', '"sex"'))
    (study.inbox / path.name).write_bytes(path.read_bytes())
    report = land_inbox(StudyFolder.open(study.root))
    assert len(report.refused) > 1
    assert report.summary().endswith("1 refused")
