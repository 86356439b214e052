"""Real processes, for all tests: one Prefect server, the command line, a study with simulated files."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from operations_page import commands, parsed

from outcomes.simulate import simulate_study
from outcomes.study import StudyFolder, create_study


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@dataclass(frozen=True)
class CommandLine:
    """The `outcomes` command in a process of its own."""

    environment: dict[str, str]

    def __call__(self, *arguments: object, timeout: float = 240) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "outcomes.cli", *map(str, arguments)]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=timeout)


def private_environment(home: Path, **more: str) -> dict[str, str]:
    """The environment of a new user: an empty home folder, nothing of Prefect set."""
    home.mkdir(parents=True, exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "GX_"))}
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
        server.wait(timeout=30)


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory):
    """Yield the environment of processes that use one real Prefect server on loopback."""
    with prefect_on(tmp_path_factory.mktemp("home"), free_port()) as (environment, _):
        yield environment


def wait_until_healthy(url: str, server: subprocess.Popen) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert server.poll() is None, "the Prefect server ended at once"
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.5)
    raise AssertionError("the Prefect server did not start within two minutes")


@pytest.fixture(scope="session")
def outcomes(prefect_server) -> CommandLine:
    """Run `outcomes ...` against the test run's server."""
    return CommandLine(prefect_server)


@pytest.fixture(scope="session")
def _small_sources(tmp_path_factory, ask_only) -> Path:
    root = create_study(tmp_path_factory.mktemp("sources") / "study").root
    ask_only(root, "guidance")
    simulate_study(root, clients=240, therapists=20, seed=7)
    return root


@pytest.fixture
def small_study(_small_sources, tmp_path) -> StudyFolder:
    """A study of 240 clients with files in its inbox, not refreshed yet."""
    shutil.copytree(_small_sources, tmp_path / "study")
    return StudyFolder.open(tmp_path / "study")


def _command(arguments: list[str], environment: dict[str, str], output: str) -> None:
    """What a forked process does: the command line, its words into files, failed steps tried again at once."""
    os.environ.update(environment)
    for number, stream in ((1, "out"), (2, "err")):
        os.dup2(os.open(f"{output}.{stream}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    from prefect.context import refresh_global_settings_context
    from prefect.tasks import Task

    from outcomes.cli import main
    from outcomes.flows import tasks

    refresh_global_settings_context()
    for step in vars(tasks).values():
        if isinstance(step, Task):
            step.retry_delay_seconds = [0, 0]
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

    @property
    def said(self) -> str:
        """What it printed, errors after the rest."""
        parts = [Path(f"{self._output}.{stream}") for stream in ("out", "err")]
        return "".join(part.read_text(encoding="utf-8") for part in parts if part.exists())


@pytest.fixture(scope="session")
def start_command(prefect_server, tmp_path_factory):
    """Start `outcomes ...` in a process that has the slow imports behind it, so that faults hit our own steps."""
    before, folder, numbers = dict(os.environ), tmp_path_factory.mktemp("said"), itertools.count()
    os.environ.update(
        {name: value for name, value in prefect_server.items() if name.startswith(("PREFECT_", "HOME", "DO_NOT"))},
        PREFECT_LOGGING_LEVEL="CRITICAL",  # as the command line sets it before it loads Prefect
    )
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["outcomes.flows.refresh", "great_expectations", "altair", "statsmodels.api"])

    def start(*arguments: object, **environment: str) -> Forked:
        return Forked(
            context, [str(argument) for argument in arguments], {**prefect_server, **environment},
            folder / str(next(numbers)),
        )  # fmt: skip

    yield start
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="session")
def start_refresh(start_command):
    """Start refreshes; see `start_command`."""

    def start(study: StudyFolder) -> multiprocessing.Process:
        return start_command("refresh", study.root).process

    return start
