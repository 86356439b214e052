"""docs/analyst-tasks.md: ten tasks of an analyst, each with its command, run in their order."""

from __future__ import annotations

import json
import os
import re
import subprocess
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path

import pytest
from operations_page import ROOT, commands, parsed
from processes import HANGS_SECONDS, private_environment

TASKS = (ROOT / "docs/analyst-tasks.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh *(\w*)\n(.*?)^```", TASKS, re.MULTILINE | re.DOTALL)


def run(line: str, environment: dict[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    arguments, variables = parsed(line, environment)
    return subprocess.run(
        arguments, env=variables, cwd=folder, capture_output=True, text=True, timeout=HANGS_SECONDS
    )  # fmt: skip


def look_at_the_page(line: str, environment: dict[str, str], folder: Path) -> str:
    """Start the page, open its link as a browser does, end it by Ctrl-C."""
    arguments, variables = parsed(line, environment)
    with subprocess.Popen(arguments, env={**variables, "PYTHONUNBUFFERED": "1"}, cwd=folder, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True) as page:  # fmt: skip
        link = next(filter(None, (re.search(r"http://\S+", said) for said in page.stdout)))[0]
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        with browser.open(link, timeout=HANGS_SECONDS) as answer:
            shown = answer.read().decode()
        page.send_signal(2)
        assert page.wait(HANGS_SECONDS) == 0
    return shown


def test_the_ten_tasks_are_done_as_the_page_says(my_study, tmp_path):
    assert re.findall(r"^## (\d+)\.", TASKS, re.MULTILINE) == [str(n) for n in range(1, 11)]
    environment, folder = private_environment(tmp_path / "home"), my_study.root.parent
    said: dict[str, str] = {}
    for kind, block in BLOCKS:
        for line in block.splitlines():
            if kind == "ui":
                said[line] = look_at_the_page(line, environment, folder)
                continue
            done = run(line, environment, folder)
            assert done.returncode == 0, (line, done.stdout, done.stderr)
            assert "Traceback" not in done.stderr
            said[line] = done.stdout
    release_id = my_study.current.resolve().name
    assert "Nothing to do" in said["outcomes refresh my-study"]
    assert json.loads(said["outcomes refresh my-study --json --quiet"])["release_id"] == release_id
    assert release_id in said["outcomes status my-study"]
    assert release_id in said["outcomes ui my-study"]
    assert release_id in said["outcomes diff my-study"]
    assert re.search(r"\d+ things were looked at: (all well|0 to mend, )", said["outcomes doctor my-study"])
    assert "Nothing to do" in said["outcomes upgrade my-study"]
    assert len(said) == 14


@pytest.mark.parametrize("line", [*commands("sh care"), *commands("sh ui")])
def test_the_commands_of_the_page_of_operations_do_what_it_says(line, my_study, tmp_path):
    folder = my_study.root.parent
    my_study.root.rename(folder / "study")
    environment = private_environment(tmp_path / "home")
    if " ui " in line:
        assert "Overview" in look_at_the_page(line, environment, folder)
    else:
        done = run(line, environment, folder)
        assert done.returncode == 0, done.stdout + done.stderr
    assert os.path.isdir(folder / "study")
