"""Clients who withdraw are found nowhere, and everybody else stays."""

from __future__ import annotations

import gzip
import json
import re

import duckdb
import pytest
from trust_inputs import N_CLIENTS, client, csv_text, episode, publish_release, sessions

from outcomes.errors import StorageError, UsageError
from outcomes.landing import land_inbox
from outcomes.operate import read_status
from outcomes.release import published_id
from outcomes.trust.audit_trail import HEAD, TRAIL, Event, read_chain, trail_path
from outcomes.trust.pending import PENDING, new_pending, refuse_unfinished, write_pending
from outcomes.trust.verify import verify
from outcomes.trust.withdrawal import read_list, withdraw

GONE = frozenset({client(3), client(7)})
WORDS = [word.encode() for number in (3, 7) for word in (client(number), episode(number))]


def everything(study) -> bytes:
    """All that is below the study, unpacked, as one text."""
    parts = []
    for path in sorted(study.root.rglob("*")):
        if not path.is_file() or path.is_symlink():
            continue
        if path.suffix == ".gz":
            parts.append(gzip.decompress(path.read_bytes()))
        elif path.suffix == ".parquet":
            parts.append(str(duckdb.sql(f"select * from read_parquet('{path}')").fetchall()).encode())
        elif path.suffix == ".duckdb":
            with duckdb.connect(str(path), read_only=True) as con:
                tables = con.execute("select table_name from duckdb_tables()").fetchall()
                parts += [str(con.execute(f"select * from {name}").fetchall()).encode() for (name,) in tables]
        parts.append(path.read_bytes())
    return b"\n".join(parts)


def manifests(study) -> list[dict]:
    return [json.loads(path.read_text()) for path in sorted(study.landed.glob("[!.]*/manifest.json"))]


def test_the_search_of_these_tests_sees_the_clients_before(study):
    before = everything(study)
    assert all(word in before for word in WORDS)


def test_they_are_found_nowhere_and_the_others_everywhere_they_were(study):
    withdraw(study, GONE)
    publish_release(study)
    after = everything(study)
    assert not any(word in after for word in WORDS)
    with duckdb.connect(str(study.database), read_only=True) as con:
        left = {name for (name,) in con.execute("select client_id from core_clients").fetchall()}
    assert left == {client(number) for number in range(N_CLIENTS)} - GONE


def test_source_files_keep_every_other_byte(study):
    paths = ["sessions_1.csv", "sessions_3.ndjson", "clients.csv", "episodes.csv", "sessions_refused.csv"]
    before = {name: (study.inbox / name).read_bytes() for name in paths}
    packed = gzip.decompress((study.inbox / "sessions_2.csv.gz").read_bytes())
    withdraw(study, GONE)
    for name, content in {**before, "packed": packed}.items():
        lines = content.splitlines(keepends=True)
        expected = b"".join(line for line in lines if not any(one.encode() in line for one in GONE))
        now = study.inbox / ("sessions_2.csv.gz" if name == "packed" else name)
        found = gzip.decompress(now.read_bytes()) if name == "packed" else now.read_bytes()
        assert found == expected, name
        assert found != content, name


def test_every_row_that_was_read_is_accounted_for(study):
    before = {manifest["batch_id"]: manifest for manifest in manifests(study)}
    result = withdraw(study, GONE)
    after = manifests(study)
    assert {manifest["batch_id"] for manifest in after} == set(before)
    for manifest in after:
        assert manifest["rows_read"] == before[manifest["batch_id"]]["rows_read"]
        parts = manifest["rows_landed"] + manifest["rows_quarantined"] + manifest["rows_withdrawn"]
        assert manifest["rows_read"] == parts
    assert sum(manifest["rows_withdrawn"] for manifest in after) == result.rows_withdrawn == 2 * 7 + 2
    publish_release(study)
    with duckdb.connect(str(study.database), read_only=True) as con:
        read, accounted = con.execute(
            "select sum(n_read), sum(n_quarantined + n_superseded + n_current) from core_batches"
        ).fetchone()
    assert read == accounted


def test_rewritten_source_files_are_known_and_so_are_the_originals(study):
    original = (study.inbox / "sessions_1.csv").read_bytes()
    withdraw(study, GONE)
    assert land_inbox(study).landed == ()
    assert set(read_status(study).waiting) == set()
    (study.inbox / "sessions_1_again.csv").write_bytes(original)
    assert land_inbox(study).landed == ()


