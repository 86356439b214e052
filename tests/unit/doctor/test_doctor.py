"""`outcomes doctor`: what could stop a study is found, and each find says what to do; nothing is changed."""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections import namedtuple

import pytest
from aiosmtpd.controller import Controller
from click.testing import CliRunner

from outcomes.cli import main
from outcomes.doctor import machine
from outcomes.study import create_study, writer_lock

Usage = namedtuple("Usage", "total used free")


@pytest.fixture(autouse=True)
def no_server(monkeypatch, tmp_path):
    for name in [name for name in os.environ if name.startswith(("PREFECT_", "OUTCOMES_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "prefect-home"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def study(tmp_path):
    made = create_study(tmp_path / "study")
    made.root.chmod(0o750)
    return made


def examined(study, exit_code: int | None = None) -> dict[str, dict]:
    before = {str(path): path.stat().st_mtime_ns for path in study.root.rglob("*") if ".lock" not in path.name}
    run = CliRunner().invoke(main, ["doctor", str(study.root), "--json"])
    assert run.exit_code in (0, 6), run.output
    said = json.loads(run.stdout)
    assert run.exit_code == (6 if said["is_ill"] else 0)
    assert exit_code in (None, run.exit_code), said
    after = {str(path): path.stat().st_mtime_ns for path in study.root.rglob("*") if ".lock" not in path.name}
    assert after == before
    found = {one["what"]: one for one in said["examined"]}
    assert all(one["hint"] for one in found.values() if one["health"] != "well")
    return found


def declare(study, old: str, new: str) -> None:
    text = study.settings_path.read_text()
    assert old in text
    study.settings_path.write_text(text.replace(old, new))


def test_a_new_study_is_well_and_waits_for_its_first_refresh(study):
    found = examined(study, 0)
    assert {
        "Python",
        "packages",
        "rights",
        "strangers",
        "disk",
        "clock",
        "study.toml",
        "lock",
        "trail",
        "release",
    } <= set(found)
    assert {one["what"] for one in found.values() if one["health"] == "look"} == {"release"}
    assert found["release"]["said"] == "nothing is published yet"


def test_the_words_are_one_line_a_thing_with_what_to_do_below(study):
    run = CliRunner().invoke(main, ["doctor", str(study.root)])
    assert "  -> outcomes refresh" in run.output
    assert run.output.rstrip().endswith("0 to mend, 1 to look at")


def test_a_full_disk_is_ill(study, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**12, 10**12, 1_000_000))
    assert examined(study, 6)["disk"]["health"] == "ill"


def test_a_package_outside_of_what_was_tested_is_named(study, monkeypatch):
    monkeypatch.setattr(machine, "version", lambda name: "99.0" if name == "duckdb" else "0.1.0")
    found = examined(study, 6)["packages"]
    assert "duckdb is 99.0, tested is" in found["said"]
    assert "pip install" in found["hint"]


def test_files_that_everybody_may_write_are_ill(study):
    (study.inbox / "sessions.csv").write_text("x")
    (study.inbox / "sessions.csv").chmod(0o666)
    found = examined(study, 6)["strangers"]
    assert "may write 1 file" in found["said"]
    assert "chmod" in found["hint"]


def test_a_study_that_is_written_to_says_by_whom(study):
    with writer_lock(study):
        found = examined(study, 0)["lock"]
    assert found["health"] == "look"
    assert f"process {os.getpid()}" in found["said"]


def test_a_missing_inbox_and_files_without_rights_are_ill(study):
    study.inbox.rmdir()
    assert "mkdir" in examined(study, 6)["rights"]["hint"]


def test_a_key_that_is_asked_for_and_missing_is_ill_and_none_is_printed(study, tmp_path, monkeypatch):
    declare(study, "[landing]\n", "[landing]\npseudonymise = true\n")
    assert "no key file is named" in examined(study, 6)["key"]["said"]
    key = tmp_path / "study.key"
    key.write_text("k" * 60)
    key.chmod(0o600)
    monkeypatch.setenv("OUTCOMES_PSEUDONYM_KEY_FILE", str(key))
    run = CliRunner().invoke(main, ["doctor", str(study.root)])
    assert "the key of pseudonyms is there" in run.output
    assert "kkkk" not in run.output


def test_a_server_that_is_set_and_does_not_answer_is_ill(study, monkeypatch):
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    found = examined(study, 6)["Prefect server"]
    assert "unset PREFECT_API_URL" in found["hint"]


class Silent:
    """A mail server's handler that counts what it is given."""

    n = 0

    async def handle_DATA(self, *_: object) -> str:  # noqa: N802
        Silent.n += 1
        return "250 OK"


@pytest.fixture
def mail_server():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    controller = Controller(Silent(), hostname="127.0.0.1", port=port)
    controller.start()
    yield controller
    controller.stop()


def with_mail(study, port: int) -> None:
    declare(study, 'host = ""', 'host = "127.0.0.1"')
    declare(study, "port = 587", f"port = {port}")
    declare(study, 'tls = "starttls"', 'tls = "none"')
    declare(study, 'sender = ""', 'sender = "study@example.org"')


def test_the_mail_server_is_reached_and_gets_no_mail(study, mail_server):
    with_mail(study, mail_server.port)
    found = examined(study, 0)["mail server"]
    assert (found["health"], "nobody gets mail" in found["said"]) == ("look", True)
    declare(study, "analysts = []", 'analysts = ["analyst@example.org"]')
    found = examined(study, 0)["mail server"]
    assert found["health"] == "well"
    assert "analyst@" not in found["said"]
    assert Silent.n == 0


def test_a_mail_server_that_does_not_answer_or_would_get_a_password_in_clear_is_ill(study, monkeypatch):
    with_mail(study, 9)
    assert examined(study, 6)["mail server"]["health"] == "ill"
    monkeypatch.setenv("OUTCOMES_SMTP_USER", "study")
    monkeypatch.setenv("OUTCOMES_SMTP_PASSWORD", "secret-password")
    run = CliRunner().invoke(main, ["doctor", str(study.root)])
    assert "in clear" in run.output
    assert "secret-password" not in run.output


def test_a_release_from_the_future_and_one_of_other_code_are_told(study):
    release = study.releases / "0123456789ab"
    release.mkdir(parents=True)
    (release / "manifest.json").write_text(
        json.dumps({"published_at": "2999-01-01T00:00:00+00:00", "code_version": "0.0.9"})
    )
    assert "in the future" in examined(study, 6)["clock"]["said"]
