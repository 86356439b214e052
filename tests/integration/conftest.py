"""Real processes: a Prefect server for the whole test run, the command line, a study with simulated files."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import pytest

from outcomes.simulate import simulate_study
from outcomes.study import StudyFolder, create_study

from .operations_page import commands, parsed


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


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory):
    """Yield the environment of processes that use one real Prefect server on loopback."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/api"
    environment = private_environment(
        tmp_path_factory.mktemp("home"),
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
        yield {**environment, "PREFECT_API_URL": url}
    finally:
        server.terminate()
        server.wait(timeout=30)


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


def _refresh(root: str, environment: dict[str, str]) -> None:
    os.environ.update(environment)
    from outcomes.flows.refresh import refresh

    refresh(root)


@pytest.fixture(scope="session")
def start_refresh(prefect_server):
    """Start real processes that have the slow imports behind them, so that the kills hit our own steps."""
    before = dict(os.environ)
    os.environ.update(
        {name: value for name, value in prefect_server.items() if name.startswith(("PREFECT_", "HOME", "DO_NOT"))}
    )
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["outcomes.flows.refresh", "great_expectations", "altair", "statsmodels.api"])

    def start(study: StudyFolder) -> multiprocessing.Process:
        process = context.Process(target=_refresh, args=(str(study.root), prefect_server))
        process.start()
        return process

    yield start
    os.environ.clear()
    os.environ.update(before)
