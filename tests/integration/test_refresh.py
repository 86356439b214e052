"""The whole job, as a user runs it."""

from __future__ import annotations

import json
import os
import re
import socket
import sys
import time
import urllib.request
from pathlib import Path

import duckdb
import pytest
from processes import HANGS_SECONDS, CommandLine, private_environment
from studies import simulate_no_recovery

from outcomes.simulate import simulate_study
from outcomes.store.files import file_sha256
from outcomes.study import create_study

RECORD_LOOKUPS = """
import os, socket, sys
_getaddrinfo, _connect = socket.getaddrinfo, socket.socket.connect
def _note(host):
    with open(os.environ["LOOKUPS"], "a") as log:
        log.write(f"{host}\\n")
def getaddrinfo(host, *args, **kwargs):
    _note(host)
    return _getaddrinfo(host, *args, **kwargs)
def connect(self, address):
    if self.family in (socket.AF_INET, socket.AF_INET6):
        _note(address[0])
    return _connect(self, address)
socket.getaddrinfo, socket.socket.connect = getaddrinfo, connect
"""


def released(study) -> dict:
    return json.loads((study.current / "manifest.json").read_text())


def rows(study, sql: str) -> list[tuple]:
    with duckdb.connect(str(study.database), read_only=True) as con:
        return con.execute(sql).fetchall()


def test_a_newcomer_without_a_server_gets_a_release_and_nobody_is_called(tmp_path):
    """An empty home folder, no server; every address looked up or connected to is written down."""
    (tmp_path / "hook").mkdir()
    (tmp_path / "hook" / "sitecustomize.py").write_text(RECORD_LOOKUPS)
    lookups = tmp_path / "lookups.txt"
    environment = private_environment(tmp_path / "home", PYTHONPATH=str(tmp_path / "hook"), LOOKUPS=str(lookups))
    outcomes = CommandLine(environment)
    study = create_study(tmp_path / "study")
    simulate_no_recovery(study.root)
    simulate_study(study.root, clients=240, therapists=20, seed=3)
    run = outcomes("refresh", study.root)
    assert run.returncode == 0, run.stderr
    for name in ("report.html", "checks.html", "manifest.json", "outcomes.duckdb"):
        assert (study.current / name).stat().st_size > 0
    for name in ("land", "build", "audit", "fit", "answer", "report", "publish"):
        assert re.search(rf"^  {name} ", run.stderr, re.MULTILINE), run.stderr
    called = set(lookups.read_text().split())
    assert called, "the hook saw nothing, so it proves nothing"
    assert called <= {"127.0.0.1", "localhost", "::1", "0.0.0.0", "None", socket.gethostname()}


def test_a_second_refresh_changes_nothing_and_says_so_and_a_new_file_makes_a_new_release(
    outcomes, small_study, tmp_path
):
    later = next(iter(sorted(small_study.inbox.glob("*sessions*"))[-1:]))
    held_back = tmp_path / later.name
    later.rename(held_back)
    assert outcomes("refresh", small_study.root).returncode == 0
    first, before = released(small_study), os.readlink(small_study.current)
    hashes = {path: file_sha256(path) for path in small_study.current.resolve().iterdir()}

    again = outcomes("refresh", small_study.root)
    assert again.returncode == 0
    assert "Nothing to do" in again.stdout
    assert os.readlink(small_study.current) == before
    assert {path: file_sha256(path) for path in small_study.current.resolve().iterdir()} == hashes

    held_back.rename(later)
    assert "Published release" in outcomes("refresh", small_study.root).stdout
    second = released(small_study)
    assert second["release_id"] != first["release_id"]
    n_read = rows(small_study, "select sum(n_read), sum(n_current + n_quarantined + n_superseded) from core_batches")
    assert n_read[0][0] == n_read[0][1]
    assert len(list(small_study.landed.iterdir())) == len(second["inputs"])


def test_each_step_by_hand_ends_where_a_refresh_ends(outcomes, small_study):
    for name in ("land", "build", "audit", "fit", "answer", "report"):
        run = outcomes(name, small_study.root)
        assert run.returncode == 0, run.stderr
        assert not small_study.current.exists()
    assert outcomes("publish", small_study.root).returncode == 0
    assert "Nothing to do" in outcomes("refresh", small_study.root).stdout
    status = json.loads(outcomes("status", small_study.root, "--json").stdout)
    assert status["release_id"] == released(small_study)["release_id"]


