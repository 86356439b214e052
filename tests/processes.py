"""Real processes, for all tests: one Prefect server, and the command line with it or without."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from operations_page import commands, parsed

from outcomes.study import StudyFolder

# What a forked command line has loaded already.
SLOW_IMPORTS = [
    "outcomes.flows.refresh", "outcomes.answers.run", "outcomes.report", "outcomes.models", "great_expectations",
    "outcomes.trust.withdrawal", "altair", "statsmodels.api",
]  # fmt: skip


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


HANGS_SECONDS = 2400.0  # a time-out ends a hang and asserts no speed: ten times what a loaded machine needs

LOOK_SECONDS = 2.0  # of one look whether a server answers, which is done again


@dataclass(frozen=True)
class CommandLine:
    """The `outcomes` command in a new process, as a user starts it; the imports cost it seconds."""

    environment: dict[str, str]

    def __call__(self, *arguments: object, timeout: float = HANGS_SECONDS) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "outcomes.cli", *map(str, arguments)]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=timeout)


def private_environment(home: Path, **more: str) -> dict[str, str]:
    """The environment of a new user: an empty home folder, nothing of Prefect set, nor what our flows set."""
    home.mkdir(parents=True, exist_ok=True)
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "GX_", "PYTHONSAFEPATH"))
    }
    return {**kept, "HOME": str(home), "PREFECT_HOME": str(home / ".prefect"), **more}


@contextmanager
def prefect_on(home: Path, port: int) -> Iterator[tuple[dict[str, str], subprocess.Popen]]:
    """Run a real Prefect server on loopback; yield the environment of processes that use it, and its own process."""
    url = f"http://127.0.0.1:{port}/api"
    environment = private_environment(
        home,
        PREFECT_SERVER_ANALYTICS_ENABLED="false",
        DO_NOT_TRACK="1",
        PREFECT_UI_API_URL=url,
    )
    (line,) = commands("sh server")
    command, variables = parsed(f"{line} --host 127.0.0.1 --port {port}", environment)
    assert variables.items() >= {"PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1"}.items()
    server = subprocess.Popen(command, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until_healthy(url, server)
        yield {**environment, "PREFECT_API_URL": url}, server
    finally:
        server.terminate()
        server.wait(timeout=HANGS_SECONDS)


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory):
    """Yield the environment of processes that use one real Prefect server on loopback."""
    with prefect_on(tmp_path_factory.mktemp("home"), free_port()) as (environment, _):
        yield environment


def wait_until_healthy(url: str, server: subprocess.Popen) -> None:
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline:
        assert server.poll() is None, "the Prefect server ended at once"
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=LOOK_SECONDS) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.5)
    raise AssertionError("the Prefect server did not start within ten minutes")


def _command(arguments: list[str], environment: dict[str, str], output: str) -> None:
    """What a forked process does: the command line, its words into files, failed steps tried again at once."""
    for name in [name for name in os.environ if name.startswith("PREFECT_")]:
        del os.environ[name]
    os.environ.update(environment)
    for number, stream in ((1, "out"), (2, "err")):
        os.dup2(os.open(f"{output}.{stream}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    from prefect.context import refresh_global_settings_context

    from outcomes.cli import main
    from outcomes.flows.retries import BACK_OFF_SECONDS
    from outcomes.flows.tasks import TASKS

    refresh_global_settings_context()
    BACK_OFF_SECONDS[:] = [0, 0]
    for task in TASKS.values():
        task.retry_delay_seconds = [0, 0]
    main(arguments)


class Forked:
    """One run of the command line in a process whose slow imports were done before."""

    def __init__(self, context, arguments: list[str], environment: dict[str, str], output: Path) -> None:
        self._output = output
        self.process = context.Process(target=_command, args=(arguments, environment, str(output)))
        self.process.start()

    def wait(self, seconds: float | None = None) -> int | None:
        """Wait for the end; return the exit code, None where it still runs."""
        self.process.join(seconds)
        return self.process.exitcode

    def kill(self) -> None:
        """End it as nothing else does."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.join()

    def interrupt(self) -> None:
        """Do what Ctrl-C does."""
        os.kill(self.process.pid, signal.SIGINT)

    def stream(self, name: str) -> str:
        """What it printed to `out` or `err`."""
        path = Path(f"{self._output}.{name}")
        return path.read_text(encoding="utf-8") if path.exists() else ""

    @property
    def said(self) -> str:
        """What it printed, errors after the rest."""
        return self.stream("out") + self.stream("err")


@pytest.fixture(scope="session")
def _forks(tmp_path_factory) -> Iterator[Callable[..., Forked]]:
    """Fork command lines from a process that has the slow imports behind it and knows no server."""
    before, folder, numbers = dict(os.environ), tmp_path_factory.mktemp("said"), itertools.count()
    home = private_environment(tmp_path_factory.mktemp("alone"))
    os.environ.update({name: home[name] for name in ("HOME", "PREFECT_HOME")}, PREFECT_LOGGING_LEVEL="CRITICAL")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(SLOW_IMPORTS)

    def start(*arguments: object, **environment: str) -> Forked:
        settings = {**home, "PREFECT_LOGGING_LEVEL": "CRITICAL", **environment}
        return Forked(context, [str(argument) for argument in arguments], settings, folder / str(next(numbers)))

    yield start
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="session")
def start_command(_forks) -> Callable[..., Forked]:
    """Start `outcomes ...` by hand and without a server, forked so that faults hit our own steps."""
    return _forks


@pytest.fixture(scope="session")
def start_on_server(_forks, prefect_server) -> Callable[..., Forked]:
    """Start `outcomes ...` as a flow on the test run's Prefect server."""
    return partial(_forks, **{name: value for name, value in prefect_server.items() if name != "HOME"})


@pytest.fixture(scope="session")
def outcomes(start_command) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run `outcomes ...` by hand, without a server, to its end."""
    return partial(_finished, start_command)


@pytest.fixture(scope="session")
def outcomes_on_server(start_on_server) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run `outcomes ...` on the test run's Prefect server to its end."""
    return partial(_finished, start_on_server)


def _finished(start: Callable[..., Forked], *arguments: object) -> subprocess.CompletedProcess[str]:
    run = start(*arguments)
    exit_code = run.wait(HANGS_SECONDS)
    return subprocess.CompletedProcess(arguments, exit_code, run.stream("out"), run.stream("err"))


@pytest.fixture(scope="session")
def start_refresh(start_command) -> Callable[[StudyFolder], multiprocessing.Process]:
    """Start refreshes; see `start_command`."""
    return lambda study: start_command("refresh", study.root).process
