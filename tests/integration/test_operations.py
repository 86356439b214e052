"""docs/operations.md, command by command, and what serving promises: on a real server, with real mail."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message
from operations_page import PAGE, ROOT, blocks, commands, parsed, run
from processes import HANGS_SECONDS, free_port, private_environment, wait_until_healthy

from outcomes.flows.server import study_slug
from outcomes.operate.runs import read_runs
from outcomes.study.settings import StudySettings

pytestmark = pytest.mark.xdist_group("prefect_server")

NOBODY = 65534


def postgres_program(name: str) -> str | None:
    """Return a program of PostgreSQL: on the path, or of the newest version where Debian keeps them beside it."""
    kept = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: float(path.parts[-3]))
    return shutil.which(name) or (str(kept[-1]) if kept else None)


@contextmanager
def serving(command: str, environment: dict[str, str], folder: Path) -> Iterator[subprocess.Popen]:
    """A command that runs until it is stopped, as a service manager stops it; its output goes to serve.log."""
    arguments, variables = parsed(command, environment)
    with (folder / "serve.log").open("w") as log:
        process = subprocess.Popen(arguments, env=variables, cwd=folder, stdout=log, stderr=log, start_new_session=True)
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=600)
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()


def wait_for(
    what: Callable[[], object], process: subprocess.Popen, folder: Path, seconds: float = HANGS_SECONDS
) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert process.poll() is None, (folder / "serve.log").read_text()
        assert time.monotonic() < deadline, (folder / "serve.log").read_text()
        time.sleep(0.5)


def ask(environment: dict[str, str], path: str, body: dict | None = None) -> list[dict] | dict:
    request = urllib.request.Request(
        f"{environment['PREFECT_API_URL']}/{path}", json.dumps(body).encode() if body is not None else None,
        {"Content-Type": "application/json"},
    )  # fmt: skip
    with urllib.request.urlopen(request, timeout=HANGS_SECONDS) as answer:
        return json.loads(answer.read())


def runs_on_server(environment: dict[str, str], name: str) -> list[dict]:
    return ask(environment, "flow_runs/filter", {"deployments": {"name": {"any_": [name]}}})


class Mailbox(Message):
    def __init__(self) -> None:
        super().__init__()
        self.subjects: list[tuple[str, str]] = []
        self.attached: list[set[str]] = []

    def handle_message(self, message) -> None:
        self.subjects.append((message["To"], message["Subject"]))
        self.attached.append({part.get_filename() for part in message.walk() if part.get_filename()})


@pytest.fixture
def mailbox(small_study):
    """Mail of the study's deliveries, taken by a real server."""
    box = Mailbox()
    controller = Controller(box, hostname="127.0.0.1", port=free_port())
    controller.start()
    text = small_study.settings_path.read_text()
    text = text.replace("stakeholders = []", 'stakeholders = ["lead@example.org"]')
    text = text.replace("analysts = []", 'analysts = ["analyst@example.org"]')
    text = text.replace('host = ""', 'host = "127.0.0.1"').replace("port = 587", f"port = {controller.port}")
    text = text.replace('tls = "starttls"', 'tls = "none"').replace('sender = ""', 'sender = "study@example.org"')
    small_study.settings_path.write_text(text)
    yield box
    controller.stop()