def test_a_step_before_its_time_says_which_one_comes_first(outcomes, small_study):
    run = outcomes("fit", small_study.root)
    assert run.returncode == 2
    assert "outcomes build" in run.stderr
    assert "Traceback" not in run.stderr


def test_a_refused_file_is_named_and_the_others_are_published(outcomes, small_study):
    (small_study.inbox / "sessions-names.csv").write_text("client_id,therapist_id,surname\nc1,t1,Smith\n")
    run = outcomes("refresh", small_study.root)
    assert run.returncode == 1
    assert "sessions-names.csv" in run.stderr
    assert "Smith" not in run.stdout + run.stderr
    assert (small_study.current / "report.html").exists()


def test_an_empty_study_is_refused_with_the_remedy(outcomes, tmp_path):
    study = create_study(tmp_path / "empty")
    run = outcomes("refresh", study.root)
    assert run.returncode == 2
    assert "inbox" in run.stderr
    assert not study.current.exists()


def test_a_fatal_check_holds_the_release_and_leaves_yesterdays(outcomes, small_published_study):
    small_study = small_published_study
    before = os.readlink(small_study.current)
    declared = "[scales.satisfaction]\nminimum = 0\nmaximum = 10"
    text = small_study.settings_path.read_text()
    assert declared in text
    small_study.settings_path.write_text(text.replace(declared, declared.replace("10", "5")))
    run = outcomes("refresh", small_study.root)
    assert run.returncode == 3, run.stdout + run.stderr
    assert re.search(r"[0-9,]+ of [0-9,]+", run.stderr), run.stderr
    assert "Try:" in run.stderr
    assert os.readlink(small_study.current) == before


@pytest.mark.xdist_group("prefect_server")
def test_runs_tasks_and_the_releases_summary_show_on_the_server(outcomes_on_server, prefect_server, small_study):
    with small_study.settings_path.open("a") as settings:
        settings.write("# a release of this test's own\n")
    assert outcomes_on_server("refresh", small_study.root).returncode == 0
    release_id = released(small_study)["release_id"]

    def ask(path: str, body: dict) -> list[dict]:
        request = urllib.request.Request(
            f"{prefect_server['PREFECT_API_URL']}/{path}",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=HANGS_SECONDS) as answer:
            return json.loads(answer.read())

    artifacts = ask("artifacts/filter", {"artifacts": {"key": {"any_": [f"release-{release_id}"]}}})
    assert artifacts
    assert release_id in artifacts[0]["data"]
    (run,) = ask("flow_runs/filter", {"flow_runs": {"id": {"any_": [artifacts[0]["flow_run_id"]]}}})
    assert run["state_type"] == "COMPLETED"
    steps, deadline = {"land", "build", "audit", "fit", "answer", "report", "publish"}, time.monotonic() + HANGS_SECONDS
    seen: set[str] = set()
    while seen != steps and time.monotonic() < deadline:  # the server takes in task runs a little later than flow runs
        tasks = ask("task_runs/filter", {"flow_runs": {"id": {"any_": [run["id"]]}}})
        seen = {re.sub(r"-.*", "", task["name"]) for task in tasks}
    assert seen == steps


@pytest.mark.xdist_group("prefect_server")
def test_no_row_reaches_prefects_files(outcomes_on_server, prefect_server, small_study):
    """Ids of clients are planted markers: none may stand in Prefect's database or results."""
    assert outcomes_on_server("refresh", small_study.root).returncode == 0
    clients = [row[0].encode() for row in rows(small_study, "select client_id from core_clients limit 50")]
    assert clients
    kept = [path for path in Path(prefect_server["PREFECT_HOME"]).rglob("*") if path.is_file()]
    assert kept
    for path in kept:
        content = path.read_bytes()
        assert not any(client in content for client in clients), path.name


def test_the_command_lines_python_module_is_the_installed_command():
    assert (Path(sys.executable).parent / "outcomes").exists()
