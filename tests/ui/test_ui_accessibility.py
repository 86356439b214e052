"""The pages of `outcomes ui`, and the checks of a release, under axe-core: nothing is found."""

from __future__ import annotations

import pytest
from axe import LOOKS, found

DESK, PHONE = LOOKS
PAGES = {
    "/": DESK, "/findings": PHONE, "/documents": PHONE, "/codebook": DESK, "/history": PHONE, "/ask": DESK,
    "/releases/{release}": PHONE, "/releases/{release}/checks.html": DESK, "/nowhere": PHONE,
}  # fmt: skip
"""Each once: they share their style and their parts, and a browser costs seconds."""


@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing(path, page, axe, tmp_path):
    release = (page.root / "current").resolve().name
    answer = page.ask(path.format(release=release)).text
    style = page.ask("/style.css").text
    whole = answer.replace('<link rel="stylesheet" href="/style.css">', f"<style>{style}</style>")
    said = found(whole, axe, tmp_path, *LOOKS[PAGES[path]])
    assert said["n"] > 12, "axe must have looked"
    assert said["violations"] == []


@pytest.mark.parametrize("sql", ["select release_id, study_name from release", "select nothing from nowhere"])
def test_axe_finds_nothing_in_an_answer_or_a_refusal(sql, page, axe, tmp_path):
    answer = page.question(sql).text
    style = page.ask("/style.css").text
    whole = answer.replace('<link rel="stylesheet" href="/style.css">', f"<style>{style}</style>")
    said = found(whole, axe, tmp_path, *LOOKS[PHONE])
    assert ("Practice outcomes</td>" in answer) is ("release" in sql)
    assert said["violations"] == []
