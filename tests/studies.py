"""Studies that many tests start from: simulated and refreshed once a test run, copied for each test."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from outcomes.simulate import simulate_study
from outcomes.study import StudyFolder, create_study

Make = Callable[[Path], None]


@pytest.fixture(scope="session")
def built_once(tmp_path_factory) -> Callable[[str, Make], Path]:
    """Have a folder made by the first worker that needs it, under its name; the others wait and share it.

    Nobody may write into it: tests copy it.
    """
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own

    def build(name: str, make: Make) -> Path:
        folder, making = shared / f"shared-{name}", shared / f"making-{name}"
        with FileLock(shared / f"{name}.lock"):
            if not folder.exists():
                shutil.rmtree(making, ignore_errors=True)
                making.mkdir()
                make(making)
                making.rename(folder)
        return folder

    return build


@pytest.fixture(scope="session")
def _small_sources(built_once, ask_only) -> Path:
    def make(folder: Path) -> None:
        root = create_study(folder / "study").root
        ask_only(root, "guidance")
        simulate_study(root, clients=240, therapists=20, seed=7)

    return built_once("small-sources", make) / "study"


@pytest.fixture
def small_study(_small_sources, tmp_path) -> StudyFolder:
    """A study of 240 clients with files in its inbox, not refreshed yet."""
    return copied(_small_sources, tmp_path)


@pytest.fixture(scope="session")
def _small_published(built_once, _small_sources, start_command) -> Path:
    def make(folder: Path) -> None:
        shutil.copytree(_small_sources, folder / "study")
        refreshed = start_command("refresh", folder / "study")
        assert refreshed.wait() == 0, refreshed.said

    return built_once("small-published", make) / "study"


@pytest.fixture
def small_published_study(_small_published, tmp_path) -> StudyFolder:
    """The small study after its first refresh."""
    return copied(_small_published, tmp_path)


@pytest.fixture(scope="session")
def tiny_sources(built_once, ask_only) -> Path:
    """Twelve clients, six files, not refreshed yet; too few for any model, which is refused at once."""

    def make(folder: Path) -> None:
        root = create_study(folder / "study").root
        ask_only(root)
        simulate_study(root, clients=12, therapists=3, seed=5)

    return built_once("tiny-sources", make) / "study"


@pytest.fixture
def tiny_study(tiny_sources, tmp_path) -> StudyFolder:
    """A copy of the tiny study; its refresh takes a few seconds."""
    return copied(tiny_sources, tmp_path)


def simulate_no_recovery(root: Path) -> None:
    """Have a study ask for no recovery cards: a minute of simulations, which have their own tests."""
    path = root / "study.toml"
    declared = path.read_text(encoding="utf-8")
    assert "\ncohorts = 20 " in declared
    path.write_text(declared.replace("\ncohorts = 20 ", "\ncohorts = 0 "), encoding="utf-8")


def copied(root: Path, folder: Path) -> StudyFolder:
    """Copy a study into a folder."""
    return StudyFolder.open(shutil.copytree(root, folder / "study", symlinks=True))


@pytest.fixture(scope="session")
def _researched(built_once, ask_only, start_command) -> Path:
    def make(folder: Path) -> None:
        root = create_study(folder / "my-study").root
        ask_only(root, "guidance", "balance")
        simulate_study(root, clients=200, therapists=12, seed=1)
        for change in (None, _hold_preference_constant):
            if change:
                change(root)
            refreshed = start_command("refresh", root)
            assert refreshed.wait() == 0, refreshed.said

    return built_once("researched", make) / "my-study"


def _hold_preference_constant(root: Path) -> None:
    """Change a declared model, as a researcher would."""
    path = root / "study.toml"
    declared, old = path.read_text(encoding="utf-8"), '"directiveness_therapist", "log_session"]'
    assert declared.count(old) == 2
    new = old.replace("]", ', "directiveness_preferred_score"]')
    path.write_text(declared.replace(old, new, 1), encoding="utf-8")


@pytest.fixture
def my_study(_researched, tmp_path) -> StudyFolder:
    """A study of 200 clients with two releases: in the second one a declared model holds the preference constant.

    Guidance and balance are answered, the rest is left out; a model of dropout is refused.
    """
    return StudyFolder.open(shutil.copytree(_researched, tmp_path / "my-study", symlinks=True))
