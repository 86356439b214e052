"""Shell completion: the page's lines write scripts that their shells accept, and words are completed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from operations_page import commands
from processes import HANGS_SECONDS

BIN = str(Path(sys.executable).parent)
FUNCTION = {"bash": "_outcomes_completion() {", "zsh": "#compdef outcomes", "fish": "function _outcomes_completion;"}


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", **more}


@pytest.mark.parametrize("line", commands("sh completion"))
def test_each_line_of_the_page_writes_a_script_of_its_shell(line, tmp_path):
    (tmp_path / ".config/fish/completions").mkdir(parents=True)
    subprocess.run(["sh", "-c", line], env=environment(HOME=str(tmp_path)), check=True, timeout=HANGS_SECONDS)
    (written,) = [path for path in tmp_path.rglob("*") if path.is_file()]
    shell = line.split("=")[1].split("_")[0]
    assert FUNCTION[shell] in written.read_text()
    if program := shutil.which(shell):
        checked = subprocess.run([program, "-n", str(written)], capture_output=True, text=True, timeout=HANGS_SECONDS)
        assert checked.returncode == 0, checked.stderr


def test_the_page_has_the_three_shells():
    assert [line.split("=")[1].split("_")[0] for line in commands("sh completion")] == list(FUNCTION)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [("ref", {"refresh"}), ("refresh --", {"--json", "--quiet", "--wait"}), ("export x --format ", {"csv", "sav"})],
)
@pytest.mark.parametrize("shell", FUNCTION)
def test_commands_options_and_choices_are_completed(shell, typed, expected):
    words = f"outcomes {typed}"
    last = words.rsplit(" ", 1)[-1]
    asked = {"COMP_WORDS": words, "COMP_CWORD": last if shell == "fish" else str(words.count(" "))}
    run = subprocess.run(
        [f"{BIN}/outcomes"], env=environment(_OUTCOMES_COMPLETE=f"{shell}_complete", **asked),
        capture_output=True, text=True, timeout=HANGS_SECONDS,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert all(word in run.stdout for word in expected), run.stdout
