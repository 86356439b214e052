"""What was simulated before there were worlds is simulated to the byte the same."""

from __future__ import annotations

import hashlib

import pytest

from outcomes.simulate import Truth, WorldName, simulate_study
from outcomes.study import create_study

# SHA-256 (first 16 digits) of names and bytes of the files of 450 clients, 20 therapists, seed 9, as the simulator
# wrote them before worlds were added to it (commit 94ad04e).
BEFORE = {
    None: "58e86fab1d78593b",
    Truth.NO_EFFECT: "5b053587b667673f",
    Truth.MONOTONE: "61c3891f61ea4018",
    Truth.BEST_LEVEL: "fa9e537ab2c1a52b",
    Truth.FIT: "8d79088eba905ca9",
    Truth.FIT_PLUS_MAIN: "187c2b6c8aba6343",
    Truth.RELATIVE: "17b9505c6589272d",
    Truth.LOG: "a91509e9f05ea734",
}
BEFORE_WITH_MESS = "3e07fbf860a12305"  # since fields parted by ^ are planted: | is read now


def digest(tmp_path, **options) -> str:
    study = create_study(tmp_path / "study")
    simulate_study(study.root, clients=450, therapists=20, seed=9, **options)
    found = hashlib.sha256()
    for path in sorted(study.inbox.iterdir()):
        found.update(path.name.encode())
        found.update(path.read_bytes())
    return found.hexdigest()[:16]


@pytest.mark.parametrize("truth", BEFORE, ids=str)
def test_without_a_world_the_files_are_those_of_before(tmp_path, truth):
    assert digest(tmp_path, truth=truth) == BEFORE[truth]


def test_the_plain_world_is_no_world_and_the_mess_is_that_of_before(tmp_path):
    assert digest(tmp_path, worlds=[WorldName.PLAIN], mess=True) == BEFORE_WITH_MESS