def test_the_pages_commands_do_what_it_says(prefect_server, small_study, mailbox):
    """One study through all of them: refreshed, served three ways, looked at, recovered, verified."""
    folder = small_study.root.parent
    said = []
    for command in commands("sh"):
        if command.startswith("outcomes serve"):
            n_runs = len(read_runs(small_study))
            with serving(command, prefect_server, folder) as process:
                wait_for(lambda: "Refreshing" in (folder / "serve.log").read_text(), process, folder)
                if "--every" in command:
                    wait_for(lambda n=n_runs: any(r.ended for r in read_runs(small_study)[n:]), process, folder)
            said.append((folder / "serve.log").read_text())
            continue
        done = run(command, prefect_server, folder)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        said.append(done.stdout)
    assert len(said) == len(commands("sh")) == 9
    assert not any(word in text for text in said for word in ("Traceback", "Warning", "leaked"))
    deployment = ask(prefect_server, f"deployments/name/refresh/{study_slug(small_study)}")
    assert deployment["paused"], "a service that was stopped leaves a schedule that goes on without it"
    assert "Published release" in said[0]
    assert "schedule '0 3 * * *' (Europe/Berlin)" in said[2]
    assert "when the inbox changes" in said[3]
    assert "every 3600 seconds and when the inbox changes" in said[4]
    status = json.loads(said[6])
    assert status["runs"][0]["end"] == "published"
    assert status["trend"][0]["release_id"] == status["release_id"]
    assert "Nothing to do" in said[7]
    subject = f"Practice outcomes: new report ({status['release_id']})"
    assert sorted(mailbox.subjects) == [("analyst@example.org", subject), ("lead@example.org", subject)]
    artifacts = ask(
        prefect_server, "artifacts/filter", {"artifacts": {"key": {"any_": [f"data-quality-{status['release_id']}"]}}}
    )
    assert status["release_id"] in artifacts[0]["data"]


def test_every_command_of_the_page_is_run_by_a_test():
    """A block of a new kind, or a command named in the text that no block runs, fails here."""
    tests = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parents[1].rglob("*.py"))
    kinds = set(re.findall(r"^```(\w[\w ]*)$", PAGE, re.MULTILINE))
    assert {kind for kind in kinds if not re.search(rf'(commands|blocks)\("{kind}"\)', tests)} == set()
    run_ones = {line.split()[1] for kind in kinds for line in commands(kind) if line.startswith("outcomes ")}
    named = set(re.findall(r"`outcomes ([a-z]+)[ `]", PAGE))
    assert named - run_ones == set()


def test_the_settings_that_the_page_shows_are_accepted(small_study):
    shown = [tomllib.loads(block) for block in blocks("toml")]
    assert len(shown) == 3
    declared = tomllib.loads(small_study.settings_path.read_text())
    for settings in shown:
        assert StudySettings.model_validate({**declared, **settings})


