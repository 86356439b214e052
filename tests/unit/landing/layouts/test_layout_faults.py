"""Faults of ten kinds, planted in an export of each layout: all are found, in their lines, and nothing else is."""

import pytest
from exports import COLUMNS, WRITERS, clean_rows, planted_rows, put, wide_rows
from exports_common import csv_text

from outcomes.contract import LeftOut, Rule
from outcomes.landing import Landed


@pytest.mark.parametrize("layout", WRITERS)
def test_a_clean_export_is_landed_whole_and_says_what_the_rows_say(door, tmp_path, layout):
    rows = clean_rows()
    written = WRITERS[layout](rows, tmp_path)
    put(door, written)
    landed = door.land(written.content, written.name)
    assert isinstance(landed, Landed), landed
    assert landed.rows_landed == len(rows)
    assert landed.rows_quarantined == 0
    found = door.rows(
        landed, "client_id", "therapist_id", "session_number", "session_date::varchar", "attended", "satisfaction",
        "directiveness", "source_line",
    )  # fmt: skip
    wanted = [
        (row["client_id"], row["therapist_id"], int(row["session_number"]), row["session_date"], True,
         float(row["satisfaction"]), float(row["directiveness"]), line)
        for row, line in zip(rows, written.lines, strict=True)
    ]  # fmt: skip
    assert found == wanted


@pytest.mark.parametrize("layout", WRITERS)
def test_ten_kinds_of_faults_are_found_in_their_lines(door, tmp_path, layout):
    rows, expected = planted_rows()
    assert len(set(expected.values())) == 10
    written = WRITERS[layout](rows, tmp_path)
    put(door, written)
    landed = door.land(written.content, written.name)
    found = {(int(row["line"]), row["rule"]) for row in door.quarantined(landed)}
    assert found == {(written.lines[place], rule.value) for place, rule in expected.items()}
    assert landed.rows_landed == len(rows) - len(expected)


@pytest.mark.parametrize("layout", ["redcap", "qualtrics"])
def test_rows_that_cannot_be_split_are_quarantined_in_their_lines(door, tmp_path, layout):
    written = WRITERS[layout](clean_rows(), tmp_path)
    put(door, written)
    lines = written.content.decode().replace("ann.marker@example.org,47.115097", ",").splitlines(keepends=True)
    lines = [line.replace("203.0.113.7", "") for line in lines]
    short, odd = written.lines[5] - 1, written.lines[9] - 1
    lines[short] = "c01,visit\n"
    lines[odd] = lines[odd].replace(",", '",', 1)
    landed = door.land("".join(lines).encode(), written.name)
    found = {(int(row["line"]), row["rule"]) for row in door.quarantined(landed)}
    assert found == {(short + 1, Rule.RAGGED_ROW), (odd + 1, Rule.BAD_QUOTE)}
    account = door.manifest(landed)
    assert account["rows_in_export"] == account["rows_read"] + sum(account["rows_left_out"].values())


WIDE = """format = "wide"
drop = ["age"]
[sources.sessions.columns]
satisfaction = "sat_{session_number}"
directiveness = "dir{session_number}"
attended = "came_{session_number}"
session_date = "day_{session_number}"
"""


def test_sessions_side_by_side_become_rows_and_empty_ones_none(door):
    rows = wide_rows()
    rows[2][-4:] = ["", "", "", ""]
    door.declare(sessions=WIDE)
    landed = door.land(csv_text(rows))
    assert door.rows(landed, "client_id", "session_number", "satisfaction", "source_line")[2:6] == [
        ("c0", 3, 3.0, 2), ("c1", 1, 2.0, 3), ("c1", 2, 3.0, 3), ("c2", 1, 3.0, 4),
    ]  # fmt: skip
    account = door.manifest(landed)
    assert (account["rows_in_export"], account["rows_read"]) == (18, 17)
    assert account["rows_left_out"] == {LeftOut.EMPTY_SESSION: 1}
    assert "18 rows of the export = 17 landed + 0 quarantined + 1 left out (1 empty_session)" in landed.account()