def test_releases_with_them_go_and_releases_without_them_stay(study, tmp_path):
    with_them = published_id(study)
    withdraw(study, GONE)
    assert published_id(study) is None
    assert not study.database.is_symlink()
    assert not (study.releases / with_them).exists()
    without_them = publish_release(study)
    withdraw(study, GONE)
    assert published_id(study) == without_them


def test_pages_of_therapists_go_because_nobody_can_say_whose_means_they_hold(study):
    page = study.root / "feedback" / "0123456789ab" / "code.pdf.age"
    page.parent.mkdir(parents=True)
    page.write_bytes(b"age-encryption.org/v1 -> X25519 \x93\x00")
    (study.root / "feedback.key").write_text("5e" * 32, encoding="ascii")
    told = {"number": 1, "key_sha256": "ab" * 32, "figures": {"224pocu32p4op36m": [{"value": 8.4, "clients": 15}]}}
    (study.root / "feedback.jsonl").write_text(json.dumps(told) + "\n", encoding="utf-8")
    withdraw(study, GONE)
    assert not (study.root / "feedback").exists()
    assert (study.root / "feedback.jsonl").is_file()  # what was told stays told


def test_the_trail_says_that_and_how_much_and_never_who(study):
    result = withdraw(study, GONE)
    facts = read_chain(study).latest(Event.WITHDREW).facts
    assert (facts["n_clients"], facts["found_in"], len(facts["batches"])) == (2, 0, result.batches_changed)
    assert (result.n_asked, result.n_known) == (2, 2)
    assert not any(word in trail_path(study).read_bytes() for word in WORDS)
    assert verify(study).altered == ()


def test_done_again_it_changes_nothing(study):
    withdraw(study, GONE)

    def files():
        return {path: path.read_bytes() for path in study.root.rglob("*")
                if path.is_file() and path.name not in (TRAIL, HEAD)}  # fmt: skip

    before = files()
    again = withdraw(study, GONE)
    assert (again.n_known, again.batches_changed, again.rows_withdrawn, again.source_rows) == (0, 0, 0, 0)
    assert files() == before


def test_a_file_that_landing_does_not_read_but_that_names_them_is_named(study):
    (study.root / "notes.txt").write_text(f"call {client(3)} back")
    (study.inbox / "letter.txt").write_bytes(f"Dear {client(7)}".encode("utf-16"))
    with pytest.raises(StorageError) as refused:
        withdraw(study, GONE)
    assert "notes.txt" in str(refused.value)
    assert "inbox/letter.txt" in str(refused.value)
    assert not re.search("|".join(sorted(GONE)), str(refused.value))
    with pytest.raises(UsageError, match="not finished"):
        refuse_unfinished(study)
    (study.root / "notes.txt").unlink()
    (study.inbox / "letter.txt").unlink()
    assert withdraw(study, frozenset()).search.found_in == ()
    refuse_unfinished(study)


def test_files_are_searched_as_what_they_are_whatever_they_are_called(study):
    text = csv_text([{"client_id": client(3)}]).encode()
    (study.inbox / "old.part").write_bytes(gzip.compress(text))
    (study.root / "copy.bak").write_bytes((study.inbox / "sessions_4.parquet").read_bytes())
    (study.root / "table.xlsx").write_bytes(b"PK\x03\x04" + bytes(20))
    with pytest.raises(StorageError) as refused:
        withdraw(study, GONE)
    assert "inbox/old.part: holds an id" in str(refused.value)
    assert "copy.bak: holds an id" in str(refused.value)
    assert "table.xlsx: cannot be opened" in str(refused.value)


def test_a_file_that_cannot_be_opened_is_named_because_nobody_can_say_who_is_in_it(study):
    (study.inbox / "sessions_9.parquet").write_bytes(b"PAR1 and then nothing")
    with pytest.raises(StorageError, match=r"sessions_9\.parquet: cannot be opened"):
        withdraw(study, GONE)


def test_a_text_file_without_a_readable_header_loses_the_lines_that_mention_them(study):
    lines = [f"{client(number)}|{number}" for number in range(5)]
    (study.inbox / "sessions_pipes.csv").write_text("\n".join(["who|what", *lines]) + "\n")
    withdraw(study, GONE)
    left = (study.inbox / "sessions_pipes.csv").read_text().splitlines()
    assert left == ["who|what", *(line for line in lines if client(3) not in line)]


