"""Ctrl-C as a terminal sends it, to all processes of a command: one line and exit code 130, whatever is going on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from processes import HANGS_SECONDS, private_environment

from outcomes.stopping import EXIT_CODE, SENTENCE

LINE = f"outcomes: {SENTENCE}\n"
WORKERS = """
import time
from outcomes.stopping import stoppable
from outcomes.workers import in_processes
with stoppable(), in_processes(2) as workers:
    print("begun", flush=True)
    list(workers.run(time.sleep, [(3600,), (3600,)]))
"""
# Work that does not listen: Python code that goes on, and a library that lets Python hear of nothing.
GOES_ON = """
import time
from outcomes.stopping import stoppable
with stoppable():
    print("begun", flush=True)
    while True:
        try:
            time.sleep(3600)
        except KeyboardInterrupt:
            pass
"""
DEAF = """
import hashlib
from outcomes.stopping import stoppable
with stoppable():
    print("begun", flush=True)
    hashlib.pbkdf2_hmac("sha256", b"", b"", 2**31 - 1)
"""
# DuckDB makes an error of its own of the interrupt.
LONG_QUESTION = """
import signal, sys, threading
import outcomes.operate.query
from outcomes.cli import main
threading.Timer(1, signal.raise_signal, [signal.SIGINT]).start()
main(["query", sys.argv[1], "select sum(a.range * b.range) from range(1000000) a, range(10000000) b"])
"""
COMMAND = """
import runpy, sys
sys.argv[1:] = ["--help"]
runpy.run_module("outcomes.cli", run_name="__main__", alter_sys=True)
"""
WHILE_IMPORTING = """
import signal, sys
class Interrupting:
    def find_spec(name, *_):
        if name == "click":
            signal.raise_signal(signal.SIGINT)
sys.meta_path.insert(0, Interrupting)
"""
AT_THE_END = """
import atexit, signal
atexit.register(signal.raise_signal, signal.SIGINT)
"""


def interrupted(code: str, *after_seconds: float) -> tuple[int, str]:
    """Start work in a group of its own, interrupt all of it when it has begun, and see that nobody is left."""
    command = [sys.executable, "-c", code]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as work:
        assert work.stdout.readline() == "begun\n"
        for seconds in after_seconds:
            time.sleep(seconds)
            os.killpg(work.pid, signal.SIGINT)
        _, said = work.communicate(timeout=HANGS_SECONDS)
    deadline = time.monotonic() + HANGS_SECONDS
    while is_alive(work.pid):
        assert time.monotonic() < deadline, "processes are left"
        time.sleep(0.1)
    return work.returncode, said


def is_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def ran(code: str, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(
        command, env=private_environment(home), capture_output=True, text=True, timeout=HANGS_SECONDS
    )  # fmt: skip


@pytest.mark.parametrize(
    "after_seconds",
    [(0.0,), (0.1,), (0.4,), (2.0,), (0.1, 0.1), (2.0, 0.2)],
    ids=["at once", "starting", "importing", "working", "twice while starting", "twice while working"],
)
def test_workers_say_nothing_and_end(after_seconds):
    assert interrupted(WORKERS, *after_seconds) == (EXIT_CODE, LINE)


@pytest.mark.parametrize("code", [GOES_ON, DEAF], ids=["goes on", "deaf"])
def test_work_that_does_not_listen_is_ended_too(code):
    assert interrupted(code, 0.1) == (EXIT_CODE, LINE)


def test_a_long_question_in_sql_ends_in_one_line(small_published_study, tmp_path):
    done = ran(LONG_QUESTION, tmp_path / "home", str(small_published_study.root))
    assert (done.returncode, done.stdout, done.stderr) == (EXIT_CODE, "", LINE)


def test_ctrl_c_is_heard_while_the_commands_are_imported(tmp_path):
    done = ran(WHILE_IMPORTING + COMMAND, tmp_path / "home")
    assert (done.returncode, done.stdout, done.stderr) == (EXIT_CODE, "", LINE)
    (script,) = entry_points(group="console_scripts", name="outcomes")
    assert script.value == "outcomes.cli.__main__:main"


def test_a_command_that_is_done_is_not_interrupted_any_more(tmp_path):
    done = ran(AT_THE_END + COMMAND, tmp_path / "home")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Exit codes" in done.stdout