def test_ten_kinds_of_faults_in_a_wide_file_are_found(door):
    rows = wide_rows()
    rows[1][3] = "11"
    rows[1][8] = "many"
    rows[2][5] = "7"
    rows[2][9] = "0"
    rows[3][6] = "soon"
    rows[3][10] = "2099-01-01"
    rows[4][0] = ""
    rows.append(list(rows[5]))
    rows.append([*rows[6][:3], "1", *rows[6][4:]])
    rows.append(["c9", "t1"])
    door.declare(sessions=WIDE)
    landed = door.land(csv_text(rows) + 'c8,t1,4"0,1,1,1,2024-02-01,1,1,1,2024-02-01,1,1,1,2024-02-01\n')
    found = sorted((int(row["line"]), row["rule"]) for row in door.quarantined(landed))
    assert found == sorted(
        [
            (2, Rule.OUT_OF_RANGE), (2, Rule.NOT_A_NUMBER), (3, Rule.NOT_YES_NO), (3, Rule.RATED_BUT_ABSENT),
            (4, Rule.NOT_A_DATE), (4, Rule.IMPOSSIBLE_DATE), *[(5, Rule.MISSING_KEY)] * 3,
            (7, Rule.CONFLICTING_ROWS), *[(8, Rule.DUPLICATE_ROW)] * 3, (9, Rule.CONFLICTING_ROWS),
            *[(9, Rule.DUPLICATE_ROW)] * 2, (10, Rule.RAGGED_ROW), (11, Rule.BAD_QUOTE),
        ]
    )  # fmt: skip
    assert len({rule for _, rule in found}) >= 10


def test_a_pattern_that_fits_no_column_is_told_with_the_columns_that_there_are(door):
    door.declare(sessions=WIDE.replace("sat_", "happy_"))
    refused = door.land(csv_text(wide_rows()))
    assert refused.refusal == "missing_columns"
    assert "happy_{session_number}" in refused.message
    assert "sat_1" in refused.message


def test_marks_between_thousands_are_read_where_they_are_declared(door):
    text = csv_text([list(COLUMNS), *([row[name] for name in COLUMNS] for row in clean_rows())], ";")
    text = text.replace(";1;1;1\n", ";1;1.000;1\n", 1)
    assert text.count("1.000") == 1
    for declared, n_bad in (('decimal_mark = ","\nthousands_mark = "."', 0), ('decimal_mark = ","', 1)):
        door.declare(sessions=declared)
        path = door.root / "study.toml"
        study = path.read_text().replace(
            "[scales.satisfaction]\nminimum = 0\nmaximum = 10", "[scales.satisfaction]\nminimum = 0\nmaximum = 2000"
        )
        path.write_text(study)
        landed = door.land(text + "\n" * n_bad)
        assert landed.rows_quarantined == n_bad
    assert landed.quarantined_by_rule == {Rule.NOT_A_NUMBER: 1}


@pytest.mark.parametrize(
    ("encoding", "codec"), [("windows-1252", "cp1252"), ("latin-1", "latin-1"), ("utf-16", "utf-16")]
)
def test_an_encoding_that_is_declared_is_read_and_one_that_is_not_is_refused(door, encoding, codec):
    rows = [row | {"therapist_id": "thér-1"} for row in clean_rows()]
    content = csv_text([list(COLUMNS), *([row[name] for name in COLUMNS] for row in rows)]).encode(codec)
    door.declare()
    refused = door.land(content)
    assert refused.refusal == "encoding"
    assert "encoding =" in refused.hint
    door.declare(sessions=f'encoding = "{encoding}"')
    landed = door.land(content)
    assert door.rows(landed, "distinct therapist_id") == [("thér-1",)]


def test_a_byte_that_stands_for_no_letter_is_told_with_its_line(door):
    door.declare(sessions='encoding = "windows-1252"')
    refused = door.land(csv_text([list(COLUMNS), ["c1", "t1", "1", "2024-01-01", "1", "5", "5"]]).encode() + b"\x81")
    assert refused.refusal == "encoding"
    assert "line 3" in refused.message
