"""Tables for a terminal: whole words, whole numbers, or one column a line."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from outcomes.store.html_tables import as_html_table
from outcomes.store.text_tables import as_blocks, as_text_table

WORDS = st.text("abc ", min_size=1, max_size=60)


@given(st.lists(st.tuples(WORDS, WORDS, st.integers(0, 10**9)), min_size=1, max_size=4), st.integers(20, 160))
def test_no_word_is_cut_and_no_line_is_longer_than_the_terminal(rows, width):
    frame = pl.DataFrame(rows, schema=["one", "two", "n"], orient="row")
    told = as_text_table(frame, width=width)
    for row in rows:
        assert all(word in told for cell in row for word in str(cell).split())
    if told.startswith("|"):
        assert max(map(len, told.splitlines())) <= width


def test_what_does_not_fit_stands_one_column_a_line():
    frame = pl.DataFrame({f"column_{i}": [i] for i in range(40)})
    assert as_text_table(frame, width=80).splitlines()[:2] == ["-- 1 --", "column_0  | 0"]
    assert as_text_table(frame, width=1000).count("\n") == 2


def test_a_long_text_of_a_block_goes_on_below_itself():
    lines = as_blocks(pl.DataFrame({"a": ["one two three four five six"]}), width=20).splitlines()
    assert lines == ["-- 1 --", "a | one two three", "  | four five six"]


def test_text_in_html_is_escaped():
    assert "<script>" not in as_html_table(["a"], [["<script>"]])
