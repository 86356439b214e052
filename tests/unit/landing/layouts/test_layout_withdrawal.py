"""A withdrawal from exports: what can be rewritten is, byte for byte; what cannot is named until it is gone."""

import csv
import io

import pytest
from exports import CLIENTS, SESSIONS, WRITERS, as_redcap, clean_rows, put, wide_rows
from exports_common import csv_text

from outcomes.errors import StorageError
from outcomes.landing import Landed, Skipped, land_file, land_inbox
from outcomes.operate import read_status
from outcomes.trust.recording import record_state
from outcomes.trust.withdrawal import withdraw

GONE = "c03k7m3"
TEXTS = ("utf-16 with bars", "redcap", "qualtrics")


def long_ids() -> list[dict[str, str]]:
    """Rows whose ids are long enough to be searched for in any bytes."""
    return [row | {"client_id": f"{row['client_id']}k7m3"} for row in clean_rows()]


def decoded(content: bytes) -> str:
    return content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8")


@pytest.mark.parametrize("layout", TEXTS)
def test_a_client_is_taken_out_of_a_text_export_and_the_rest_stays_as_it_was(door, tmp_path, layout):
    written = WRITERS[layout](long_ids(), tmp_path)
    put(door, written)
    landed = door.land(written.content, written.name)
    record_state(door.study)
    done = withdraw(door.study, frozenset({GONE}))
    path = door.root / "inbox" / written.name
    before, after = decoded(written.content), decoded(path.read_bytes())
    n_rows = SESSIONS + (layout == "redcap")
    assert (done.source_rows, done.rows_withdrawn) == (n_rows, SESSIONS)
    kept = [line for line in before.splitlines() if GONE not in line]
    assert after.splitlines() == kept
    assert path.read_bytes()[:2] == written.content[:2]
    assert len(door.rows(landed, "client_id")) == (CLIENTS - 1) * SESSIONS
    assert isinstance(land_file(door.study, path), Skipped)


@pytest.mark.parametrize("layout", ["excel", "spss"])
def test_a_file_that_cannot_be_written_is_named_until_it_is_gone(door, tmp_path, layout):
    written = WRITERS[layout](long_ids(), tmp_path)
    put(door, written)
    assert isinstance(door.land(written.content, written.name), Landed)
    record_state(door.study)
    with pytest.raises(StorageError, match=f"inbox/{written.name}: holds an id"):
        withdraw(door.study, frozenset({GONE}))
    (door.root / "inbox" / written.name).unlink()
    assert not withdraw(door.study, frozenset()).search.found_in


@pytest.mark.parametrize("layout", ["excel", "spss"])
def test_a_withdrawal_that_does_not_concern_such_a_file_is_not_held_up_by_it(door, tmp_path, layout):
    written = WRITERS[layout]([row for row in long_ids() if row["client_id"] != GONE], tmp_path)
    put(door, written)
    door.land(written.content, written.name)
    record_state(door.study)
    done = withdraw(door.study, frozenset({GONE}))
    assert (done.source_rows, done.search.found_in, done.search.unsearchable) == (0, (), ())


def test_short_ids_are_found_in_the_id_columns_of_a_workbook(door, tmp_path):
    written = WRITERS["excel"](clean_rows(), tmp_path)
    put(door, written)
    door.land(written.content, written.name)
    record_state(door.study)
    with pytest.raises(StorageError, match=r"inbox/sessions\.xlsx: holds an id"):
        withdraw(door.study, frozenset({"c03"}))


def test_a_client_of_a_wide_file_goes_with_all_sessions(door):
    rows = [[f"{cell}k7m3" if place and column == 0 else cell for column, cell in enumerate(row)]
            for place, row in enumerate(wide_rows())]  # fmt: skip
    door.declare(
        sessions='format = "wide"\ndrop = ["age", "came_*", "day_*"]\n[sources.sessions.columns]\n'
        'satisfaction = "sat_{session_number}"\ndirectiveness = "dir{session_number}"\n'
    )
    door.land(csv_text(rows))
    record_state(door.study)
    done = withdraw(door.study, frozenset({"c3k7m3"}))
    assert (done.source_rows, done.rows_withdrawn) == (1, 3)
    left = list(csv.reader(io.StringIO((door.root / "inbox" / "sessions.csv").read_text())))
    assert left == [row for row in rows if row[0] != "c3k7m3"]


def test_ids_that_stand_in_the_records_own_row_only_are_withdrawn_with_its_visits(door, tmp_path):
    written = as_redcap(long_ids(), tmp_path)
    header, *rows = csv.reader(io.StringIO(written.content.decode()))
    # The pseudonym is a field of the intake form; the record's id is REDCap's own number.
    numbers = {pseudonym: str(place + 1) for place, pseudonym in enumerate(dict.fromkeys(row[0] for row in rows))}
    table = [[*header, "pseudonym"], *([numbers[row[0]], *row[1:], "" if row[1] else row[0]] for row in rows)]
    put(door, written)
    dictionary = door.root / "dictionary.csv"
    dictionary.write_text(dictionary.read_text() + "pseudonym,intake,,text,Pseudonym,,,,,,\n")
    study = door.root / "study.toml"
    text = study.read_text().replace('drop = ["gender"]', 'drop = ["gender", "record_id"]')
    study.write_text(text.replace('client_id = "record_id"', 'client_id = "pseudonym"'))
    landed = door.land(csv_text(table))
    assert (GONE,) in door.rows(landed, "client_id")
    record_state(door.study)
    assert withdraw(door.study, frozenset({GONE})).source_rows == SESSIONS + 1
    left = (door.root / "inbox" / "sessions.csv").read_text()
    assert not any(line.startswith(f"{numbers[GONE]},") for line in left.splitlines())


def test_a_file_that_feeds_two_kinds_is_rewritten_once_and_known_by_both_its_batches(door, tmp_path):
    written = as_redcap(long_ids(), tmp_path)
    put(door, written)
    path = door.root / "study.toml"
    study = path.read_text().replace(
        'pattern = "*clients*"',
        'pattern = "*sessions*"\nformat = "redcap"\nredcap = { dictionary = "dictionary.csv" }\ndrop = ["gender"]\n'
        '[sources.clients.columns]\nclient_id = "record_id"',
    )
    path.write_text(study)
    (door.root / "inbox" / "sessions.csv").write_bytes(written.content)
    assert read_status(door.study).waiting == ("sessions.csv",)
    assert len(land_inbox(door.study).landed) == 2
    assert read_status(door.study).waiting == ()
    record_state(door.study)
    done = withdraw(door.study, frozenset({GONE}))
    assert (done.batches_changed, done.rows_withdrawn, done.source_rows) == (2, SESSIONS + 1, SESSIONS + 1)
    again = land_inbox(door.study)
    assert (len(again.landed), len(again.skipped), len(again.refused)) == (0, 2, 0)
    assert read_status(door.study).waiting == ()
