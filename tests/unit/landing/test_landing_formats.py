"""Parquet and NDJSON keep the contract that CSV keeps."""

import datetime
import gzip
import json

import duckdb
import pytest

from outcomes.contract import Refusal

COLUMNS = ("therapist_id", "client_id", "session_number", "session_date", "attended", "directiveness", "satisfaction")
ROWS = [
    ("t1", "c1", 1, datetime.date(2024, 5, 6), True, 5.5, 6.0),
    ("t1", "c1", 2, datetime.date(2024, 5, 7), True, None, 7.0),
    ("t2", "c2", 1, datetime.date(2024, 5, 8), False, None, None),
]
TYPES = ("varchar", "varchar", "bigint", "date", "boolean", "double", "double")


def parquet(path, rows=ROWS, columns=COLUMNS, types=TYPES) -> bytes:
    names = ['"' + name.replace('"', '""') + '"' for name in columns]
    with duckdb.connect() as con:
        declared = ", ".join(f"{name} {type_}" for name, type_ in zip(names, types, strict=True))
        con.execute(f"create table rows ({declared})")
        con.executemany(f"insert into rows values ({', '.join('?' * len(names))})", rows)
        con.execute(f"copy rows to '{path}' (format parquet)")
    return path.read_bytes()


def ndjson(rows=ROWS, columns=COLUMNS) -> str:
    return "".join(json.dumps(dict(zip(columns, row, strict=True)), default=str) + "\n" for row in rows)


def test_parquet_lands_what_it_holds(door, tmp_path):
    landed = door.land(parquet(tmp_path / "a.parquet"), "sessions.parquet")
    assert door.rows(landed, *COLUMNS) == ROWS
    assert door.rows(landed, "source_line") == [(2,), (3,), (4,)]


def test_parquet_keeps_its_values_under_a_study_of_decimal_commas_and_other_dates_and_words(door, tmp_path):
    door.declare(sessions='decimal_mark = ","\ndate_format = "%d/%m/%Y"\nyes = ["ja"]\nno = ["nein"]')
    landed = door.land(parquet(tmp_path / "a.parquet"), "sessions.parquet")
    assert door.rows(landed, *COLUMNS) == ROWS


def test_rows_of_parquet_break_rules_as_rows_of_csv_do(door, tmp_path):
    bad = [
        ("t1", "c3", 1, None, True, 11.0, 5.0),
        (None, "c4", 1, None, True, 1.0, 5.0),
        ("t\x07", "c5", 1, *[None] * 4),
    ]
    content = parquet(tmp_path / "a.parquet", ROWS + bad)
    assert door.broken(content, "sessions.parquet") == [
        (5, "out_of_range"), (6, "missing_key"), (7, "control_character"),
    ]  # fmt: skip


@pytest.mark.parametrize("cut", [50, -30])
def test_damaged_parquet_is_refused(door, tmp_path, cut):
    assert door.land(parquet(tmp_path / "a.parquet")[:cut], "sessions.parquet").refusal is Refusal.UNREADABLE


def test_parquet_with_a_damaged_page_is_refused_or_quarantined_without_its_values(door, tmp_path):
    content = bytearray(parquet(tmp_path / "a.parquet", ROWS * 1000))
    content[10:2000] = b"\xff" * 1990
    refused = door.land(bytes(content), "sessions.parquet")
    assert refused.refusal is Refusal.UNREADABLE


def test_hostile_column_names_never_reach_sql(door, tmp_path):
    hostile = ['x"; drop table typed; --', "c0", "' or 1=1"]
    names, types = (*COLUMNS, *hostile), (*TYPES, "varchar", "varchar", "varchar")
    rows = [(*row, "a", "b", "c") for row in ROWS]
    content = parquet(tmp_path / "a.parquet", rows, names, types)
    assert door.land(content, "sessions.parquet").refusal is Refusal.UNKNOWN_COLUMNS
    door.declare(sessions=f"drop = {json.dumps(hostile)}")
    assert door.rows(door.land(content, "sessions.parquet"), *COLUMNS) == ROWS
    lines = door.land(ndjson(rows, names), "sessions.ndjson")
    assert door.rows(lines, *COLUMNS) == ROWS


def test_a_hostile_column_name_that_is_mapped_is_read(door):
    name = "a\"b'c/d~e"
    door.declare(sessions=f"[sources.sessions.columns]\nsatisfaction = {json.dumps(name)}")
    columns = (*COLUMNS[:-1], name)
    assert door.rows(door.land(ndjson(columns=columns), "sessions.ndjson"), *COLUMNS) == ROWS


@pytest.mark.parametrize("pack", [lambda text: text.encode(), lambda text: gzip.compress(text.encode())])
def test_ndjson_lands_what_it_holds(door, pack):
    content = pack("\ufeff" + ndjson().replace("\n", "\r\n", 1) + "\n")
    name = "sessions.jsonl.gz" if content[:2] == b"\x1f\x8b" else "sessions.jsonl"
    landed = door.land(content, name)
    assert door.rows(landed, *COLUMNS) == ROWS
    assert door.rows(landed, "source_line") == [(2 - 1,), (2,), (3,)]


def test_keys_may_come_in_any_order_and_be_absent(door):
    lines = '{"client_id":"c1","therapist_id":"t1","session_number":1,"directiveness":5}\n' \
            '{"satisfaction":6,"session_number":"2","therapist_id":"t1","client_id":"c1"}\n'  # fmt: skip
    landed = door.land(lines, "sessions.ndjson")
    assert door.rows(landed, "session_number", "directiveness", "satisfaction") == [(1, 5.0, None), (2, None, 6.0)]


def test_lines_that_are_no_objects_cost_themselves_only(door):
    lines = ndjson().splitlines()
    content = "\n".join(
        [lines[0], "[1, 2]", '{"client_id": "c1"', "", lines[1], '{"client_id": "c\x07"}', lines[2][:30]]
    )
    assert door.broken(content, "sessions.ndjson") == [
        (2, "ragged_row"), (3, "ragged_row"), (6, "control_character"), (7, "ragged_row"),
    ]  # fmt: skip


def test_a_key_that_stands_twice_in_an_object_is_refused(door):
    line = ndjson(ROWS[:1]).replace('"client_id"', '"client_id": "c7", "client_id"')
    assert door.land(line, "sessions.ndjson").refusal is Refusal.DUPLICATE_COLUMNS


def test_identifiers_are_refused_in_every_format(door, tmp_path):
    rows = [("t1", "someone@example.org", *ROWS[0][2:])]
    assert door.land(ndjson(rows), "sessions.ndjson").refusal is Refusal.IDENTIFIER_VALUES
    content = parquet(tmp_path / "a.parquet", rows)
    assert door.land(content, "sessions.parquet").refusal is Refusal.IDENTIFIER_VALUES
    assert "someone" not in door.everything_kept()