@pytest.mark.slow
def test_a_new_machine_installs_runs_and_upgrades_as_the_page_says(tmp_path):
    """From a clone and the package index, by the shell, as it stands on the page."""
    pinned = next(line for line in (ROOT / "constraints.txt").read_text().splitlines() if line.startswith("click=="))
    index = [sys.executable, "-m", "pip", "download", "--no-deps", "--dest", tmp_path / "index", pinned]
    if subprocess.run(index, capture_output=True).returncode:
        pytest.skip("no package index answers: nothing can be installed")
    clone = tmp_path / "clone"
    shutil.copytree(ROOT, clone, ignore=shutil.ignore_patterns(".*", "__pycache__", "build", "*.egg-info", "demo"))
    change = "printf '%s\\n' '-- another version' >> sql/marts/mart_clients.sql"
    script = [*commands("sh install"), *commands("sh upgrade")]
    assert [line for line in script if line.startswith("outcomes ")] == [
        "outcomes init study",
        "outcomes refresh study",
    ]
    filled = "outcomes simulate study --clients 240 --therapists 20\noutcomes refresh study"
    lines = [*commands("sh install"), filled, change, *commands("sh upgrade"), "outcomes status study --json"]
    environment = private_environment(tmp_path / "home", PREFECT_SERVER_ANALYTICS_ENABLED="false", DO_NOT_TRACK="1")
    environment = {name: value for name, value in environment.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(
        ["bash", "-e", "-c", "\n".join(lines)],
        cwd=clone,
        env=environment,
        capture_output=True,
        text=True,
        timeout=6 * HANGS_SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    status = json.loads(done.stdout[done.stdout.index("\n{") :])
    assert [run["end"] for run in status["runs"]] == ["published", "published"]
    assert len(list((clone / "study/releases").glob("[!.]*"))) == 2, "new code makes a new release of the same data"


def test_a_stale_release_is_told_by_the_exit_code(prefect_server, small_study):
    text = small_study.settings_path.read_text()
    small_study.settings_path.write_text(text.replace("expected_hours = 0 ", "expected_hours = 36 "))
    done = run("outcomes status study", prefect_server, small_study.root.parent)
    assert done.returncode == 7, done.stdout + done.stderr
    small_study.settings_path.write_text(text)
    assert run("outcomes status study", prefect_server, small_study.root.parent).returncode == 0


def test_without_a_server_serving_says_how_to_start_one(small_study, tmp_path):
    environment = private_environment(tmp_path / "home", PREFECT_API_URL=f"http://127.0.0.1:{free_port()}/api")
    done = run("outcomes serve study", environment, small_study.root.parent)
    assert done.returncode == 2
    assert "prefect server start" in done.stderr


def test_serving_joins_no_server_whose_address_nobody_set(small_study, tmp_path):
    done = run("outcomes serve study", private_environment(tmp_path / "home"), small_study.root.parent)
    assert done.returncode == 2
    assert "No address of a Prefect server is set" in done.stderr
    assert "PREFECT_API_URL=" in done.stderr


def test_a_schedule_that_cannot_be_read_is_refused(prefect_server, small_study):
    done = run("outcomes serve study --cron often", prefect_server, small_study.root.parent)
    assert done.returncode == 2
    assert "The schedule cannot be read" in done.stderr


@pytest.mark.slow
def test_a_newcomer_drops_three_files_and_gets_three_releases_and_three_mails(prefect_server, small_study, mailbox):
    """Every minute and on a change; the runs are on the server."""
    folder = small_study.root.parent
    sources = sorted(small_study.inbox.iterdir(), key=lambda path: ("sessions" not in path.name, path.name))[:3]
    assert len(sources) == 3
    shutil.move(small_study.inbox, folder / "exports")
    small_study.inbox.mkdir()
    with serving("outcomes serve study --watch --every 60", prefect_server, folder) as process:
        for number, source in enumerate(sources, start=1):
            shutil.copy(folder / "exports" / source.name, small_study.inbox / source.name)
            wait_for(lambda n=number: len(mailbox.subjects) >= 2 * n, process, folder)
        wait_for(lambda: n_completed(prefect_server, study_slug(small_study)) >= 3, process, folder)
        if browser := shutil.which("chromium"):
            address = prefect_server["PREFECT_API_URL"].replace("/api", "/runs")
            wait_for(lambda: look_at(browser, address, folder).count("Completed") >= 3, process, folder)
            assert study_slug(small_study) in look_at(browser, address, folder)
            look_at(browser, address, folder, f"--screenshot={folder / 'runs.png'}")
            assert (folder / "runs.png").stat().st_size > 10_000  # for a person to look at
    releases = {path.name for path in small_study.releases.glob("[!.]*")}
    assert len(releases) == 3
    to_lead = [subject for address, subject in mailbox.subjects if address == "lead@example.org"]
    assert len(to_lead) == len({subject for subject in to_lead if "new report" in subject}) == 3
    assert all({"report.html", "report.pdf"} <= attached for attached in mailbox.attached)


def n_completed(environment: dict[str, str], name: str) -> int:
    return sum(run["state_type"] == "COMPLETED" for run in runs_on_server(environment, name))


def look_at(browser: str, address: str, folder: Path, output: str = "--dump-dom") -> str:
    """Return a page as a browser shows it after its scripts ran, or save a picture of it."""
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'browser'}"]
    options.append("--window-size=1400,4000")  # only rows in sight are drawn
    command = [browser, *options, "--virtual-time-budget=30000", output, address]
    return subprocess.run(command, capture_output=True, text=True, timeout=HANGS_SECONDS).stdout


@pytest.mark.slow
def test_missed_schedules_are_made_up_for_once_after_a_kill(prefect_server, small_study):
    """kill -9 of the service; twenty schedules pass; the next start runs one refresh and ends the killed run."""
    folder, name = small_study.root.parent, study_slug(small_study)
    with serving("outcomes serve study --every 3", prefect_server, folder) as process:
        wait_for(lambda: (small_study.root / ".lock-holder.json").exists(), process, folder)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    time.sleep(60)
    before = len(read_runs(small_study))
    with serving("outcomes serve study --every 3600", prefect_server, folder) as process:
        wait_for(lambda: any(run.ended for run in read_runs(small_study)[before:]), process, folder)
    after = read_runs(small_study)[before:]
    assert [run.end for run in after] == ["published"]
    states = [run["state_name"] for run in runs_on_server(prefect_server, name)]
    assert "Late" not in states
    assert states.count("Cancelled") >= 5
    assert "Crashed" in states
    assert "Running" not in states


@pytest.mark.slow
def test_a_process_pool_runs_the_deployment_of_prefect_yaml(prefect_server, small_study, tmp_path):
    shutil.copy(ROOT / "prefect.yaml", tmp_path / "prefect.yaml")
    environment = {**prefect_server, "OUTCOMES_STUDY": str(small_study.root)}
    for command in commands("sh pool"):
        done = run(command, environment, tmp_path)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    assert [run.end for run in read_runs(small_study)] == ["published"]


@pytest.mark.slow
@pytest.mark.skipif(not all(map(postgres_program, ("initdb", "pg_ctl"))), reason="PostgreSQL is not installed")
def test_a_team_shares_a_server_on_postgresql(small_study, tmp_path):
    port = free_port()
    with postgres(port):
        environment = private_environment(tmp_path / "home", PREFECT_SERVER_ANALYTICS_ENABLED="false", DO_NOT_TRACK="1")
        (command,) = commands("sh postgres")
        api_port = free_port()
        command = f"{command.replace('5432', str(port))} --host 127.0.0.1 --port {api_port}"
        environment["PREFECT_API_URL"] = f"http://127.0.0.1:{api_port}/api"
        with serving(command, environment, tmp_path) as server:
            wait_until_healthy(environment["PREFECT_API_URL"], server)
            done = run("outcomes refresh study", environment, small_study.root.parent)
            assert done.returncode == 0, done.stderr
            assert [run["state_type"] for run in ask(environment, "flow_runs/filter", {})] == ["COMPLETED"]
        count = [postgres_program("psql"), *as_prefect(port), "-tAc", "select count(*) from flow_run"]
        assert subprocess.run(count, capture_output=True, text=True).stdout.strip() == "1"


def as_prefect(port: int) -> list[str]:
    return ["-h", "127.0.0.1", "-p", str(port), "-U", "prefect"]


def as_owner() -> list[str]:
    """PostgreSQL refuses to run as root."""
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"] if os.geteuid() == 0 else []


@contextmanager
def postgres(port: int) -> Iterator[None]:
    """A database server of its own, in a folder that its unprivileged owner can reach."""
    data = Path(tempfile.mkdtemp())
    if os.geteuid() == 0:
        os.chown(data, NOBODY, NOBODY)
    start = ["-D", str(data), "-o", f"-p {port} -c listen_addresses=127.0.0.1 -k {data}", "-l", str(data / "log"), "-w"]
    subprocess.run(
        [*as_owner(), postgres_program("initdb"), "-D", str(data), "-U", "prefect", "-A", "trust"],
        check=True,
        capture_output=True,
    )
    subprocess.run([*as_owner(), postgres_program("pg_ctl"), *start, "start"], check=True, stdout=subprocess.DEVNULL)
    try:
        subprocess.run([postgres_program("createdb"), *as_prefect(port), "prefect"], check=True)
        yield
    finally:
        subprocess.run(
            [*as_owner(), postgres_program("pg_ctl"), "-D", str(data), "-m", "fast", "stop"],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        shutil.rmtree(data)
