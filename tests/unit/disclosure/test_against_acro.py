"""The same tables under ACRO 1.0.2 and here: thresholds and margins."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from outcomes.disclosure import Teller, shown_count
from outcomes.disclosure.counts import told_cell
from outcomes.disclosure.reader import revealed
from outcomes.disclosure.tables import Table, view_of
from outcomes.study.settings import Disclosure

RESULTS = Path(__file__).parents[2] / "reference" / "results" / "disclosure_acro.json"


@pytest.fixture(scope="module")
def cells():
    content = json.loads(RESULTS.read_text(encoding="utf-8"))
    assert content["acro"] == "1.0.2"
    return [cell for table in content["tables"] for cell in table["cells"]]


def test_the_same_counts_are_under_the_threshold(cells):
    ours = [shown_count(len(cell["amounts"]), Disclosure()).value is None for cell in cells]
    acro = ["MinimumThresholdCheck" in cell["count_outcome"] for cell in cells]
    assert ours == acro
    assert 0 < sum(acro) < len(acro)


def test_margins_give_away_cells_that_acro_suppresses_and_none_that_we_do():
    content = json.loads(RESULTS.read_text(encoding="utf-8"))
    rule, by_acro, by_us = Disclosure(rounding=1), 0, 0
    for table in content["tables"]:
        teller = Teller(rule)
        counts = [[len(cell["amounts"]) for cell in table["cells"][i : i + 2]] for i in (0, 2, 4)]
        teller.cross("table", ("r1", "r2", "r3"), ("c1", "c2"), counts)
        ours = teller.told.tables["table"]
        acros = Table({name: told_cell(cell.count, rule) for name, cell in ours.cells.items()}, ours.sums)
        by_us += len(revealed(view_of([ours]), rule.minimum_count))
        by_acro += len(revealed(view_of([acros]), rule.minimum_count))
    assert by_us == 0
    assert by_acro >= 10
