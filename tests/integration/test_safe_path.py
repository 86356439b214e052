"""Files in the working directory are data: no Python child of ours runs them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from processes import private_environment

from outcomes.study import create_study

# Modules that servers and clients look for and take where they find them, whether they need them or not.
PLANTED = ("uvloop", "brotli", "brotlicffi", "h2", "httptools", "zstandard", "socksio", "sitecustomize")
SAYS_SO = "from pathlib import Path\nPath({marker!r}).touch()\nraise ImportError\n"


def plant(folder: Path, marker: Path) -> None:
    for name in PLANTED:
        (folder / f"{name}.py").write_text(SAYS_SO.format(marker=str(marker)))


@pytest.fixture
def trap(tmp_path):
    """A study whose inbox has modules of well-known names, and the file that they make where they are run."""
    study, marker = create_study(tmp_path / "study"), tmp_path / "executed"
    plant(study.inbox, marker)
    return study, marker


def run(arguments: list[str], study, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    environment = private_environment(tmp_path / "home")
    return subprocess.run(arguments, env=environment, cwd=study.inbox, capture_output=True, text=True, timeout=600)


def test_the_trap_catches_a_child_that_is_started_as_usual(trap, tmp_path):
    study, marker = trap
    run([sys.executable, "-m", "uvicorn", "--version"], study, tmp_path)
    run([sys.executable, "-c", "import uvloop"], study, tmp_path)
    assert marker.exists()


def test_a_child_of_the_command_line_imports_nothing_from_where_it_stands(trap, tmp_path):
    study, marker = trap
    start = "import sys; del sys.path[0]; import outcomes.flows.refresh, subprocess; "
    child = "subprocess.run([sys.executable, '-c', 'import uvloop'])"
    assert run([sys.executable, "-c", start + child], study, tmp_path).returncode == 0
    assert not marker.exists()


def test_a_refresh_from_within_the_inbox_runs_no_file_of_it_in_prefects_temporary_server(trap, tmp_path):
    study, marker = trap
    flow = "import sys; del sys.path[0]; from outcomes.flows.refresh import refresh; refresh(sys.argv[1])"
    done = run([sys.executable, "-c", flow, str(study.root)], study, tmp_path)
    assert "No sessions are landed" in done.stderr  # the flow ran, so the server was there
    assert not marker.exists()


def test_a_refresh_by_hand_from_within_the_inbox_runs_no_file_of_it(trap, tmp_path):
    study, marker = trap
    program = Path(sys.executable).with_name("outcomes")
    done = run([str(program), "refresh", str(study.root)], study, tmp_path)
    assert "No sessions are landed" in done.stderr
    assert not marker.exists()
