"""The page for analysts says what the contract says."""

from pathlib import Path

import pytest

from outcomes.contract import Kind
from outcomes.landing.formats.registry import SUFFIXES
from outcomes.landing.handbook import columns_table, left_out_table, refusals_table, rules_table
from outcomes.landing.layouts.registry import LAYOUTS, TABLES

PAGE = Path(__file__).parents[3] / "docs" / "landing.md"


@pytest.mark.parametrize(
    "table",
    [refusals_table(), rules_table(), left_out_table(), *map(columns_table, Kind)],
    ids=["refusals", "rules", "left out", *Kind],
)
def test_the_tables_of_the_page_are_those_of_the_contract(table):
    assert table in PAGE.read_text(encoding="utf-8"), f"put this into docs/landing.md:\n{table}"


def test_the_page_names_every_ending_that_is_read():
    text = PAGE.read_text(encoding="utf-8")
    assert all(f"`{ending}`" in text for ending in (*SUFFIXES, *TABLES))


def test_the_page_names_every_layout():
    text = PAGE.read_text(encoding="utf-8")
    assert all(f"| `{name}` |" in text for name in LAYOUTS)
