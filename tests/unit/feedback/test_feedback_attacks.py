"""Hostile readers: a therapist with own pages, brief and report looks for another therapist, or for one client."""

from __future__ import annotations

import csv
import json
import os
import re
import stat
from datetime import date

import duckdb
import polars as pl
import pyrage
import pytest
from click.testing import CliRunner
from feedback_worlds import (
    FIRST,
    ME,
    OTHER,
    RELEASE,
    SECOND,
    THERAPISTS,
    TODAY,
    caseload,
    client_sessions,
    written,
)
from page_text import visible_text

from outcomes.cli import main
from outcomes.errors import StorageError, StudyError, UsageError
from outcomes.feedback import write_feedback

CLIENT = pl.col("client_id")


def without(rows, client):
    return rows.filter(client != CLIENT)


# ---- another therapist


def test_a_page_does_not_change_by_a_letter_whatever_another_therapist_in_the_practice_does(world, rows, tmp_path):
    """Both share a practice. All of the other's clients rate, wish and come otherwise: nothing of it is on my page."""
    rows = rows.with_columns(practice_id=pl.lit("one practice"))
    mine = written(world.publish(rows))[ME]
    others = pl.concat(
        client_sessions(OTHER, f"new-{k}", FIRST, 77 + k, n=9, satisfied=1.0, wish=9.0, off=-4, asked=0.9)
        for k in range(40)
    ).with_columns(practice_id=pl.lit("one practice"))
    changed = pl.concat([rows.filter(pl.col("therapist_id") != OTHER), others])
    ledger = world.study.root / "feedback.jsonl"
    (first,) = (json.loads(line) for line in ledger.read_text(encoding="utf-8").splitlines())
    ledger.write_text(json.dumps(first | {"figures": {}}) + "\n", encoding="utf-8")  # but for the spread, nothing told
    for name in ("trail.jsonl", "trail.head"):
        (world.study.root / name).unlink()
    now = written(world.publish(changed))
    assert now[ME] == mine
    assert "fewer than 10 of sessions" not in now[OTHER]


def test_no_therapist_is_on_another_s_page_and_no_id_on_any(world, rows):
    found = written(world)
    assert set(found) == {ME, OTHER}
    ids = {*rows["therapist_id"], *rows["client_id"], *rows["practice_id"], *rows["session_id"]}
    for page in found.values():
        assert [one for one in ids if one in page] == []


def test_no_id_is_in_a_name_of_a_file_in_a_pdf_in_the_ledger_or_in_the_trail(world, rows):
    write_feedback(world.study, TODAY)
    ids = {*rows["therapist_id"], *rows["client_id"], "kowalski"}
    files = [path for path in world.study.root.rglob("*") if path.is_file() and path.suffix != ".duckdb"]
    assert sum(path.suffix == ".pdf" for path in files) == 2
    for path in files:
        assert not any(one in path.name for one in ids)
        if path.name not in ("index.csv", "study.toml"):
            content = path.read_bytes()
            assert not any(one.encode() in content for one in ids), path.name


@pytest.mark.parametrize("n", [2, 9])
def test_a_study_of_few_therapists_has_no_pages(world, rows, n):
    """With the report's totals, one of two would know the other."""
    few = rows.filter(pl.col("therapist_id").is_in(THERAPISTS[:n]))
    with pytest.raises(UsageError, match="fewer than 10 therapists"):
        write_feedback(world.publish(few).study, TODAY)
    assert not (world.study.root / "feedback").exists()
    assert not (world.study.root / "feedback.jsonl").exists()


def test_who_has_nearly_all_clients_of_the_study_has_no_page(world, rows):
    """The report's totals less the own clients, which they know, would be a few clients of others."""
    others = pl.concat(
        client_sessions(one, f"only-{one}", SECOND, k) for k, one in enumerate(THERAPISTS[2:11])
    )  # nine clients
    mine = rows.filter(pl.col("therapist_id") == ME)
    assert written(world.publish(pl.concat([mine, others]))) == {}


# ---- one client


def test_the_page_does_not_move_when_one_client_joins_a_period_that_was_told(world, rows):
    before = written(world)[ME]
    joined = client_sessions(ME, "joiner", SECOND, 5, n=6, satisfied=0.2, wish=0.0, off=9, asked=1.0)
    assert written(world.publish(pl.concat([rows, joined])))[ME] == before


