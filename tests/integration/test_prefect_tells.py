"""What an analyst sees on Prefect's server: names, logs, states and artifacts that tell; no run of the dead."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
import urllib.request

import duckdb
import pytest
from operations_page import parsed
from processes import HANGS_SECONDS

from outcomes.flows.server import study_slug
from outcomes.study import StudyFolder

pytestmark = pytest.mark.xdist_group("prefect_server")


def ask(environment: dict[str, str], path: str, body: dict | None = None) -> list[dict]:
    request = urllib.request.Request(
        f"{environment['PREFECT_API_URL']}/{path}",
        json.dumps(body or {}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=HANGS_SECONDS) as answer:
        return json.loads(answer.read())


def runs_of(environment: dict[str, str], study: StudyFolder) -> list[dict]:
    """The study's runs, the youngest first."""
    found = ask(environment, "flow_runs/filter", {"sort": "START_TIME_DESC"})
    return [run for run in found if run["parameters"].get("study") == str(study.root)]


def until(look, seconds: float = HANGS_SECONDS):
    """The server takes in task runs and logs a little later than flow runs."""
    deadline = time.monotonic() + seconds
    while not (found := look()) and time.monotonic() < deadline:
        time.sleep(0.3)
    return found


def artifact(environment: dict[str, str], key: str) -> list[dict] | str:
    found = ask(environment, "artifacts/filter", {"artifacts": {"key": {"any_": [key]}}, "sort": "CREATED_DESC"})
    assert found, key
    data = found[0]["data"]
    return json.loads(data) if found[0]["type"] == "table" else data


@pytest.fixture
def refused(tiny_study) -> StudyFolder:
    (tiny_study.inbox / "sessions-names.csv").write_text("client_id,therapist_id,surname\nc1,t1,Smith\n")
    with tiny_study.settings_path.open("a") as settings:
        settings.write("# a release of this test's own\n")
    return tiny_study


def test_a_run_tells_what_it_did_and_what_waits(outcomes_on_server, prefect_server, refused):
    shown = outcomes_on_server("refresh", refused.root)
    assert shown.returncode == 1
    assert shown.stderr.count("sessions-names.csv was refused") == 1, "the terminal says it once"
    release_id = refused.current.resolve().name
    (run,) = runs_of(prefect_server, refused)
    assert run["name"] == f"study refresh {release_id}"
    assert (run["state_type"], run["state_name"]) == ("COMPLETED", "RefusedFiles")
    assert "1 file(s) of the inbox were refused" in run["state"]["message"]

    def tasks() -> dict[str, dict]:
        found = ask(prefect_server, "task_runs/filter", {"flow_runs": {"id": {"any_": [run["id"]]}}})
        return {task["name"]: task for task in found} if len(found) == 7 else {}

    named = until(tasks)
    steps = {f"{name}-{release_id}" for name in ("audit", "fit", "answer", "report", "publish")}
    assert set(named) == {"land", "build"} | steps
    states = {name.partition("-")[0]: task["state_name"] for name, task in named.items()}
    assert states["land"] == "RefusedFiles"
    checks = json.loads((refused.current / "checks.json").read_text())
    open_checks = [one for one in checks["checks"] if one["status"] in ("failed", "error")]
    assert open_checks, "a study of twelve clients has findings"
    assert states["audit"] == "OpenFindings"
    assert f"{len(open_checks)} finding(s) are open" in named[f"audit-{release_id}"]["state"]["message"]
    assert {states[name] for name in ("build", "fit", "answer", "report", "publish")} == {"Completed"}

    def logs() -> str:
        found = ask(prefect_server, "logs/filter", {"logs": {"flow_run_id": {"any_": [run["id"]]}}, "limit": 200})
        text = "\n".join(one["message"] for one in found)
        return text if "publish: current ->" in text else ""

    said = until(logs)
    for name in ("land", "build", "audit", "fit", "answer", "report", "publish"):
        assert re.search(rf"^{name}: .+ \([0-9.]+ s\)$", said, re.MULTILINE), name
    assert "sessions-names.csv was refused" in said
    assert "Smith" not in said
    with duckdb.connect(str(refused.database), read_only=True) as con:
        ids = [one for (one,) in con.execute("select client_id from core_clients").fetchall()]
    assert ids
    assert not [one for one in ids if one in said]

    findings = artifact(prefect_server, f"findings-{release_id}")
    assert [row["check"] for row in findings] == [one["check_id"] for one in open_checks]
    assert all(row["what to do"] for row in findings)
    (told,) = artifact(prefect_server, f"refused-files-{study_slug(refused)}")
    assert (told["file"], bool(told["what to do"])) == ("sessions-names.csv", True)
    timings = artifact(prefect_server, f"timings-{study_slug(refused)}")
    assert [row["release"] for row in timings] == [release_id]
    assert timings[0]["audit"] > 0
    summary = artifact(prefect_server, f"release-{release_id}")
    for document in ("brief.html", "report.pdf", "annex.html", "checks.html"):
        assert f"[{document}](file://" in summary

    again = outcomes_on_server("refresh", refused.root)
    assert again.returncode == 0
    assert runs_of(prefect_server, refused)[0]["state_name"] == "OpenFindings", "the file was told of before"


