"""CSV as institutions write it: what is read, what costs a row, what costs the file."""

import gzip

import pytest

from outcomes.contract import Refusal
from outcomes.landing import Landed, Refused

HEADER = "therapist_id,client_id,session_number,directiveness,satisfaction"
GOOD = f"{HEADER}\nt1,c1,1,5,6\nt1,c1,2,5.5,7\nt2,c2,1,,8\n"
VALUES = [("t1", "c1", 1, 5.0, 6.0, 2), ("t1", "c1", 2, 5.5, 7.0, 3), ("t2", "c2", 1, None, 8.0, 4)]
WAYS = "plain bom semicolon tab crlf mixed no-last-end blanks crlf-blanks quotes name-blanks value-blanks"
COLUMNS = ("therapist_id", "client_id", "session_number", "directiveness", "satisfaction", "source_line")


@pytest.mark.parametrize(
    "content",
    [
        GOOD,
        "\ufeff" + GOOD,
        GOOD.replace(",", ";"),
        GOOD.replace(",", "\t"),
        GOOD.replace("\n", "\r\n"),
        GOOD.replace("\n", "\r\n", 2),
        GOOD.rstrip("\n"),
        GOOD + "\n\n",
        GOOD.replace("\n", "\r\n") + "\r\n\r\n",
        GOOD.replace("t1", '"t1"'),
        GOOD.replace("therapist_id", '" Therapist_ID"'),
        GOOD.replace("6\n", " 6 \n"),
    ],
    ids=WAYS.split(),
)
def test_ways_of_writing_the_same_table_land_the_same_values(door, content):
    landed = door.land(content)
    assert isinstance(landed, Landed), landed
    assert door.rows(landed, *COLUMNS) == VALUES


def test_gzip_is_unpacked(door):
    landed = door.land(gzip.compress(GOOD.encode()), "Sessions.CSV.gz")
    assert door.rows(landed, *COLUMNS) == VALUES


def test_columns_are_matched_by_name_whatever_their_order(door):
    landed = door.land("satisfaction,client_id,session_number,therapist_id,directiveness\n6,c1,1,t1,5\n")
    assert door.rows(landed, *COLUMNS) == [("t1", "c1", 1, 5.0, 6.0, 2)]


def test_blank_lines_are_no_rows_and_the_lines_after_them_keep_their_numbers(door):
    landed = door.land(f"{HEADER}\nt1,c1,1,5,6\n\n\nt1,c1,2,5,6\n")
    assert door.rows(landed, "source_line") == [(2,), (5,)]


def test_a_quoted_line_break_in_a_dropped_column_is_one_row_and_moves_the_lines_after_it(door):
    door.declare(sessions='drop = ["remarks"]')
    landed = door.land(f'{HEADER},remarks\nt1,c1,1,5,6,"one\ntwo"\nt1,c1,2,5,6,\n')
    assert door.rows(landed, "session_number", "source_line") == [(1, 2), (2, 4)]
    assert landed.columns_dropped == ("remarks",)


def test_decimal_commas_are_read_where_they_are_declared(door):
    door.declare(sessions='decimal_mark = ","')
    landed = door.land(f"{HEADER}\nt1,c1,1,5.5,6\nt1,c1,2,5,6\n".replace(",", ";").replace(".", ","))
    assert door.rows(landed, "directiveness") == [(5.5,), (5.0,)]


def test_a_point_is_no_number_where_the_decimal_comma_is_declared(door):
    door.declare(sessions='decimal_mark = ","')
    assert door.broken(f"{HEADER}\nt1,c1,1,5.5,6\nt1,c1,2,5,6\n".replace(",", ";")) == [(2, "not_a_number")]


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        ("t1,c1,2,5", "ragged_row"),
        ("t1,c1,2,5,6,7", "ragged_row"),
        ('t1,c1,2,5,"6"x', "bad_quote"),
        ('t1,c"1,2,5,6', "bad_quote"),
        ("t1,c\x001,2,5,6", "control_character"),
        ("t1,c\x071,2,5,6", "control_character"),
        ("t1,c\u202e1,2,5,6", "control_character"),
        ("t1,c\r1,2,5,6", "control_character"),
    ],
)
def test_a_malformed_row_costs_itself_only(door, row, rule):
    assert door.broken(f"{HEADER}\nt1,c1,1,5,6\n{row}\nt1,c1,3,5,6\n") == [(3, rule)]
    assert door.land(f"{HEADER}\nt1,c1,1,5,6\n{row}\nt1,c1,3,5,6\n").batch_id == "0001-" + _only_batch(door)[5:]


def _only_batch(door) -> str:
    (batch,) = [path.name for path in (door.root / "landed").iterdir()]
    return batch


