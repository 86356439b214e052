"""Measure how long each of the ten tasks of a researcher and of an analyst takes until its first result.

Run as `python benchmarks/first_results.py STUDY`, with a published study of two releases; a copy of it is used.
`--only 1 3` does some of the tasks. Prints the tables of docs/researcher-tasks.md and docs/analyst-tasks.md. Seconds
are those of the processor (user and system, with all children), so that they do not depend on what else the machine
does; a command's start and imports are in them. Cells of Python run one after another in one process, as in a notebook:
the first has the imports.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookiejar import CookieJar
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"
PAGES = {"researcher": DOCS / "researcher-tasks.md", "analyst": DOCS / "analyst-tasks.md"}
NAME = "my-study"  # as the pages call it
_TASK = re.compile(r"^## (\d+)\. (.*?)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_BLOCK = re.compile(r"^```(python|sh) *\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)


def seconds_used() -> float:
    """Return the processor seconds of this process and of its children that have ended."""
    return sum(os.times()[:4])


@contextmanager
def placed(study: Path) -> Iterator[None]:
    """Work beside a copy of the study."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory(prefix="outcomes-tasks-") as folder:
        shutil.copytree(study, Path(folder) / NAME, symlinks=True)
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(before)


def run_line(line: str) -> None:
    """Run one command of a page; one that stays, the study's page, until it shows its first page."""
    program, *arguments = shlex.split(line)
    command = [sys.executable, "-m", "outcomes.cli", *arguments]
    if program != "outcomes":
        raise SystemExit(f"a command of another program: {program}")
    if arguments[0] != "ui":
        subprocess.run(command, check=True, capture_output=True)
        return
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as page:
        link = next(filter(None, (re.search(r"http://\S+", said) for said in page.stdout)))[0]
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        browser.open(link).close()
        page.send_signal(signal.SIGINT)


def table(page: Path, only: list[int]) -> str:
    """Do the tasks of a page in their order; return their times as a table."""
    rows, cells = ["| task | first result after | whole task |", "|---|---|---|"], {}
    for number, title, body in _TASK.findall(page.read_text(encoding="utf-8")):
        if only and int(number) not in only:
            continue
        start, first = seconds_used(), None
        for language, block in _BLOCK.findall(body):
            for part in [block] if language == "python" else block.splitlines():
                with contextlib.redirect_stdout(io.StringIO()):
                    exec(compile(part, page.name, "exec"), cells) if language == "python" else run_line(part)
                first = first if first is not None else seconds_used() - start
        rows.append(f"| {number}. {title} | {first or 0:.1f} s | {seconds_used() - start:.1f} s |")
    if "study" in cells:
        cells["study"].close()
    return "\n".join(rows)


def main() -> None:
    """Measure both pages."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("study", type=Path)
    arguments.add_argument("--only", type=int, nargs="*", default=[])
    asked = arguments.parse_args()
    with placed(asked.study.resolve()):
        for who, page in PAGES.items():
            print(f"{who}\n\n{table(page, asked.only)}\n", flush=True)


if __name__ == "__main__":
    main()
