"""The wheel on every Python that is here, in an environment and a folder that have nothing else of ours."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from processes import HANGS_SECONDS, private_environment

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CLASSIFIER = "Programming Language :: Python :: 3."
VERSIONS = [one.removeprefix(CLASSIFIER[:-2]) for one in PROJECT["classifiers"] if one.startswith(CLASSIFIER)]


def interpreter(version: str) -> Path:
    """A Python of this version: on the path, or one of pyenv's; a shim that leads nowhere is none."""
    named = shutil.which(f"python{version}")
    found = [Path(named)] if named else []
    found += sorted((Path.home() / ".pyenv/versions").glob(f"{version}.*/bin/python"))
    for one in found:
        asked = [str(one), "-c", "import sys; print('.'.join(map(str, sys.version_info[:2])))"]
        if subprocess.run(asked, capture_output=True, text=True).stdout.strip() == version:
            return one
    pytest.skip(f"no Python {version} here")


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
def test_the_wheel_makes_and_refreshes_a_study_in_a_bare_environment(version, unpacked_wheel, ask_only, tmp_path):
    python = interpreter(version)
    (wheel,) = unpacked_wheel.parent.glob("*.whl")
    subprocess.run([python, "-m", "venv", tmp_path / "venv"], check=True)
    pip = [tmp_path / "venv/bin/pip", "install", "-q", "--no-compile", "-c", ROOT / "constraints.txt", wheel]
    installed = subprocess.run(pip, capture_output=True, text=True)
    assert installed.returncode == 0, installed.stderr[-2000:]
    environment = private_environment(tmp_path / "home")
    environment = {name: value for name, value in environment.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}

    def outcomes(*words: str) -> str:
        command = [tmp_path / "venv/bin/outcomes", *words]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=HANGS_SECONDS
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Warning" not in done.stderr
        return done.stdout

    outcomes("init", "study")
    ask_only(tmp_path / "study", "guidance")
    outcomes("simulate", "study", "--clients", "120", "--therapists", "12")
    ended = json.loads(outcomes("refresh", "study", "--json", "--quiet"))
    assert (tmp_path / "study" / "current" / "report.html").exists()
    assert ended["release_id"] in outcomes("status", "study")
    assert "satisfaction" in outcomes("query", "study", "select distinct model from model_estimates")


def test_the_pythons_that_are_named_are_the_same_everywhere_and_this_one_is_among_them():
    assert PROJECT["requires-python"] == f">={VERSIONS[0]}"
    assert f"{sys.version_info[0]}.{sys.version_info[1]}" in VERSIONS
    *first, last = VERSIONS
    said = re.escape(f"{', '.join(first)} and {last}")
    for page in ("README.md", "docs/operations.md"):
        assert re.search(rf"Python {said}", (ROOT / page).read_text(encoding="utf-8")), page
