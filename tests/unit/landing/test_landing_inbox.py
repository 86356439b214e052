"""The inbox as a whole: names, repetition, refusals that are remembered, crashes, hostile surroundings."""

import gzip
import os
import signal
import subprocess
import sys
import time

import duckdb
import polars as pl
import pytest

from outcomes.contract import Kind, Refusal
from outcomes.errors import OutcomesError, StorageError, StudyError
from outcomes.landing import Landed, Refused, Skipped, land_inbox
from outcomes.landing import inbox as inbox_module
from outcomes.store.files import file_sha256

HEADER = "therapist_id,client_id,session_number,directiveness,satisfaction"
GOOD = f"{HEADER}\nt1,c1,1,5,6\nt1,c1,2,5.5,7\n"


def drop(door, **files):
    for name, content in files.items():
        (door.root / "inbox" / name.replace("__", ".")).write_text(content)


def test_the_same_content_is_landed_once_whatever_its_name(door):
    first = door.land(GOOD)
    assert isinstance(first, Landed)
    assert door.land(GOOD) == Skipped("sessions.csv", first.batch_id, first.sha256)
    assert door.land(GOOD, "more_sessions.csv").batch_id == first.batch_id


def test_a_skipped_file_says_that_the_study_has_changed_since(door):
    door.land(GOOD)
    door.declare(max_bad_share=0.5)
    assert door.land(GOOD).under_other_settings


def test_a_refusal_is_remembered_until_the_study_changes(door):
    door.declare(max_bad_share=0)
    content = GOOD + "t1,c1,3,5,60\n"
    first = door.land(content)
    assert not first.again
    assert door.land(content).again
    door.declare(max_bad_share=0.5)
    landed = door.land(content)
    assert isinstance(landed, Landed)
    assert not list((door.root / "quarantine").glob("*.refused.json"))


def test_batches_are_numbered_in_the_order_of_names(door):
    drop(
        door,
        b_sessions__csv=GOOD,
        a_clients__csv="client_id,reactance\nc1,5\n",
        c_sessions__csv=GOOD.replace("c1", "c2"),
    )
    report = land_inbox(door.study)
    assert [(landed.kind, landed.batch_id[:4]) for landed in report.landed] == [
        (Kind.CLIENTS, "0001"), (Kind.SESSIONS, "0002"), (Kind.SESSIONS, "0003"),
    ]  # fmt: skip
    again = land_inbox(door.study)
    assert (len(again.landed), len(again.skipped)) == (0, 3)


def test_hidden_and_temporary_files_and_folders_are_left_alone_and_named(door):
    names = [".hidden_sessions.csv", "~sessions.csv", "sessions.csv~", "sessions.csv.part"]
    for name in names:
        (door.root / "inbox" / name).write_text(GOOD)
    (door.root / "inbox" / "sessions_folder").mkdir()
    report = land_inbox(door.study)
    assert sorted(report.ignored) == sorted([*names, "sessions_folder"])
    assert report.landed == report.refused == ()


