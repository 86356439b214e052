"""Parquet and NDJSON keep the contract that CSV keeps."""

import datetime
import gzip
import json

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from outcomes.contract import Kind, Refusal
from outcomes.landing import inbox, land_inbox

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


NESTED = {
    "a map": ('{"name": "Anna Mueller", "phone": "+49 171 2345678"}', "map {'name': 'Anna Mueller'}"),
    "a list": ('["Anna Mueller", "+49 171 2345678"]', "['Anna Mueller']"),
    "a struct": ('{"name": {"given": "Anna Mueller"}}', "{'name': 'Anna Mueller', 'born': 1970}"),
    "a struct of one": ('{"Anna Mueller": 1}', "{'satisfaction': 'Anna Mueller'}"),
}


@pytest.mark.parametrize(("cell", "sql"), NESTED.values(), ids=NESTED)
@pytest.mark.parametrize("column", ["client_id", "therapist_id"])
def test_a_nested_cell_is_refused_in_words_in_every_format_and_nothing_of_it_is_kept(door, tmp_path, cell, sql, column):
    lines = [{**row, column: json.loads(cell)} for row in map(json.loads, ndjson().splitlines())]
    as_lines = door.land("".join(json.dumps(line) + "\n" for line in lines), "sessions.ndjson")
    path = tmp_path / "nested.parquet"
    with duckdb.connect() as con:
        others = ", ".join(f"'a1b2c3' as {name}" for name in ("client_id", "therapist_id") if name != column)
        con.execute(
            f"copy (select {sql} as {column}, {others}, 1 as session_number, 5.0 as directiveness, 6.0 as satisfaction)"
            f" to '{path}' (format parquet)"
        )
    as_parquet = door.land(path.read_bytes(), "sessions.parquet")
    for refused in (as_lines, as_parquet):
        assert refused.refusal is Refusal.NESTED_CELLS
        assert f"'{column}'" in refused.message
        assert "Anna" not in refused.message + refused.hint
    assert not list(door.study.landed.glob("[!.]*"))
    assert "Anna" not in door.everything_kept()


def test_a_nested_cell_of_a_column_that_is_dropped_is_not_read(door):
    door.declare(sessions='drop = ["extra"]')
    lines = [{**row, "extra": {"name": "Anna Mueller"}} for row in map(json.loads, ndjson().splitlines())]
    landed = door.land("".join(json.dumps(line) + "\n" for line in lines), "sessions.ndjson")
    assert door.rows(landed, *COLUMNS) == ROWS
    assert "Anna" not in door.everything_kept()


IDENTIFYING = ["someone@example.org", "+49 171 2345678", "DE89370400440532013000", "https://example.org/profile/anna"]


@pytest.mark.parametrize("value", IDENTIFYING)
@pytest.mark.parametrize(
    "line",
    [
        '{{"therapist_id": "t1", "client_id": "c9k7", "session_number": "{0}", "directiveness": 1, "satisfaction": 1}}',
        '{{"therapist_id": "t1", "client_id": "c9k7", "directiveness": "{0}", "session_number": 1}}',
        '{{"client_id": "c9k7", "directiveness": "{0}", "sat',
        '{{"client_id": {{"deep": ["{0}"',
        '["c9k7", "{0}"]',
        '{{"client_id": "c9k7"}} {{"name": "{0}"}}',
        '{{"client_id": "c9k7", "therapist_id": {0}',
    ],
)
def test_identifiers_in_lines_that_break_a_rule_are_found_leaf_by_leaf(door, value, line):
    refused = door.land(ndjson() + line.format(value) + "\n", "sessions.ndjson")
    assert getattr(refused, "refusal", None) is Refusal.IDENTIFIER_VALUES
    assert value not in refused.message + door.everything_kept()


def test_rows_of_ndjson_that_break_a_rule_are_kept_by_column_without_what_is_dropped(door):
    door.declare(sessions='drop = ["note"]')
    line = {"note": "never kept", "client_id": "c9", "therapist_id": "t1", "session_number": 1, "directiveness": 99.50}
    landed = door.land(ndjson() + json.dumps(line) + "\n", "sessions.ndjson")
    (row,) = door.quarantined(landed)
    kept = json.loads(row["row"])
    assert (kept["client_id"], kept["directiveness"]) == ("c9", "99.5")
    assert "never kept" not in door.everything_kept()


def bomb(path, n_rows: int, n_letters: int) -> bytes:
    """One long text in the dictionary of a column, repeated in every row: a few kilobytes for gigabytes."""

    def column(value):
        return pa.DictionaryArray.from_arrays(pa.array(np.zeros(n_rows, np.int8)), pa.array([value]))

    table = pa.table(
        {
            "client_id": column("c" * n_letters), "therapist_id": column("t1"), "session_number": column("1"),
            "directiveness": column("5"), "satisfaction": column("5"),
        }
    )  # fmt: skip
    pq.write_table(table, path, compression="zstd", write_statistics=False)
    return path.read_bytes()


@pytest.mark.parametrize(("n_rows", "n_letters"), [(300_000, 10_000), (20_000_000, 10)])
def test_a_small_parquet_file_that_unpacks_to_gigabytes_is_refused_by_name_and_the_next_file_lands(
    door, tmp_path, n_rows, n_letters
):
    content = bomb(tmp_path / "bomb.parquet", n_rows, n_letters)
    assert len(content) < 300_000
    (door.root / "inbox" / "a_sessions.parquet").write_bytes(content)
    (door.root / "inbox" / "b_sessions.ndjson").write_text(ndjson())
    report = land_inbox(door.study)
    assert [(one.file_name, one.refusal) for one in report.refused] == [("a_sessions.parquet", Refusal.TOO_LARGE)]
    assert [one.file_name for one in report.landed] == ["b_sessions.ndjson"]


def test_a_file_that_needs_more_memory_than_there_is_is_refused_by_name_and_the_next_file_lands(door, monkeypatch):
    create = inbox.create_typed

    def hungry(con, plan, rows, today):
        if plan.kind is Kind.SESSIONS and rows.n_records > len(ROWS):
            raise duckdb.OutOfMemoryException("could not allocate block of c9k7")
        create(con, plan, rows, today)

    monkeypatch.setattr(inbox, "create_typed", hungry)
    (door.root / "inbox" / "a_sessions.ndjson").write_text(ndjson(ROWS * 2))
    (door.root / "inbox" / "b_sessions.ndjson").write_text(ndjson())
    report = land_inbox(door.study)
    assert [(one.file_name, one.refusal) for one in report.refused] == [("a_sessions.ndjson", Refusal.TOO_LARGE)]
    assert "c9k7" not in report.refused[0].message
    assert [one.file_name for one in report.landed] == ["b_sessions.ndjson"]
    monkeypatch.undo()
    assert len(land_inbox(door.study).refused) == 0  # it is read again once there is memory
