import polars as pl

from outcomes.store.spreadsheet_cells import neutralise_formulas


def test_cells_that_a_spreadsheet_would_run_are_neutralised_and_numbers_kept():
    frame = pl.DataFrame({"a": ["=cmd()", "+1.5", "-2", "@x", "-x", "plain", None, "\tx"], "n": range(8)})
    cells = neutralise_formulas(frame)["a"].to_list()
    assert cells == ["'=cmd()", "+1.5", "-2", "'@x", "'-x", "plain", None, "'\tx"]


def test_every_text_column_is_neutralised_on_its_own():
    frame = pl.DataFrame({"a": ["=x", "y"], "b": ["z", "@w"]})
    assert neutralise_formulas(frame).to_dict(as_series=False) == {"a": ["'=x", "y"], "b": ["z", "'@w"]}
