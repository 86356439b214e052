"""Hostile names stay names: in files, columns, ids, study file; for SQL, pages, mail, terminals, spreadsheets."""

from __future__ import annotations

import csv
import json
import os

import pytest
from click.testing import CliRunner

from outcomes.cli import main
from outcomes.contract import Refusal
from outcomes.errors import StudyError
from outcomes.landing import land_inbox
from outcomes.operate.delivery.reports import one_line
from outcomes.progress import step
from outcomes.release import build, candidate_id
from outcomes.store.warehouse import connect
from outcomes.study import StudyFolder

from .deliveries import HEADER

HOSTILE = (
    "'; drop table core_sessions; --", '"; drop table core_sessions; --', "../../etc/passwd", "$(touch pwned)", "`id`",
    "<script>alert(1)</script>", "{{ 7 * 7 }}", "%s%n", "Robert\\'); --", "🩺💬",
    "a" * 200, "=cmd()", "+1+1", "-2", "@sum",
)  # fmt: skip
INVISIBLE = ("\x1b[31mred", "left\u202eright", "a\u2066b", "nul\x00", "bell\x07", "\x9b2J")


def toml_text(text: str) -> str:
    return json.dumps(text, ensure_ascii=not text.isprintable())


@pytest.mark.parametrize("name", [*HOSTILE, *INVISIBLE])
def test_a_column_of_any_name_is_mapped_or_refused_and_nothing_runs(empty_study, name):
    header = [name if column == "satisfaction" else column for column in HEADER.split(",")]
    with (empty_study.inbox / "sessions.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([header, ["t1", "c1x", "1", "5", "6"]])
    (empty_study.inbox / "sessions.ndjson").write_text(
        json.dumps(dict(zip(header, ("t1", "c1x", 2, 5, 6), strict=True))) + "\n"
    )
    for refused in land_inbox(empty_study).refused:
        assert refused.message.isprintable()
    mapped = f"[sources.sessions.columns]\nsatisfaction = {toml_text(name)}\n"
    text = empty_study.settings_path.read_text().replace("[sources.sessions.columns]", mapped, 1)
    empty_study.settings_path.write_text(text)
    if name in INVISIBLE:
        with pytest.raises(StudyError, match="cannot be seen"):
            StudyFolder.open(empty_study.root)
        return
    study = StudyFolder.open(empty_study.root)
    assert sum(landed.rows_landed for landed in land_inbox(study).landed) == 2


def test_ids_of_any_look_are_data_and_those_that_hide_something_are_quarantined(empty_study):
    text = empty_study.settings_path.read_text()
    empty_study.settings_path.write_text(text.replace("max_bad_share = 0.05", "max_bad_share = 1.0 "))
    ids = ["'; drop table typed; --", "<b>x1</b>", "$(id)1", "=cmd()1", "id|calc1", "x" * 60 + "1", *INVISIBLE]
    with (empty_study.inbox / "sessions.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(HEADER.split(","))
        writer.writerows([["t1", one, "1", "5", "6"] for one in ids])
    study = StudyFolder.open(empty_study.root)
    report = land_inbox(study)
    if not report.landed:  # what looks like free text or an identifier is refused whole
        assert report.refused[0].refusal in (Refusal.FREE_TEXT, Refusal.IDENTIFIER_VALUES)
        return
    assert report.landed[0].rows_quarantined == len(INVISIBLE)
    folder = build(study, candidate_id(study))
    with connect(folder / "outcomes.duckdb", read_only=True) as con:
        kept = {one for (one,) in con.execute("select client_id from core_clients").fetchall()}
    assert kept == set(ids) - set(INVISIBLE)


@pytest.mark.parametrize(
    "raw", [b"sessions\xff.csv", b"sessions\x1b]0;pwned\x07.csv", "sessions\u202evsc.csv".encode()]
)
def test_a_file_of_any_name_is_landed_or_refused_and_its_name_shows_nothing_hidden(empty_study, raw, capfd):
    path = os.path.join(os.fsencode(empty_study.inbox), raw)
    with open(path, "wb") as stream:
        stream.write(f"{HEADER}\nt1,c1x,1,5,6\nt1,c1x,2,5,99\n".encode())
    with open(os.path.join(os.fsencode(empty_study.inbox), b"sessions-good.csv"), "wb") as stream:
        stream.write(f"{HEADER}\nt1,c2x,1,5,6\n".encode())
    report = land_inbox(empty_study)
    assert "sessions-good.csv" in {landed.file_name for landed in report.landed}
    with step("land") as line:
        for refused in report.refused:
            line.warn(f"{refused.file_name} was refused: {refused.message}")
    shown = CliRunner().invoke(main, ["status", str(empty_study.root)]).output + capfd.readouterr().err
    assert all(sign.isprintable() for sign in shown.replace("\n", "")), ascii(shown)


@pytest.mark.parametrize("name", INVISIBLE)
def test_a_study_file_with_signs_that_cannot_be_seen_is_refused(empty_study, name):
    text = empty_study.settings_path.read_text()
    empty_study.settings_path.write_text(
        text.replace(
            'name = "Practice outcomes"',
            f"name = {toml_text(name)}",
        )
    )
    with pytest.raises(StudyError, match="cannot be seen"):
        StudyFolder.open(empty_study.root)


def test_a_name_with_lines_cannot_add_a_header_to_a_mail():
    assert "\n" not in one_line("Study\r\nBcc: someone@example.org")


def test_a_term_that_is_a_program_is_no_model_term(published_study, start_command, tmp_path):
    text = published_study.settings_path.read_text()
    term = f"__import__('pathlib').Path('{tmp_path / 'pwned'}').touch()"
    published_study.settings_path.write_text(text.replace('"log_session"]', f'"log_session", "{term}"]'))
    refresh = start_command("refresh", published_study.root)
    refresh.wait()
    assert not (tmp_path / "pwned").exists()
    assert "Traceback" not in refresh.said


def test_a_title_that_is_a_page_is_text_in_the_report(published_study, start_command):
    text = published_study.settings_path.read_text()
    hostile = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    text = text.replace('name = "Practice outcomes"', f"name = {json.dumps(hostile)}")
    text = text.replace("[report]", f"[report]\ntitle = {json.dumps(hostile)}")
    published_study.settings_path.write_text(text)
    refresh = start_command("refresh", published_study.root)
    assert refresh.wait() == 0, refresh.said
    for page in ("report.html", "checks.html"):
        content = (published_study.current / page).read_text()
        assert "<script>alert" not in content
        assert "<img src=x" not in content


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_no_csv_that_we_write_has_a_cell_that_a_spreadsheet_runs(published_study, start):
    cell = f"{start}cmd|' /C calc'!A0"
    sql = f"select '{cell.replace(chr(39), chr(39) * 2)}' as \"{cell}\", map {{'a': 1}} as other, -5 as number"
    answer = CliRunner().invoke(main, ["query", str(published_study.root), sql, "--format", "csv"])
    assert answer.exit_code == 0, answer.output
    for row in csv.reader(answer.output.splitlines(keepends=True)):
        assert not any(one.startswith(("=", "+", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")) for one in row), row
    (study := published_study).settings_path.write_text(
        study.settings_path.read_text().replace("max_bad_share = 0.05", "max_bad_share = 1.0 ")
    )
    with (study.inbox / "sessions-formula.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([HEADER.split(","), ["t1", "c1x", "1", cell, "6"]])
    landed = next(one for one in land_inbox(StudyFolder.open(study.root)).landed if "formula" in one.file_name)
    with (study.quarantine / f"{landed.sha256[:12]}.csv").open(newline="") as stream:
        kept = list(csv.DictReader(stream))
    assert all(not one.startswith(tuple("=+-@\t\r\n＝＋－＠")) for row in kept for one in row.values())
    assert json.loads(kept[0]["row"])["directiveness"].startswith("'")
