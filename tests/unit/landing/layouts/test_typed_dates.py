"""Dates that a format holds as such land under whatever date format the study declares; the time of day is left."""

from __future__ import annotations

import io
from datetime import date, datetime

import pandas as pd
import pyreadstat
import pytest
import xlsxwriter

HEADER = ["client_id", "therapist_id", "session_number", "session_date", "directiveness", "satisfaction"]
DAY = date(2024, 3, 7)
CELLS = {"a date": DAY, "midnight": datetime(2024, 3, 7), "a time of day": datetime(2024, 3, 7, 14, 30)}
FORMATS = ["%Y-%m-%d", "%d.%m.%Y", "%Y-%m-%d %H:%M:%S", "%d/%m/%Y %H:%M"]


def workbook(*cells: date | str) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"default_date_format": "yyyy-mm-dd hh:mm"}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEADER)
        for place, cell in enumerate(cells, start=1):
            sheet.write_row(place, 0, ["c1", "t1", place, cell, 3, 4])
    return out.getvalue()


@pytest.mark.parametrize("date_format", FORMATS)
@pytest.mark.parametrize("cell", CELLS)
def test_dates_of_a_workbook_land_in_every_declared_format(door, cell, date_format):
    door.declare(f'date_format = "{date_format}"')
    landed = door.land(workbook(CELLS[cell], DAY.strftime(date_format)), "sessions.xlsx")
    assert door.rows(landed, "session_date") == [(DAY,), (DAY,)]


@pytest.mark.parametrize("date_format", FORMATS)
def test_dates_of_spss_land_in_every_declared_format(door, tmp_path, date_format):
    rows = [["c1", "t1", place, day, 3.0, 4.0] for place, day in enumerate(CELLS.values(), start=1)]
    for place, _ in enumerate(CELLS):
        frame = pd.DataFrame([rows[place]], columns=HEADER)
        path = tmp_path / f"sessions{place}.sav"
        pyreadstat.write_sav(frame, path)
        door.declare(f'date_format = "{date_format}"')
        landed = door.land(path.read_bytes(), path.name)
        assert door.rows(landed, "session_date") == [(DAY,)]
