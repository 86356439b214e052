"""Where things are kept: the one door to DuckDB, files written aside and renamed, cells that a spreadsheet may open."""
