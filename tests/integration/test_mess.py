"""A messy inbox: every planted fault is found for the right reason, and nothing else is."""

from __future__ import annotations

import csv
import json
from collections import Counter

import pytest

from outcomes.landing import land_inbox
from outcomes.release import build, candidate_id
from outcomes.simulate import simulate_study
from outcomes.store.warehouse import connect
from outcomes.study import create_study


@pytest.fixture(scope="module", params=[3, 11], ids=lambda seed: f"seed {seed}")
def landed_mess(request, tmp_path_factory):
    """Study, landing report and truth of what was planted."""
    study = create_study(tmp_path_factory.mktemp("mess") / "study")
    simulate_study(study.root, clients=450, therapists=30, seed=request.param, mess=True)
    report = land_inbox(study)
    return study, report, json.loads((study.root / "truth.json").read_text())["planted"]


def planted_rows(truth) -> Counter:
    return Counter(
        (fault["file"], line, fault["rule"]) for fault in truth["quarantined_rows"] for line in fault["lines"]
    )


def quarantined_rows(study, report) -> Counter:
    found = Counter()
    for landed in report.landed:
        path = study.quarantine / f"{landed.sha256[:12]}.csv"
        if path.exists():
            with path.open(newline="") as stream:
                found.update((row["file"], int(row["line"]), row["rule"]) for row in csv.DictReader(stream))
    return found


def test_at_least_25_kinds_of_faults_are_planted(landed_mess):
    _, _, truth = landed_mess
    assert (
        len({fault["name"] for fault in truth["quarantined_rows"]} | {f["name"] for f in truth["refused_files"]}) >= 25
    )


def test_every_planted_row_is_quarantined_under_its_rule_and_no_other_row_is(landed_mess):
    study, report, truth = landed_mess
    assert quarantined_rows(study, report) == planted_rows(truth)


def test_every_planted_file_is_refused_for_its_reason_and_no_other_file_is(landed_mess):
    _, report, truth = landed_mess
    found = {refused.file_name: refused.refusal.value for refused in report.refused}
    assert found == {fault["file"]: fault["refusal"] for fault in truth["refused_files"]}


def test_odd_but_sound_files_are_landed_to_the_last_row(landed_mess):
    _, report, truth = landed_mess
    found = {landed.file_name: (landed.rows_landed, landed.rows_quarantined) for landed in report.landed}
    for oddity in truth["accepted_oddities"]:
        assert found[oddity["file"]] == (oddity["rows"], 0), oddity["name"]


def test_a_file_that_was_sent_twice_is_skipped_once(landed_mess):
    _, report, truth = landed_mess
    assert [skipped.file_name for skipped in report.skipped] == [truth["repeated_file"]["file"]]


def test_a_correction_is_landed_after_what_it_corrects(landed_mess):
    _, report, truth = landed_mess
    sequence = {landed.file_name: landed.sequence for landed in report.landed}
    correction = truth["superseding_file"]
    assert all(sequence[name] < sequence[correction["file"]] for name in sequence if name.startswith("sessions-to-"))
    (landed,) = [landed for landed in report.landed if landed.file_name == correction["file"]]
    assert (landed.rows_landed, landed.rows_quarantined) == (correction["rows"], 0)


def test_a_build_of_the_mess_supersedes_what_was_corrected_and_nothing_else(landed_mess):
    study, report, truth = landed_mess
    with connect(build(study, candidate_id(study)) / "outcomes.duckdb", read_only=True) as con:
        superseded = con.sql("select sum(n_superseded) from core_batches where kind = 'sessions'").fetchall()[0][0]
        n_sessions = con.sql("select count(*) from core_sessions").fetchall()[0][0]
    assert superseded == truth["superseding_file"]["rows"]
    landed = sum(batch.rows_landed for batch in report.landed if batch.kind == "sessions")
    assert n_sessions == landed - superseded


def test_no_row_is_lost(landed_mess):
    study, report, _ = landed_mess
    for landed in report.landed:
        assert landed.rows_read == landed.rows_landed + landed.rows_quarantined
        if landed.file_name.endswith(".csv"):
            text = (study.inbox / landed.file_name).read_bytes().rstrip(b"\r\n")
            header_lines = 2 if "line_break" in landed.file_name else 1
            assert landed.rows_read == text.count(b"\n") + 1 - header_lines


def test_nothing_of_a_refused_file_is_kept_beyond_the_reason(landed_mess):
    study, report, truth = landed_mess
    invented = ("@example.org", "07700 900", "999000", "078-05-1120", "ZZ99", "homework", "Beispiel", "1950-01-17")
    refused = {fault["file"] for fault in truth["refused_files"] if fault["refusal"].startswith(("identifier", "free"))}
    hashes = [refusal.sha256[:12] for refusal in report.refused if refusal.file_name in refused]
    kept = "".join(path.read_text() for path in study.quarantine.iterdir() if any(part in path.name for part in hashes))
    assert kept
    assert not any(value in kept.replace(sha, "") for value in invented for sha in hashes)
