import polars as pl

from outcomes.cells import neutralise_formulas


def test_cells_that_a_spreadsheet_would_run_are_neutralised_and_numbers_kept():
    frame = pl.DataFrame({"a": ["=cmd()", "+1.5", "-2", "@x", "-x", "plain", None, "\tx"], "n": range(8)})
    cells = neutralise_formulas(frame)["a"].to_list()
    assert cells == ["'=cmd()", "+1.5", "-2", "'@x", "'-x", "plain", None, "'\tx"]