def test_ids_that_are_plain_numbers_are_looked_for_in_id_columns_only(study):
    rows = [row | {"client_id": 5 + row["session_number"] % 2, "episode_id": ""} for row in sessions(1, 5)[:40]]
    rows = [row | {"session_number": place} for place, row in enumerate(rows, 1)]
    (study.inbox / "sessions_numbers.csv").write_text(csv_text(rows))
    result = withdraw(study, frozenset({"5"}))
    left = (study.inbox / "sessions_numbers.csv").read_text().splitlines()[1:]
    assert {line.split(",")[2] for line in left} == {"6"}
    assert any(line.split(",")[4] == "5" or line.split(",")[6] == "5" for line in left)
    assert (result.search.n_ids, result.search.n_ids_in_bytes) == (1, 0)


def test_an_id_that_is_part_of_another_one_does_not_take_the_other_with_it(study):
    longer = client(3) + "x"
    rows = [row | {"client_id": longer, "episode_id": longer} for row in sessions(1, 2)[:1]]
    (study.inbox / "sessions_longer.csv").write_text(csv_text(rows))
    withdraw(study, GONE)
    assert longer in (study.inbox / "sessions_longer.csv").read_text()


def test_a_damaged_batch_is_not_rewritten_because_that_would_hide_it(study):
    parquet = sorted(study.landed.glob("*/batch.parquet"))[0]
    content = bytearray(parquet.read_bytes())
    content[len(content) // 2] ^= 1
    parquet.write_bytes(bytes(content))
    with pytest.raises(StorageError, match="not what was landed"):
        withdraw(study, GONE)
    assert parquet.read_bytes() == bytes(content)


def test_a_begun_withdrawal_needs_no_list_to_be_finished(study):
    write_pending(study, new_pending(GONE, frozenset(), 2, 2))
    withdraw(study, frozenset())
    assert not (study.root / PENDING).exists()
    assert not any(word in everything(study) for word in WORDS)
    with pytest.raises(UsageError, match="No withdrawal is unfinished"):
        withdraw(study, frozenset())


def test_a_list_is_read_line_by_line_and_must_lie_outside(study, tmp_path):
    listed = tmp_path / "list.txt"
    listed.write_text(f"\ufeff{client(1)} \n\n{client(2)}\n", encoding="utf-8")
    assert read_list(study, listed) == {client(1), client(2)}
    listed.write_text("\n")
    with pytest.raises(UsageError, match="empty"):
        read_list(study, listed)
    inside = study.root / "list.txt"
    inside.write_text(client(1))
    with pytest.raises(UsageError, match="inside the study"):
        read_list(study, inside)


def test_ids_in_nested_cells_are_found_and_their_rows_go(study):
    line = {"client_id": {"id": client(3), "site": 4}, "therapist_id": "t1", "session_number": 9}
    (study.inbox / "sessions_nested.ndjson").write_text(json.dumps(line) + "\n")
    path = study.inbox / "sessions_nested.parquet"
    with duckdb.connect() as con:
        con.execute(
            f"copy (select {{'id': '{client(3)}'}} as client_id union all select {{'id': 'c99k7m3'}}) "
            f"to '{path}' (format parquet)"
        )
    withdraw(study, GONE)
    assert client(3) not in (study.inbox / "sessions_nested.ndjson").read_text()
    assert client(3).encode() not in everything(study)
    assert b"c99k7m3" in everything(study)


@pytest.mark.parametrize("name", ["sessions_x.xls", "sessions_x.sav", "sessions_x.feather", "sessions_x"])
def test_a_source_file_of_a_format_that_is_not_read_is_named_and_never_counts_as_one_without_ids(study, name):
    (study.inbox / name).write_bytes(b"\xd0\xcf\x11\xe0 some bytes in which nobody can look")
    with pytest.raises(StorageError, match=f"inbox/{name}: cannot be opened"):
        withdraw(study, GONE)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
def test_a_csv_file_whose_lines_cannot_be_told_is_named(study, encoding):
    (study.inbox / "sessions_wide.csv").write_bytes("client_id,therapist_id\n7,t1\n".encode(encoding))
    with pytest.raises(StorageError, match=r"inbox/sessions_wide.csv: cannot be opened"):
        withdraw(study, GONE)
