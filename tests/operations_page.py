"""docs/operations.md: its blocks of commands, and how a line of them is run."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
PROGRAMS = {"outcomes": [sys.executable, "-m", "outcomes.cli"], "prefect": [sys.executable, "-m", "prefect"]}


def blocks(kind: str) -> list[str]:
    """Return the page's code blocks of one kind."""
    return re.findall(rf"^```{kind}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def commands(kind: str) -> list[str]:
    """Return the command lines of the page's code blocks of one kind."""
    return [line for block in blocks(kind) for line in block.splitlines()]


def parsed(command: str, environment: dict[str, str]) -> tuple[list[str], dict[str, str]]:
    """Return arguments and environment of a command line like `NAME=value prefect ...`."""
    words = shlex.split(command)
    n_settings = next(place for place, word in enumerate(words) if "=" not in word)
    settings = dict(word.split("=", 1) for word in words[:n_settings])
    program, *arguments = words[n_settings:]
    return [*PROGRAMS[program], *arguments], {**environment, **settings}


def run(command: str, environment: dict[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    arguments, variables = parsed(command, environment)
    return subprocess.run(arguments, env=variables, cwd=folder, capture_output=True, text=True, timeout=4000)
