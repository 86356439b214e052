"""The journal of runs says how each one ended, killed ones too."""

import json

import pytest

from outcomes.errors import ChecksFailed
from outcomes.operate.runs import RUNNING, UNENDED, read_runs, recorded
from outcomes.store.files import append_line, read_lines
from outcomes.study import create_study
from outcomes.study.lock import writer_lock


@pytest.fixture
def study(tmp_path):
    return create_study(tmp_path / "study")


def test_each_run_is_remembered_with_its_end(study):
    with recorded(study, "refresh") as run:
        run.end, run.n_refused = "published", 2
    with pytest.raises(ChecksFailed), recorded(study, "audit"):
        raise ChecksFailed("no")
    with pytest.raises(ZeroDivisionError), recorded(study, "fit"):
        1 / 0  # noqa: B018
    ends = [(run.flow, run.end, run.exit_code, run.n_refused, bool(run.ended)) for run in read_runs(study)]
    assert ends == [
        ("refresh", "published", 1, 2, True),
        ("audit", "failed: ChecksFailed", 3, 0, True),
        ("fit", "failed: ZeroDivisionError", 5, 0, True),
    ]


def test_a_killed_run_did_not_end(study):
    with pytest.raises(KeyboardInterrupt), recorded(study, "refresh"):
        raise KeyboardInterrupt
    (run,) = read_runs(study)
    assert (run.end, run.ended, run.exit_code) == ("did not end", "", None)


def test_half_a_line_of_a_killed_writer_costs_only_itself(study):
    journal = study.root / "runs.jsonl"
    with recorded(study, "refresh"):
        pass
    with journal.open("a") as stream:
        stream.write('{"run": "half')
    with recorded(study, "land"):
        pass
    assert [run.flow for run in read_runs(study)] == ["refresh", "land"]


def test_a_long_journal_loses_its_older_half(study):
    journal = study.root / "runs.jsonl"
    for number in range(4):
        append_line(journal, {"run": str(number), "flow": "old", "started": "x" * 300_000})
    with recorded(study, "refresh"):
        pass
    assert [line["run"] for line in read_lines(journal)][:2] == ["2", "3"]
    assert read_runs(study)[-1].flow == "refresh"


def test_a_run_that_still_writes_is_said_to_run_and_one_that_was_killed_is_not(study):
    with writer_lock(study), recorded(study, "refresh"):
        (run,) = read_runs(study)
        assert (run.end, run.is_running, run.exit_code) == (RUNNING, True, None)
        holder = study.root / ".lock-holder.json"
        said = json.loads(holder.read_text(encoding="utf-8"))
        for other in ({"machine": "elsewhere"}, {"process": 2**22 + 1}):
            holder.write_text(json.dumps(said | other), encoding="utf-8")
            assert [one.end for one in read_runs(study)] == [UNENDED]
        holder.write_text("cut o", encoding="utf-8")
        assert [one.end for one in read_runs(study)] == [UNENDED]
    assert [one.end for one in read_runs(study)] == ["done"]
