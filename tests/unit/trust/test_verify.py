"""Verification names what was altered."""

from __future__ import annotations

import json
import os
import shutil

import pytest
from click.testing import CliRunner

from outcomes.cli import main
from outcomes.errors import StorageError
from outcomes.store.files import file_sha256, write_json
from outcomes.trust.audit_trail import HEAD, Event, read_chain, trail_path
from outcomes.trust.recording import record_state
from outcomes.trust.verify import verify


def flip_one_bit(path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def altered(study) -> list[str]:
    return [found.file for found in verify(study).altered]


def test_an_untouched_study_is_found_untouched_and_the_verification_is_written_down(study):
    found = verify(study)
    assert found.altered == found.unrecorded == ()
    assert (found.n_batches, found.n_releases) == (6, 1)
    assert read_chain(study).entries[-1].event is Event.VERIFIED
    found.raise_if_altered()


def test_a_study_that_cannot_be_written_to_is_verified_and_left_as_it_is(study, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)  # as on a read-only file system, for root too
    before = {path: path.stat().st_mtime_ns for path in study.root.rglob("*")}
    done = CliRunner().invoke(main, ["verify", str(study.root)])
    assert (done.exit_code, done.stderr) == (0, "")
    assert "this verification is not in its trail" in done.output
    assert {path: path.stat().st_mtime_ns for path in study.root.rglob("*")} == before


@pytest.mark.parametrize(
    "pattern",
    ["landed/*/batch.parquet", "releases/*/outcomes.duckdb", "releases/*/report.html", "releases/*/report.pdf",
     "quarantine/*.csv", "releases/*/manifest.json"],
)  # fmt: skip
def test_one_flipped_bit_is_named(study, pattern):
    path = sorted(study.root.glob(pattern))[0]
    flip_one_bit(path)
    name = path.relative_to(study.root).as_posix()
    found = verify(study)
    assert [one.file for one in found.altered] == [name]
    assert name in found.as_text()
    with pytest.raises(StorageError) as refused:
        found.raise_if_altered()
    assert refused.value.exit_code == 5


def test_a_batch_replaced_together_with_its_manifest_is_named(study):
    first, second = sorted(study.landed.iterdir())[2:4]
    shutil.copyfile(second / "batch.parquet", first / "batch.parquet")
    manifest = json.loads((first / "manifest.json").read_text())
    manifest["parquet_sha256"] = file_sha256(first / "batch.parquet")
    (first / "manifest.json").write_text(json.dumps(manifest))
    assert altered(study) == [f"landed/{first.name}/manifest.json"]


def test_counts_that_no_longer_add_up_are_named(study):
    folder = sorted(study.landed.iterdir())[0]
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["rows_read"] += 1
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert set(altered(study)) == {f"landed/{folder.name}/manifest.json"}


def test_what_is_missing_and_what_does_not_belong_there_are_named(study):
    batch = sorted(study.landed.iterdir())[1]
    shutil.rmtree(batch)
    release = study.current.resolve()
    (release / "fits.json").unlink()
    (release / "notes.txt").write_text("mine")
    names = {f"landed/{batch.name}", f"releases/{release.name}/fits.json", f"releases/{release.name}/notes.txt"}
    assert set(altered(study)) == names


def test_links_that_point_elsewhere_are_named(study):
    study.current.unlink()
    study.current.symlink_to("landed")
    assert altered(study) == ["current"]
    study.database.unlink()
    study.database.symlink_to(os.devnull)
    assert altered(study) == ["current", "outcomes.duckdb"]


def test_an_altered_trail_is_named_and_not_written_on(study):
    path = trail_path(study)
    path.write_text(path.read_text().replace('"rows_quarantined":0', '"rows_quarantined":1', 1))
    before = path.read_bytes()
    assert "trail.jsonl" in altered(study)
    assert path.read_bytes() == before


def test_a_trail_that_was_cut_off_is_found_by_a_head_that_was_kept_elsewhere(study):
    head = verify(study).head
    verify(study)
    path = trail_path(study)
    path.write_text("".join(line + "\n" for line in path.read_text().splitlines()[:-3]))
    assert [found.file for found in verify(study, head).altered] == ["trail.jsonl"]


def test_a_batch_that_a_killed_run_did_not_write_down_is_no_alteration_and_the_next_run_does(study):
    path = trail_path(study)
    lines = path.read_text().splitlines()
    left = [line for line in lines if '"published"' not in line]
    path.write_text("".join(line + "\n" for line in left))
    write_json(study.root / HEAD, {"length": len(left), "head": json.loads(left[-1])["hash"]})
    found = verify(study)
    assert found.altered == ()
    assert found.unrecorded == (f"releases/{study.current.resolve().name}",)
    record_state(study)
    assert verify(study).unrecorded == ()


def test_a_batch_that_was_removed_by_hand_is_written_down_as_gone(study):
    shutil.rmtree(sorted(study.landed.iterdir())[1])
    record_state(study)
    assert altered(study) == []
    assert read_chain(study).latest(Event.GONE) is not None


def test_files_that_everybody_may_read_are_counted(study):
    os.chmod(study.inbox / "clients.csv", 0o644)
    assert "inbox/clients.csv" in verify(study).exposed
    os.chmod(study.inbox / "clients.csv", 0o640)
    assert "inbox/clients.csv" not in verify(study).exposed
