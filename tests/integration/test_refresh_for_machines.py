"""`refresh` as a script calls it: one JSON object on stdout, words on stderr, or silence."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def refused(tiny_study):
    (tiny_study.inbox / "sessions-names.csv").write_text("client_id,therapist_id,surname\nc1,t1,Smith\n")
    (tiny_study.inbox / "sessions-empty.csv").write_text("")
    return tiny_study


def test_one_object_says_how_it_ended_and_nothing_else_is_on_stdout(outcomes, refused):
    run = outcomes("refresh", refused.root, "--json")
    said = json.loads(run.stdout)
    assert run.returncode == said["exit_code"] == 1
    assert said["end"] == "published"
    assert said["release_id"] == refused.current.resolve().name
    assert set(said["seconds"]) == {"land", "build", "audit", "fit", "answer", "report", "publish"}
    assert [one["file_name"] for one in said["refused"]] == ["sessions-empty.csv", "sessions-names.csv"]
    assert all(one["message"] and one["hint"] and one["refusal"] for one in said["refused"])
    assert said["n_refused"] == 2
    assert set(said["findings"]) == {"new", "persisting", "resolved"}
    assert "Smith" not in run.stdout + run.stderr
    assert run.stderr.count("2 file(s) of the inbox are refused and left out:") == 1
    again = outcomes("refresh", refused.root, "--json", "--quiet")
    said = json.loads(again.stdout)
    assert (again.returncode, said["end"], set(said["seconds"])) == (0, "nothing new", {"land"})
    assert again.stderr == ""


def test_quiet_leaves_what_asks_for_something(outcomes, refused):
    run = outcomes("refresh", refused.root, "--quiet")
    assert (run.returncode, run.stdout) == (1, "")
    lines = run.stderr.splitlines()
    assert sum("warning:" in line for line in lines) == 2
    assert not any(line.startswith("  land") for line in lines)
    silent = outcomes("refresh", refused.root, "--quiet")
    assert (silent.returncode, silent.stdout, silent.stderr) == (0, "", "")


def test_a_failure_is_one_object_too_with_the_same_exit_code(outcomes, tmp_path):
    run = outcomes("refresh", tmp_path / "nowhere", "--json")
    said = json.loads(run.stdout)
    assert run.returncode == said["exit_code"] == 2
    assert said["end"] == "failed"
    assert "no folder" in said["message"]
    assert said["hint"]
    assert "no folder" in run.stderr
