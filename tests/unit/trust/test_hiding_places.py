"""Wherever an id stands below the study, the search finds it or says that it cannot look there."""

from __future__ import annotations

import base64
import gzip
import hashlib
import os
import re

import duckdb
import pyarrow as pa
import pyarrow.parquet
import pytest
from hiding_places import FILLER, PLACES
from trust_inputs import client

from outcomes.errors import StorageError
from outcomes.study import create_study
from outcomes.trust.persons import Persons
from outcomes.trust.search import search_study
from outcomes.trust.withdrawal import withdraw

ONE = client(3)
PERSONS = Persons(frozenset({ONE}))


@pytest.fixture
def empty(tmp_path):
    return create_study(tmp_path / "study")


@pytest.mark.parametrize("place", PLACES)
def test_an_id_is_found_or_its_file_is_named_as_one_that_cannot_be_searched(empty, place):
    folder = empty.inbox / "more"
    folder.mkdir()
    PLACES[place](folder, ONE)
    if place == "a file that may not be read" and os.access(folder / "closed.txt", os.R_OK):
        pytest.skip("this user may read everything")
    found = search_study(empty, PERSONS)
    named = [*found.found_in, *found.unsearchable]
    assert len(named) == 1, place
    assert named[0].startswith("inbox/more/")
    assert ONE not in found.as_text() + "".join(named)
    assert "found in 0" not in found.as_text()


@pytest.mark.parametrize(
    "content",
    [
        FILLER.encode(),
        "\n".join(hashlib.sha256(bytes([n])).hexdigest() for n in range(99)).encode(),
        b"\n".join(base64.b64encode(hashlib.sha256(bytes([n])).digest()) for n in range(99)),
        gzip.compress(FILLER.encode()),
        f"{ONE}x and x{ONE} are other words".encode(),
        "Größe, naïve, Привет, 東京\n".encode(),
        "Größe, naïve\n".encode("latin-1"),
        "Grüße aus Köln\n".encode("utf-16"),
        bytes(5000),
        b"",
    ],
)
def test_a_file_without_them_is_neither_found_nor_unsearchable(empty, content):
    (empty.inbox / "a.dat").write_bytes(content)
    found = search_study(empty, PERSONS)
    assert found.found_in == found.unsearchable == ()
    assert "found in 0" in found.as_text()


def test_ordinary_tables_are_neither_found_nor_unsearchable(empty):
    frame = pa.table({"client_id": ["c01k7m3"], "x": [1.5], "when": pa.array([0], pa.date32()), "b": [b"plain"]})
    pyarrow.parquet.write_table(frame.replace_schema_metadata({"pandas": "{}"}), empty.inbox / "a.parquet")
    with duckdb.connect(str(empty.root / "a.duckdb")) as con:
        con.execute("create table t as select range as n, uuid() as u, 'c' || range as c from range(999)")
    found = search_study(empty, PERSONS)
    assert found.found_in == found.unsearchable == ()


def test_an_id_of_somebody_who_stays_is_not_taken_for_the_shorter_one_in_it(empty):
    gone, stays = "S12-0031", "S12-0031-B"
    (empty.inbox / "a.txt").write_text(f"{stays},4\n")
    assert search_study(empty, Persons(frozenset({gone}), others=frozenset({stays}))).found_in == ()
    (empty.inbox / "a.txt").write_text(f"{stays},{gone}\n")
    assert search_study(empty, Persons(frozenset({gone}), others=frozenset({stays}))).found_in == ("inbox/a.txt",)


def test_a_withdrawal_names_all_that_must_be_removed_and_never_the_id(study):
    for number, (place, hide) in enumerate(PLACES.items()):
        folder = study.root / "notes" / f"place{number:02d}"
        folder.mkdir(parents=True)
        hide(folder, ONE)
        if place == "a file that may not be read" and os.access(folder / "closed.txt", os.R_OK):
            (folder / "closed.txt").rename(folder / "closed.bin")
    with pytest.raises(StorageError) as refused:
        withdraw(study, frozenset({ONE}))
    said = str(refused.value)
    for number, place in enumerate(PLACES):
        assert f"notes/place{number:02d}/" in said, place
    assert not re.search(ONE, said, re.IGNORECASE)
    assert "you must remove" in said


def test_file_names_with_the_id_leave_the_manifests_and_are_asked_to_be_changed(study):
    text = (study.inbox / "sessions_1.csv").read_text()
    from outcomes.landing import land_inbox
    from outcomes.trust.recording import record_state
    from outcomes.trust.verify import verify

    (study.inbox / f"sessions_{ONE}_extra.csv").write_text(text.replace("p1,", "p2,"))
    land_inbox(study)
    record_state(study)
    with pytest.raises(StorageError, match=r"inbox/sessions_\*\*\*_extra\.csv: its name holds an id"):
        withdraw(study, frozenset({ONE}))
    (study.inbox / f"sessions_{ONE}_extra.csv").rename(study.inbox / "sessions_extra.csv")
    withdraw(study, frozenset())
    written = [path.read_text() for folder in (study.landed, study.quarantine) for path in folder.rglob("*.json")]
    assert len(written) > 6
    assert not any(ONE in text for text in written)
    assert verify(study).altered == ()
    assert land_inbox(study).landed == ()