def test_rows_after_a_malformed_one_keep_their_physical_lines(door):
    landed = door.land(f'{HEADER}\nt1,c1,1,5,6\nt1,c1\nt1,c1,3,5,"6"x\nt1,c1,4,5,6\n')
    assert door.rows(landed, "session_number", "source_line") == [(1, 2), (4, 5)]
    assert (landed.rows_read, landed.rows_landed, landed.rows_quarantined) == (4, 2, 2)


def test_a_last_line_that_is_cut_off_is_found(door):
    assert door.broken(f"{HEADER}\nt1,c1,1,5,6\nt1,c1,2") == [(3, "ragged_row")]


def test_a_last_line_that_is_cut_off_within_quotes_is_found(door):
    assert door.broken(f'{HEADER}\nt1,c1,1,5,6\n"t1","c1') == [(3, "bad_quote")]


@pytest.mark.parametrize("n_after", [3, 200_000])
@pytest.mark.parametrize("cell", ["t1", '"t1"'])
def test_a_quote_that_swallows_rows_refuses_the_file(door, n_after, cell):
    rows = "".join(f"{cell},c{place},1,5,6\n" for place in range(n_after))
    refused = door.land(f'{HEADER}\n"t0,c0,1,5,6\n{rows}')
    assert isinstance(refused, Refused)
    assert refused.refusal is Refusal.UNTERMINATED_QUOTE
    assert "line 2" in refused.message


def test_two_open_quotes_that_make_one_well_formed_row_of_several_lines_refuse_the_file(door):
    refused = door.land(f'{HEADER}\nt1,c1,1,5,"6\nt1,c1,2,5,6\nt1,c1,3,5,6"\n')
    assert refused.refusal is Refusal.UNTERMINATED_QUOTE


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "cp1252"])
def test_other_encodings_are_refused_with_the_place(door, encoding):
    refused = door.land(GOOD.replace("t2", "tü").encode(encoding))
    assert refused.refusal is Refusal.ENCODING
    assert "line" in refused.message
    assert "UTF-8" in refused.hint


def test_the_place_of_the_first_strange_byte_is_named(door):
    content = GOOD.replace("t2", "tü").encode("latin-1")
    assert f"line 4, byte {content.index(0xFC) + 1}" in door.land(content).message


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        ("", Refusal.EMPTY),
        ("\n\n", Refusal.EMPTY),
        (HEADER + "\n", Refusal.EMPTY),
        (GOOD.replace(",", "^"), Refusal.DELIMITER),
        (GOOD.replace("\n", "\r"), Refusal.UNREADABLE),
        (GOOD.replace("directiveness", "satisfaction"), Refusal.DUPLICATE_COLUMNS),
        (GOOD.replace("directiveness", "Satisfaction "), Refusal.DUPLICATE_COLUMNS),
        (GOOD.replace("directiveness", "guidance"), Refusal.UNKNOWN_COLUMNS),
        (GOOD.replace("therapist_id", "practice_id"), Refusal.MISSING_COLUMNS),
        (GOOD.replace("session_number", "session_date"), Refusal.MISSING_COLUMNS),
    ],
)
def test_what_is_no_table_of_the_contract_is_refused(door, content, refusal):
    assert door.land(content).refusal is refusal
    assert not (door.root / "landed").exists()


def test_a_line_of_many_bytes_is_refused_before_it_is_read_whole(door):
    assert door.land(f"{HEADER}\nt1,{'c' * 3_000_000},1,5,6\n").refusal is Refusal.TOO_LARGE


def test_rows_are_the_same_over_the_borders_of_read_chunks(door):
    n_rows = 300_000
    rows = "".join(f'"t{place % 50}",c{place},1,{place % 10}.5,6\r\n' for place in range(n_rows))
    landed = door.land(f"{HEADER}\r\n{rows}")
    found = door.rows(landed, "count(*)", "count(distinct client_id)", "sum(directiveness)", "max(source_line)")
    assert found == [(n_rows, n_rows, n_rows * 5.0, n_rows + 1)]


def test_a_bad_row_far_into_the_file_is_found_on_its_line(door):
    n_rows = 250_000
    rows = [f"t{place % 50},c{place},1,5,6" for place in range(n_rows)]
    rows[200_000], rows[240_000] = "t1,c1", 't1,"c"1,1,5,6'
    door.declare(max_bad_share=0.5)
    landed = door.land("\n".join([HEADER, *rows]))
    lines = [(int(row["line"]), row["rule"]) for row in door.quarantined(landed)]
    assert lines == [(200_002, "ragged_row"), (240_002, "bad_quote")]
    assert door.rows(landed, "count(*)", "max(source_line)") == [(n_rows - 2, n_rows + 1)]