def test_the_page_does_not_move_when_one_client_withdraws(world, rows):
    before = written(world)[ME]
    gone = rows.filter(pl.col("therapist_id") == ME)["client_id"][-1]
    assert written(world.publish(without(rows, gone)))[ME] == before


def test_a_new_period_adds_what_it_tells_and_leaves_the_earlier_ones_as_they_were(world, rows):
    """One client joined each earlier period too; the page of the next half-year repeats what was told of them."""
    (then,) = _told(world, ME, rows)
    later = caseload(ME, 14, date(2025, 1, 3), 9)
    filler = caseload(OTHER, 11, date(2025, 1, 3), 20)
    joiners = [client_sessions(ME, f"joiner-{k}", first, 3, satisfied=0.0) for k, first in enumerate((FIRST, SECOND))]
    _, now = _told(world, ME, pl.concat([rows, later, filler, *joiners]), date(2025, 9, 1))
    assert now[: len(then)] == then
    assert {one["start"] for one in now[len(then) :]} == {"2025-01-01"}


def _told(world, therapist, rows, today=TODAY):
    """All lines of the ledger of one therapist, oldest first, each with all before it."""
    write_feedback(world.publish(rows).study, today)
    folder = world.study.root / "feedback" / RELEASE
    with (folder / "index.csv").open(encoding="utf-8") as stream:
        code = next(one["code"] for one in csv.DictReader(stream) if one["therapist_id"] == therapist)
    lines = [json.loads(line) for line in (world.study.root / "feedback.jsonl").read_text().splitlines()]
    told, found = [], []
    for line in lines:
        told = [*told, *line["figures"].get(code, [])]
        found.append(told)
    return found


@pytest.mark.parametrize(("n", "has_page"), [(9, False), (10, True)])
def test_a_therapist_with_nine_clients_has_no_page_and_one_with_ten_has(world, rows, n, has_page):
    few = pl.concat([rows.filter(pl.col("therapist_id") != ME), caseload(ME, n, SECOND, 3)])
    assert (ME in written(world.publish(few))) is has_page


def test_a_period_of_nine_clients_is_not_on_the_page_of_a_therapist_with_many(world, rows):
    mine = pl.concat([caseload(ME, 9, FIRST, 4).filter(pl.col("session_date") < date(2024, 7, 1)),
                      caseload(ME, 14, SECOND, 5)])  # fmt: skip
    page = written(world.publish(pl.concat([rows.filter(pl.col("therapist_id") != ME), mine])))[ME]
    assert "January to June" not in visible_text(page)
    assert "told for the first time" in visible_text(page)


def test_every_count_is_a_rounded_one(world):
    for page in written(world).values():
        said = re.findall(r"some ([\d,]+) clients", visible_text(page))
        assert len(said) >= 3
        assert set(said) <= {"10", "15"}


def test_the_running_period_is_not_told(world, rows):
    running = pl.concat([rows, caseload(ME, 30, date(2025, 1, 2), 8)])
    page = visible_text(written(world.publish(running))[ME])
    assert "2025" not in page


def test_another_length_of_periods_would_be_a_way_to_take_one_from_the_other(world):
    write_feedback(world.study, TODAY)
    with pytest.raises(UsageError, match="taken from another"):
        write_feedback(world.declared(period='"year"').study, TODAY)


# ---- files


def test_everything_is_for_its_owner_only(world):
    old = os.umask(0)
    try:
        folder = write_feedback(world.study, TODAY).folder
    finally:
        os.umask(old)
    root = world.study.root
    assert {stat.S_IMODE(path.stat().st_mode) for path in (folder, folder.parent)} == {0o700}
    private = [*folder.iterdir(), root / "feedback.key", root / "feedback.jsonl"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in private} == {0o600}


def test_pages_are_not_written_through_a_link(world, tmp_path):
    (tmp_path / "open to all").mkdir()
    os.symlink(tmp_path / "open to all", world.study.root / "feedback")
    with pytest.raises(UsageError, match="is a link"):
        write_feedback(world.study, TODAY)
    assert list((tmp_path / "open to all").iterdir()) == []


def test_a_folder_that_was_opened_is_closed_again_and_old_pages_go(world, rows):
    folder = write_feedback(world.study, TODAY).folder
    folder.parent.chmod(0o755)
    (folder / "left.html").write_text("old", encoding="utf-8")
    write_feedback(world.study, TODAY)
    assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o700
    assert not (folder / "left.html").exists()


