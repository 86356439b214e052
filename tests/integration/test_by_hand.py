"""Work by hand: nothing is loaded that is not used, a server is used where one is set, Ctrl-C ends it in words."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from processes import HANGS_SECONDS, CommandLine, Forked, free_port, private_environment
from wholeness import check_nothing_is_lost

from outcomes.operate.runs import UNENDED, read_runs
from outcomes.stopping import EXIT_CODE, SENTENCE
from outcomes.study import StudyFolder

HEAVY = ("prefect", "great_expectations", "pandas", "scipy", "statsmodels", "altair", "typst")
LOADED = """
import json, sys
from outcomes.cli import main
loaded = {}
for command in json.loads(sys.argv[1]):
    try:
        main(command)
    except SystemExit as ended:
        loaded[command[0]] = [ended.code or 0, *(name for name in sys.argv[2:] if name in sys.modules)]
print(json.dumps(loaded))
"""
HAS_SERVER = "from outcomes.flows.by_hand import has_server; print(has_server())"
# The interrupt comes where Prefect makes an error of its own of it: in a task that is begun and not yet written down.
BETWEEN_TASKS = """
import signal, sys
from prefect import task_engine
task_engine._create_task_run_locally = lambda **_: signal.raise_signal(signal.SIGINT)
from outcomes.cli import main
main(sys.argv[1:])
"""


def python(code: str, environment: dict[str, str], *arguments: str, folder: Path | None = None) -> str:
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, timeout=HANGS_SECONDS
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_neither_a_look_at_a_study_nor_a_refresh_with_nothing_to_do_loads_what_is_slow(small_published_study, tmp_path):
    root = str(small_published_study.root)
    commands = [["--help"], ["status", root], ["query", root, "select 1"], ["verify", root], ["refresh", root]]
    told = python(LOADED, private_environment(tmp_path / "home"), json.dumps(commands), *HEAVY)
    assert "Nothing to do" in told
    assert json.loads(told.splitlines()[-1]) == {command[0]: [0] for command in commands}


@pytest.mark.parametrize(
    ("settings", "file", "text", "expected"),
    [
        ({}, "", "", False),
        ({"PREFECT_API_URL": "http://127.0.0.1:1/api"}, "", "", True),
        ({"PREFECT_API_URL": ""}, "prefect.toml", '[api]\nurl = "http://127.0.0.1:1/api"\n', False),
        ({}, "prefect.toml", '[api]\nurl = "http://127.0.0.1:1/api"\n', True),
        ({}, "pyproject.toml", '[project]\nname = "x"\nurls = {}\ndependencies = ["prefect"]\n', False),
        ({}, "profiles.toml", 'active = "a"\n[profiles.a]\nPREFECT_API_URL = "http://127.0.0.1:1/api"\n', True),
        ({}, "profiles.toml", 'active = "b"\n[profiles.a]\nPREFECT_API_URL = "http://x/api"\n[profiles.b]\n', False),
    ],
    ids=["nothing", "environment", "emptied", "prefect.toml", "another project", "active profile", "other profile"],
)
def test_a_server_is_used_where_one_is_set(settings, file, text, expected, tmp_path):
    environment = private_environment(tmp_path / "home", **settings)
    if file:
        (tmp_path / file).write_text(text)
        if file == "profiles.toml":
            environment["PREFECT_PROFILES_PATH"] = str(tmp_path / file)
    assert python(HAS_SERVER, environment, folder=tmp_path).strip() == str(expected)


def interrupted(run: Forked, study: StudyFolder) -> None:
    """Press Ctrl-C when a run has landed the files and is in a later step."""
    deadline = time.monotonic() + HANGS_SECONDS
    while "  land " not in run.said and run.process.is_alive() and time.monotonic() < deadline:
        time.sleep(0.05)
    run.interrupt()
    assert run.wait(HANGS_SECONDS) == EXIT_CODE, run.said
    assert run.said.count(f"outcomes: {SENTENCE}\n") == 1
    assert not [word for word in ("Traceback", "Warning") if word in run.said], run.said
    assert [past.end for past in read_runs(study)] == [UNENDED]


def test_ctrl_c_ends_a_refresh_with_one_line_and_the_next_one_goes_on(tiny_study, start_command):
    interrupted(start_command("refresh", tiny_study.root), tiny_study)
    again = start_command("refresh", tiny_study.root)
    assert again.wait(HANGS_SECONDS) == 0, again.said
    assert "0 new files" in again.said
    check_nothing_is_lost(tiny_study)


def test_a_run_on_a_server_that_is_stopped_by_ctrl_c_is_cancelled_there(tiny_study, start_on_server, prefect_server):
    interrupted(start_on_server("refresh", tiny_study.root), tiny_study)
    request = urllib.request.Request(
        f"{prefect_server['PREFECT_API_URL']}/flow_runs/filter", b"{}", {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=HANGS_SECONDS) as answer:
        runs = json.loads(answer.read())
    states = [run["state_type"] for run in runs if run["parameters"].get("study") == str(tiny_study.root)]
    assert states == ["CANCELLED"]


def test_an_interrupt_that_prefect_turns_into_an_error_of_its_own_ends_in_one_line_too(tiny_study, prefect_server):
    done = subprocess.run(
        [sys.executable, "-c", BETWEEN_TASKS, "refresh", str(tiny_study.root)],
        env={**prefect_server, "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "ERROR"},  # a user who wants to see errors
        capture_output=True, text=True, timeout=HANGS_SECONDS,
    )  # fmt: skip
    assert done.returncode == EXIT_CODE, done.stderr
    assert done.stderr.count(f"outcomes: {SENTENCE}\n") == 1
    assert "Traceback" not in done.stderr


def test_a_server_that_does_not_answer_is_named_with_what_to_do(tmp_path, tiny_study):
    address = f"http://127.0.0.1:{free_port()}/api"
    said = CommandLine(private_environment(tmp_path / "home", PREFECT_API_URL=address))("land", tiny_study.root)
    assert said.returncode == 2, said.stderr
    assert f"The Prefect server at {address} does not answer" in said.stderr
    assert "unset PREFECT_API_URL" in said.stderr
    assert "Traceback" not in said.stderr
