"""Keyed pseudonyms: no local id gets past landing, and another key is noticed."""

from __future__ import annotations

import json
import re

import duckdb
import pytest
from trust_inputs import N_CLIENTS, client, fill_inbox

from outcomes.errors import StudyError
from outcomes.landing import land_inbox
from outcomes.landing.pseudonyms import KEY_VARIABLE, PseudonymKey, read_key
from outcomes.study import StudyFolder, create_study
from outcomes.trust.recording import record_state
from outcomes.trust.withdrawal import withdraw

SECRET = b"k" * 40


@pytest.fixture
def keyed(tmp_path, monkeypatch):
    """A study that asks for pseudonyms, its key beside it, its inbox filled."""
    study = create_study(tmp_path / "study")
    text = study.settings_path.read_text().replace("max_bad_share = 0.05", "max_bad_share = 0.5\npseudonymise = true")
    study.settings_path.write_text(text)
    fill_inbox(study.inbox)
    (tmp_path / "key").write_bytes(SECRET + b"\n")
    monkeypatch.setenv(KEY_VARIABLE, str(tmp_path / "key"))
    return StudyFolder.open(study.root)


def landed_ids(study, column="client_id") -> set[str]:
    paths = [str(path) for path in study.landed.glob("*/batch.parquet")]
    with duckdb.connect() as con:
        found = con.execute(f"select distinct {column} from read_parquet(?, union_by_name = true)", [paths]).fetchall()
    return {one for (one,) in found if one}


def test_batches_and_quarantine_have_pseudonyms_that_agree_across_files(keyed):
    report = land_inbox(keyed)
    assert len(report.landed) == 6
    key = PseudonymKey(SECRET)
    assert landed_ids(keyed) == {key.pseudonym("client_id", client(n)) for n in range(N_CLIENTS)}
    kept = b"".join(path.read_bytes() for path in [*keyed.quarantine.iterdir(), *keyed.landed.glob("*/manifest.json")])
    assert not re.search(rb"[ce]\d\dk7m3|e\d\dr5w8", kept)
    assert key.pseudonym("client_id", client(3)).encode() in kept


def test_the_same_id_has_the_same_pseudonym_and_another_key_another_one():
    first, second = PseudonymKey(SECRET), PseudonymKey(b"x" * 40)
    assert first.pseudonym("client_id", "7") == first.pseudonym("client_id", "7") == first.pseudonym("episode_id", "7")
    assert first.pseudonym("client_id", "7") != first.pseudonym("therapist_id", "7")
    assert first.pseudonym("client_id", "7") != second.pseudonym("client_id", "7")
    assert first.fingerprint != second.fingerprint
    assert "k" * 10 not in repr(first)


def test_another_key_is_refused_before_anything_is_landed(keyed, tmp_path):
    land_inbox(keyed)
    (tmp_path / "key").write_bytes(b"another" * 9)
    (keyed.inbox / "clients_2.csv").write_text("client_id,gender\nnew,man\n")
    before = sorted(keyed.landed.iterdir())
    with pytest.raises(StudyError, match="another pseudonym key"):
        land_inbox(keyed)
    assert sorted(keyed.landed.iterdir()) == before


def test_pseudonyms_that_are_switched_off_later_are_refused_too(keyed):
    land_inbox(keyed)
    keyed.settings_path.write_text(keyed.settings_path.read_text().replace("pseudonymise = true", ""))
    with pytest.raises(StudyError, match="another pseudonym key"):
        land_inbox(StudyFolder.open(keyed.root))


def test_without_a_key_nothing_is_landed(keyed, tmp_path, monkeypatch):
    (tmp_path / "key").write_bytes(b"short")
    with pytest.raises(StudyError, match="fewer than 32 bytes"):
        land_inbox(keyed)
    (tmp_path / "key").unlink()
    with pytest.raises(StudyError, match="cannot be read"):
        land_inbox(keyed)
    monkeypatch.delenv(KEY_VARIABLE)
    with pytest.raises(StudyError, match="no key file is named"):
        land_inbox(keyed)
    assert not list(keyed.landed.glob("*/batch.parquet"))


def test_a_key_inside_the_study_is_refused_also_through_a_link(keyed, tmp_path, monkeypatch):
    (keyed.root / "key").write_bytes(SECRET)
    (tmp_path / "link").symlink_to(keyed.root / "key")
    monkeypatch.setenv(KEY_VARIABLE, str(tmp_path / "link"))
    with pytest.raises(StudyError, match="lies inside the study"):
        read_key(keyed)


@pytest.mark.parametrize("is_local", [True, False])
def test_clients_withdraw_by_their_local_id_or_by_their_pseudonym(keyed, is_local):
    land_inbox(keyed)
    record_state(keyed)  # as every run does
    pseudonym = PseudonymKey(SECRET).pseudonym("client_id", client(3))
    withdraw(keyed, frozenset({client(3) if is_local else pseudonym}))
    assert pseudonym not in landed_ids(keyed)
    assert len(landed_ids(keyed)) == N_CLIENTS - 1
    assert client(3) not in (keyed.inbox / "clients.csv").read_text()
    assert client(3) not in (keyed.inbox / "sessions_1.csv").read_text()
    manifests = [json.loads(path.read_text()) for path in keyed.landed.glob("*/manifest.json")]
    assert {manifest["pseudonym_key"] for manifest in manifests} == {PseudonymKey(SECRET).fingerprint}
