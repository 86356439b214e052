"""The container file and the systemd units name things that exist, and give no rights that are not needed."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import click
import pytest

from outcomes.cli import main

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
UNITS = sorted((ROOT / "docs/systemd").glob("*.service"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def instructions() -> list[tuple[str, str]]:
    """The container file's instructions in their order, continued lines joined."""
    joined = re.sub(r"\\\n", " ", DOCKERFILE)
    lines = [line for line in joined.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in lines]


def copied() -> list[str]:
    """What the container file takes from the tree."""
    parts = [part.split() for name, part in instructions() if name == "COPY" and "--from" not in part]
    return [source for words in parts for source in words[:-1]]


def is_a_command(words: list[str]) -> bool:
    """Whether a command of ours takes these words: its name, its arguments, its options."""
    command = main.commands[words[0]]
    assert isinstance(command, click.Command)
    command.make_context(words[0], list(words[1:]))
    return True


def test_the_container_takes_what_exists_and_what_the_ignore_file_lets_through():
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    let_through = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    assert "*" in ignored
    assert copied()
    for source in copied():
        assert (ROOT / source).exists(), source
        assert source in let_through, source
    assert {*PROJECT["tool"]["setuptools"]["package-dir"].values()} <= {"src/outcomes", *copied()}


def test_the_wheel_can_be_built_from_what_the_container_takes_and_nothing_else(tmp_path):
    tree = tmp_path / "tree"
    tree.mkdir()
    for source in set(copied()) - {"constraints.txt"}:
        place = ROOT / source
        skipped = shutil.ignore_patterns("__pycache__", "*.egg-info")
        shutil.copytree(place, tree / source, ignore=skipped) if place.is_dir() else shutil.copy(place, tree / source)
    command = [sys.executable, "-m", "build", "--wheel", "--outdir", str(tmp_path / "wheel"), str(tree)]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-2000:]
    assert len(list((tmp_path / "wheel").glob("outcomes-*.whl"))) == 1


def test_the_container_runs_our_command_as_a_user_without_rights():
    last = instructions()[[name for name, _ in instructions()].index("FROM", 1) :]
    told = dict(last)
    user = told["USER"].split(":")[0]
    assert user.isdecimal()
    assert int(user) >= 1000
    assert [name for name, _ in last].index("USER") < [name for name, _ in last].index("ENTRYPOINT")
    (program,) = json.loads(told["ENTRYPOINT"])
    assert program in PROJECT["project"]["scripts"]
    assert is_a_command(json.loads(told["CMD"]))


def test_the_container_is_of_a_python_that_the_project_allows_and_no_moving_tag():
    images = [part.split()[0] for name, part in instructions() if name == "FROM"]
    for image in images:
        minor = re.fullmatch(r"python:3\.(\d+)-slim", image)
        assert minor, image
        assert int(minor[1]) >= int(PROJECT["project"]["requires-python"].rpartition(".")[2])


def settings(unit: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in unit.read_text(encoding="utf-8").splitlines():
        if "=" in line and not line.startswith("#"):
            name, value = line.split("=", 1)
            found.setdefault(name, []).append(value)
    return found


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_starts_what_exists_as_a_user_without_rights(unit):
    said = settings(unit)
    words = shlex.split(said["ExecStart"][0])
    program = Path(words[0]).name
    if program == "outcomes":
        assert is_a_command(words[1:])
    else:
        assert words[:3] == ["/opt/outcomes/bin/prefect", "server", "start"]
        assert words[words.index("--host") + 1] == "127.0.0.1"
    assert said["User"] == ["outcomes"]
    for name, value in {"NoNewPrivileges": "yes", "ProtectSystem": "strict", "UMask": "0027"}.items():
        assert said[name] == [value]
    assert said["CapabilityBoundingSet"] == [""]


def test_the_units_are_named_on_the_page_of_operations():
    page = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    assert UNITS
    assert all(f"systemd/{unit.name}" in page for unit in UNITS)
    assert any(fnmatch(unit.name, "outcomes@*") for unit in UNITS)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="this machine has no systemd-analyze")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_finds_nothing_wrong_with_a_unit(unit, tmp_path):
    for other in UNITS:
        text = other.read_text(encoding="utf-8").replace("/opt/outcomes/bin/", f"{tmp_path}/bin/")
        (tmp_path / other.name).write_text(text, encoding="utf-8")
    (tmp_path / "bin").mkdir()
    for program in ("outcomes", "prefect"):
        (tmp_path / "bin" / program).write_text("#!/bin/sh\n")
        (tmp_path / "bin" / program).chmod(0o755)
    name = unit.name.replace("@.", "@practice.")
    if name != unit.name:
        shutil.copy(tmp_path / unit.name, tmp_path / name)
    run = subprocess.run(["systemd-analyze", "verify", str(tmp_path / name)], capture_output=True, text=True)
    told = [line for line in run.stderr.splitlines() if str(tmp_path) in line or name in line]
    assert told == [], run.stderr