def test_a_run_that_was_killed_is_not_running_for_ever(start_on_server, outcomes_on_server, prefect_server, tiny_study):
    run = start_on_server("refresh", tiny_study.root)
    assert until(lambda: "  land " in run.said or not run.process.is_alive())
    run.kill()
    assert [one["state_type"] for one in runs_of(prefect_server, tiny_study)] == ["RUNNING"]
    assert outcomes_on_server("land", tiny_study.root).returncode == 0
    after = [(one["name"].split()[1], one["state_type"]) for one in runs_of(prefect_server, tiny_study)]
    assert after == [("land", "COMPLETED"), ("refresh", "CRASHED")]


def test_a_run_of_another_machine_is_left_alone(start_on_server, outcomes_on_server, prefect_server, tiny_study):
    run = start_on_server("refresh", tiny_study.root)
    assert until(lambda: "  land " in run.said or not run.process.is_alive())
    run.kill()
    (killed,) = runs_of(prefect_server, tiny_study)
    relabelled = urllib.request.Request(
        f"{prefect_server['PREFECT_API_URL']}/flow_runs/{killed['id']}/labels",
        json.dumps({"outcomes.machine": "elsewhere"}).encode(), {"Content-Type": "application/json"}, method="PATCH",
    )  # fmt: skip
    urllib.request.urlopen(relabelled, timeout=HANGS_SECONDS).close()
    assert outcomes_on_server("land", tiny_study.root).returncode == 0
    assert [one["state_type"] for one in runs_of(prefect_server, tiny_study)] == ["COMPLETED", "RUNNING"]


def test_a_run_that_is_cancelled_in_the_browser_ends_cancelled_and_the_log_has_times(prefect_server, tiny_study):
    """By `outcomes serve`, whose runs are processes of their own: what the browser's button sends, and its end."""
    arguments, environment = parsed(f"outcomes serve {tiny_study.root} --every 3600", prefect_server)
    log = tiny_study.root.parent / "serve.log"
    with log.open("w") as stream:
        serving = subprocess.Popen(arguments, env=environment, stdout=stream, stderr=stream, start_new_session=True)
    try:
        assert until(lambda: "  land " in log.read_text() or serving.poll() is not None)
        assert serving.poll() is None, log.read_text()
        (run,) = [one for one in runs_of(prefect_server, tiny_study) if one["state_type"] == "RUNNING"]
        ask(prefect_server, f"flow_runs/{run['id']}/set_state", {"state": {"type": "CANCELLING"}})

        def ended() -> str:
            state = {one["id"]: one["state_type"] for one in runs_of(prefect_server, tiny_study)}[run["id"]]
            return state if state not in ("RUNNING", "CANCELLING") else ""

        assert until(ended) == "CANCELLED", log.read_text()
    finally:
        os.killpg(serving.pid, 15)
        serving.wait(HANGS_SECONDS)
    lines = [line for line in log.read_text().splitlines() if "Refreshing" in line or "  land " in line]
    assert len(lines) == 2
    assert all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d ", line) for line in lines)
