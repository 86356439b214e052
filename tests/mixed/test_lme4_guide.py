"""The guide for people who come from lme4 prints what it says it prints."""

from __future__ import annotations

import contextlib
import io
import re

import pytest
from references import ROOT

PAGE = ROOT / "docs" / "coming-from-lme4.md"
BLOCK = re.compile(r"```python\n(.*?)```\n(?:```text\n(.*?)```\n)?", re.DOTALL)


def run(page: str, folder) -> list[tuple[str, str]]:
    """(expected, printed) of every block of the page, run in order in one namespace."""
    names: dict[str, object] = {}
    found = []
    for code, expected in BLOCK.findall(page):
        out = io.StringIO()
        code = code.replace('"tests/', f'"{ROOT}/tests/').replace('.save("', f'.save("{folder}/')
        with contextlib.redirect_stdout(out):
            exec(compile(code, str(PAGE), "exec"), names)
        found.append((expected, out.getvalue()))
    return found


def without_story(text: str) -> str:
    """The text without the number of evaluations, which is not the guide's subject."""
    return re.sub(r"(?m)^Optimiser .*$", "", text)


def test_the_guides_blocks_print_what_stands_below_them(tmp_path):
    blocks = run(PAGE.read_text(encoding="utf-8"), tmp_path)
    assert len(blocks) >= 8
    for expected, printed in blocks:
        assert without_story(printed) == without_story(expected)
    assert {path.name for path in tmp_path.iterdir()} == {"effects.svg", "caterpillar.svg", "diagnostics.html"}


@pytest.mark.parametrize("name", ["lme4-effects.svg", "lme4-caterpillar.svg"])
def test_the_guides_pictures_are_there(name):
    assert name in PAGE.read_text(encoding="utf-8")
    assert (ROOT / "docs" / "images" / name).read_text(encoding="utf-8").startswith("<svg")