def test_who_has_a_key_gets_a_page_that_only_that_key_opens(world):
    mine, theirs = pyrage.x25519.Identity.generate(), pyrage.x25519.Identity.generate()
    keyed = world.declared(encrypt_to=f'{{ {ME} = "{mine.to_public()}", {OTHER} = "{theirs.to_public()}" }}')
    found = write_feedback(keyed.study, TODAY)
    assert found.n_encrypted == 2
    with (found.folder / "index.csv").open(encoding="utf-8") as stream:
        files = {one["therapist_id"]: one["files"].split() for one in csv.DictReader(stream)}
    assert all(name.endswith(".age") for name in files[ME])
    content = (found.folder / files[ME][0]).read_bytes()
    assert b"Your own clients" in pyrage.decrypt(content, [mine])
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(content, [theirs])
    assert {name for one in files.values() for name in one} | {"index.csv"} == {p.name for p in found.folder.iterdir()}


def test_a_key_for_nobody_stops_it_because_that_page_would_be_plain(world):
    key = pyrage.x25519.Identity.generate().to_public()
    with pytest.raises(UsageError, match="belong to no therapist") as refused:
        write_feedback(world.declared(encrypt_to=f'{{ t99-slip = "{key}" }}').study, TODAY)
    assert "t99" not in str(refused.value)


def test_a_page_of_which_the_ledger_was_cut_or_altered_is_refused(world):
    write_feedback(world.study, TODAY)
    ledger = world.study.root / "feedback.jsonl"
    told = ledger.read_text(encoding="utf-8")
    for altered in ("", told.replace('"clients": 15', '"clients": 10', 1)):
        ledger.write_text(altered, encoding="utf-8")
        with pytest.raises(StorageError, match="missing or were altered"):
            write_feedback(world.study, TODAY)


def test_without_the_key_of_the_names_nothing_is_written(world):
    write_feedback(world.study, TODAY)
    (world.study.root / "feedback.key").unlink()
    with pytest.raises(StorageError, match=r"feedback\.key is missing"):
        write_feedback(world.study, TODAY)


def test_a_run_that_was_killed_before_its_pages_writes_the_same_ones(world, monkeypatch):
    expected = written(world)
    for name in ("feedback.jsonl", "trail.jsonl", "trail.head"):
        (world.study.root / name).unlink()
    monkeypatch.setattr("outcomes.feedback.write.private_folder", _killed)
    with pytest.raises(KeyboardInterrupt):
        write_feedback(world.study, TODAY)
    monkeypatch.undo()
    assert written(world) == expected


def _killed(*_):
    raise KeyboardInterrupt


# ---- off unless switched on


def test_it_is_off_unless_switched_on(world):
    path = world.study.settings_path
    path.write_text(path.read_text(encoding="utf-8").split("\n[feedback]")[0], encoding="utf-8")
    done = CliRunner().invoke(main, ["feedback", str(world.study.root)])
    assert done.exit_code == 2
    assert "does not switch" in done.output
    assert not (world.study.root / "feedback").exists()


@pytest.mark.parametrize("consent", ["", '""', '"yes"', '"          "'])
def test_a_study_file_that_switches_it_on_must_say_who_agreed(world, consent):
    with pytest.raises(StudyError, match="say who agreed"):
        world.declared(consent=consent)


def test_consent_alone_switches_nothing_on(world):
    with pytest.raises(UsageError, match="does not switch"):
        write_feedback(world.declared(enabled="false").study, TODAY)


def test_outcomes_that_are_withheld_stay_withheld(world):
    with duckdb.connect(str(world.study.releases / RELEASE / "outcomes.duckdb")) as con:
        con.execute("create table seal as select 'withheld' as status")
    with pytest.raises(UsageError, match="withheld until the specification is sealed"):
        write_feedback(world.study, TODAY)


def test_sessions_without_dates_have_no_past_to_compare_with(world, rows):
    undated = rows.with_columns(session_date=pl.lit(None, dtype=pl.Date))
    with pytest.raises(UsageError, match="no dates"):
        write_feedback(world.publish(undated).study, TODAY)


def test_the_command_says_how_many_and_where_and_names_nobody(world):
    done = CliRunner().invoke(main, ["feedback", str(world.study.root)])
    assert done.exit_code == 0, done.output
    assert "Wrote pages for 2 therapist(s)" in done.output
    assert "kowalski" not in done.output
