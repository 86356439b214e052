"""Our figures agree with published ones on the data sets beside the project; the page that says so is up to date."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DATA_SETS = {
    "motcon", "selfother", "rsatools_nsfit", "alda_first_sex", "alda_cocaine_relapse_1", "alda_teachers",
    "alda_alcohol_relapse", "smoke_onset", "btheb",
}  # fmt: skip


@pytest.fixture(scope="module")
def agreement():
    """The benchmark as a module; skipped where the data are not there."""
    spec = importlib.util.spec_from_file_location("reference_agreement", ROOT / "benchmarks" / "reference_agreement.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["reference_agreement"] = module  # dataclasses look their module up while it loads
    spec.loader.exec_module(module)
    if not module.REFERENCE.is_dir():
        pytest.skip("the reference data sets are not beside the project (../shared/reference)")
    yield module
    del sys.modules["reference_agreement"]


@pytest.fixture(scope="module")
def sections(agreement):
    return agreement.compared()


def test_every_figure_agrees_with_the_published_one(sections):
    figures = [figure for rows in sections.values() for figure in rows]
    assert {figure.data_set.split(".")[0] for figure in figures} == DATA_SETS
    assert len(figures) > 300
    assert [figure for figure in figures if not figure.is_agreed] == []


def test_no_tolerance_is_wide_enough_to_hide_a_wrong_figure(sections):
    """Printed figures are held to their last digit, stored ones closer than a thousandth of their size or error."""
    wide = [
        figure
        for rows in sections.values()
        for figure in rows
        if figure.tolerance > 1e-3 * max(abs(figure.theirs), 0.1)
    ]
    assert wide == []


def test_the_page_shows_these_figures(agreement, sections):
    page = (ROOT / "docs" / "reference-agreement.md").read_text(encoding="utf-8")
    shown = page.split(agreement.START)[1].split(agreement.END)[0].strip()
    number = re.compile(r"(?<=\| )-?\d[\d.e+-]*(?= )")
    made = agreement.page(sections).strip()
    assert number.sub("#", shown) == number.sub("#", made)
    values = [[float(found) for found in number.findall(text)] for text in (shown, made)]
    assert values[0] == pytest.approx(values[1], rel=2e-5, abs=1e-6)  # another machine's optimum, in the last digits