@pytest.mark.parametrize(
    ("name", "refusal"),
    [
        ("ratings.csv", Refusal.UNKNOWN_KIND),
        ("sessions_of_clients.csv", Refusal.AMBIGUOUS_KIND),
        ("sessions.xlsx", Refusal.UNREADABLE),
        ("sessions", Refusal.UNREADABLE),
        ("sessions.csv.gz", Refusal.UNREADABLE),
        ("sessions.parquet", Refusal.UNREADABLE),
        ("sessions.ndjson", Refusal.UNREADABLE),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_refused(door, name, refusal):
    assert door.land(GOOD, name).refusal is refusal


def test_the_kind_is_told_whatever_the_case_of_the_name(door):
    assert isinstance(door.land(GOOD, "SESSIONS_2024.CSV"), Landed)


HOSTILE_NAMES = [
    "sessions'; drop table typed; --.csv",
    "sessions*?[a].csv",
    "sessions$(touch x).csv",
    "sessions\u202evsc.csv",
    "sessions\n.csv",
    "=cmd()sessions.csv",
    'sessions,"q".csv',
]


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_hostile_file_names_are_only_names(door, name):
    landed = door.land(GOOD + "t1,c1,3,5,60\n", name)
    assert (landed.rows_landed, landed.rows_quarantined) == (2, 1)
    assert door.quarantined(landed)[0]["file"].lstrip("'") == name


def test_a_study_folder_with_signs_of_patterns_and_quotes_in_its_name_works(door, tmp_path):
    landed = type(door)(tmp_path / "it's [a] *study").land(GOOD + "t1,c1,3,5,60\n")
    assert (landed.rows_landed, landed.rows_quarantined) == (2, 1)


def test_a_gzip_bomb_is_refused_at_the_limit(door):
    door.declare(max_bytes=1_000_000)
    refused = door.land(gzip.compress(b"0" * 50_000_000), "sessions.csv.gz")
    assert refused.refusal is Refusal.TOO_LARGE
    assert not list((door.root / "quarantine").glob(".aside-*"))


def test_a_file_over_the_limit_is_refused_unread(door):
    door.declare(max_bytes=10)
    refused = door.land(GOOD)
    assert (refused.refusal, refused.sha256) == (Refusal.TOO_LARGE, "")


def test_a_file_that_changes_while_it_is_read_is_not_landed(door, monkeypatch):
    read = inbox_module._read

    def read_while_it_grows(con, study, path, scratch, kind):
        result = read(con, study, path, scratch, kind)
        with path.open("a") as stream:
            stream.write("t1,c1,9,5,6\n")
        return result

    monkeypatch.setattr(inbox_module, "_read", read_while_it_grows)
    refused = door.land(GOOD)
    assert isinstance(refused, Refused)
    assert refused.refusal is Refusal.UNREADABLE
    assert "changes" in refused.message
    assert not (door.root / "landed").exists()
    monkeypatch.undo()
    assert isinstance(door.land(GOOD), Landed)


def test_the_manifest_accounts_for_every_row(door):
    landed = door.land(GOOD + "t1,c1,3,5,60\nt1\n")
    manifest = door.manifest(landed)
    assert manifest["rows_read"] == 4 == manifest["rows_landed"] + manifest["rows_quarantined"]
    assert manifest["quarantined_by_rule"] == {"ragged_row": 1, "out_of_range": 1}
    batch = door.root / "landed" / landed.batch_id / "batch.parquet"
    assert manifest["parquet_sha256"] == file_sha256(batch)
    assert manifest["sha256"] == file_sha256(door.root / "inbox" / "sessions.csv")


def test_the_same_file_gives_the_same_bytes(door, tmp_path):
    rows = "".join(f"t{place % 90},c{place},1,{place % 10},6\n" for place in range(150_000))
    content = HEADER + "\n" + rows + "t1\n"
    batches = [type(door)(tmp_path / name) for name in ("one", "two")]
    hashes = {door.manifest(door.land(content))["parquet_sha256"] for door in batches}
    assert len(hashes) == 1


def test_a_file_that_cannot_be_opened_is_refused_and_the_others_are_landed(door):
    drop(door, a_sessions__csv=GOOD)
    (door.root / "inbox" / "b_sessions.csv").symlink_to(door.root / "nowhere")
    report = land_inbox(door.study)
    assert [landed.file_name for landed in report.landed] == ["a_sessions.csv"]
    assert report.ignored == ("b_sessions.csv",)


def test_a_scale_without_a_range_stops_the_run_with_the_remedy(door):
    with pytest.raises(StudyError, match=r"scales\.alliance"):
        door.land(GOOD.replace("directiveness,", "directiveness,alliance,").replace(",5,", ",5,5,"))


def test_no_error_or_refusal_repeats_a_value(door):
    secret = "s3cretvalue"
    contents = [
        f"{HEADER}\nt1,{secret},1,5,x\n", f"{HEADER}\nt1,{secret}\n", f'{HEADER}\nt1,"{secret},1,5,6\nt1,c,1,5,6\n',
        f"{HEADER}\nt1,{secret},1,5,6\nt1,{secret},1,5,7\n",
    ]  # fmt: skip
    door.declare(max_bad_share=0)
    for content in contents:
        try:
            outcome = door.land(content)
        except OutcomesError as error:
            text = str(error)
        else:
            text = outcome.message + outcome.hint
        assert secret not in text


def test_killed_at_any_moment_the_next_run_ends_in_the_same_state(door):
    rows = "".join(f"t{place % 90},c{place},1,{place % 11},6\n" for place in range(60_000))
    for number in range(3):
        drop(door, **{f"sessions_{number}__csv": HEADER + "\n" + rows.replace(",1,", f",{number + 1},") + "t1\n"})
    code = "import sys; from outcomes.landing import land_inbox; from outcomes.study import StudyFolder; " \
           "study = StudyFolder.open(sys.argv[1]); print('ready', flush=True); land_inbox(study)"  # fmt: skip
    for delay in (0.02, 0.1, 0.2, 0.35, 0.5):
        process = subprocess.Popen([sys.executable, "-c", code, str(door.root)], stdout=subprocess.PIPE)
        process.stdout.readline()
        time.sleep(delay)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
    land_inbox(door.study)
    batches = sorted(path.name[:4] for path in (door.root / "landed").iterdir())
    assert batches == ["0001", "0002", "0003"]
    assert len(list((door.root / "quarantine").iterdir())) == 3
    assert len(land_inbox(door.study).skipped) == 3


def test_what_was_rejected_under_an_earlier_study_file_is_not_listed_any_more(door):
    door.declare(max_bad_share=0)
    content = GOOD + "t1,c1,3,5,6.5\n" + "t1,c1,4,5,11\n"
    assert door.quarantined(door.land(content))
    text = (door.root / "study.toml").read_text()
    (door.root / "study.toml").write_text(text.replace("maximum = 10", "maximum = 20"))
    landed = door.land(content)
    assert (landed.rows_quarantined, door.quarantined(landed)) == (0, [])


def test_a_file_of_unknown_kind_is_reported_as_refused_again(door):
    assert [door.land(GOOD, "ratings.csv").again for _ in range(2)] == [False, True]


def test_a_damaged_manifest_is_named(door):
    landed = door.land(GOOD)
    (door.root / "landed" / landed.batch_id / "manifest.json").write_text("{")
    with pytest.raises(StorageError, match=landed.batch_id):
        land_inbox(door.study)


@pytest.mark.parametrize("error", [ValueError, duckdb.BinderException, pl.exceptions.ComputeError])
def test_an_error_that_nobody_foresaw_refuses_its_file_by_its_place_and_the_next_file_lands(door, monkeypatch, error):
    read = inbox_module.create_typed

    def fails(con, plan, rows, day):
        if rows.n_records == 1:
            raise error("could not read c9k7")
        read(con, plan, rows, day)

    monkeypatch.setattr(inbox_module, "create_typed", fails)
    drop(door, a_sessions__csv=f"{HEADER}\nt1,c9k7,1,5,6\n", b_sessions__csv=GOOD)
    for _ in range(2):  # it is not taken from memory: a mended program may read it
        report = land_inbox(door.study)
        assert [(one.file_name, one.refusal, one.again) for one in report.refused] == [
            ("a_sessions.csv", Refusal.UNFORESEEN, False)
        ]
        assert f"{error.__name__} in landing/inbox.py, line" in report.refused[0].message
        assert "c9k7" not in door.everything_kept()
    monkeypatch.undo()
    report = land_inbox(door.study)
    assert (len(report.landed), len(report.skipped), len(report.refused)) == (1, 1, 0)


@pytest.mark.parametrize("interrupt", [RuntimeError("Query interrupted"), duckdb.InterruptException("Interrupted!")])
def test_an_interrupt_refuses_no_file(door, monkeypatch, interrupt):
    def stops(*_):
        raise interrupt

    monkeypatch.setattr(inbox_module, "create_typed", stops)
    drop(door, a_sessions__csv=GOOD)
    with pytest.raises((RuntimeError, StorageError)):
        land_inbox(door.study)
    assert not list(door.study.quarantine.glob("*.refused.json"))
