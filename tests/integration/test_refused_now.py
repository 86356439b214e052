"""Exit code 1 is for what is refused now; what was told before and still lies in the inbox is for `outcomes status`."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from outcomes.cli import main
from outcomes.contract import Refusal
from outcomes.landing import Refused
from outcomes.operate.refusals import MOST_TOLD, refusal_lines
from outcomes.study import create_study

GOOD = "client_id,therapist_id,session_number,directiveness,satisfaction\nc1,t1,1,3,4\nc1,t1,2,3,4\n"
BAD = "client_id,therapist_id,strange\nc1,t1,1\n"


@pytest.fixture
def study(tmp_path):
    made = create_study(tmp_path / "study")
    (made.inbox / "sessions-1.csv").write_text(GOOD)
    (made.inbox / "sessions-bad.csv").write_text(BAD)
    return made


def land(study) -> tuple[int, str]:
    run = CliRunner().invoke(main, ["land", str(study.root)])
    return run.exit_code, " ".join(run.output.split())


def test_a_refused_file_is_told_once_and_status_keeps_it(study):
    code, said = land(study)
    assert (code, "sessions-bad.csv was refused" in said) == (1, True)
    code, said = land(study)
    assert (code, "sessions-bad.csv was refused" in said) == (0, False)
    status = json.loads(CliRunner().invoke(main, ["status", str(study.root), "--json"]).stdout)
    assert "sessions-bad.csv" in json.dumps(status["refused"])


def test_a_further_file_or_another_study_file_is_refused_now(study):
    land(study)
    (study.inbox / "sessions-worse.csv").write_text(BAD.replace("strange", "stranger"))
    code, said = land(study)
    assert code == 1
    assert "sessions-worse.csv was refused" in said
    assert "sessions-bad.csv was refused" not in said
    study.settings_path.write_text(study.settings_path.read_text().replace('date_format = "%Y-%m-%d"', 'yes = ["x"]'))
    assert land(study)[0] == 1


def test_a_run_that_was_killed_has_told_nobody(study):
    land(study)
    journal = study.root / "runs.jsonl"
    journal.write_text("".join(line for line in journal.read_text().splitlines(True) if '"ended"' not in line))
    code, said = land(study)
    assert (code, "sessions-bad.csv was refused" in said) == (1, True)


def test_many_refusals_are_summed_up_by_kind():
    def refused(number: int, kind: Refusal) -> Refused:
        return Refused(f"f{number}.csv", None, "", kind, f"message {number}", "hint")

    few = [refused(number, Refusal.EMPTY) for number in range(MOST_TOLD)]
    assert len(refusal_lines(few)) == MOST_TOLD
    many = [refused(number, Refusal.EMPTY) for number in range(40)] + [refused(40, Refusal.ENCODING)]
    lines = refusal_lines(many)
    assert len(lines) == 3
    assert "40 file(s) were refused (empty)" in lines[0]
    assert "f0.csv: message 0" in lines[0]
    assert "1 file(s) were refused (encoding)" in lines[1]
    assert "quarantine/" in lines[2]


def test_a_refresh_whose_files_are_all_refused_says_so_with_the_exit_code_of_refused_files(study):
    (study.inbox / "sessions-1.csv").unlink()
    for _ in range(2):  # also where it was told before
        run = CliRunner().invoke(main, ["refresh", str(study.root)])
        assert run.exit_code == 1
        assert "No sessions are landed: 1 file(s) of the inbox are refused" in run.output
        assert "put a sessions file" not in run.output
    (study.inbox / "sessions-bad.csv").unlink()
    run = CliRunner().invoke(main, ["refresh", str(study.root)])
    assert (run.exit_code, "put a sessions file" in run.output) == (2, True)
