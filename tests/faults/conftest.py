"""Small studies whose refresh takes a few seconds, and a disk that can be filled."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from studies import copied

from outcomes.study import StudyFolder, create_study

LATER = "sessions-to-2024-12-31.csv"


class SmallDisk:
    """A file system in memory that can be filled up to a few bytes."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._ballast = root / "ballast"

    def leave_free(self, n_bytes: int) -> None:
        """Fill the disk until so many bytes are left (down to whole pages)."""
        self.give_back()
        state = os.statvfs(self.root)
        with self._ballast.open("wb") as stream:
            os.posix_fallocate(stream.fileno(), 0, max(state.f_bavail * state.f_frsize - n_bytes, 1))

    def give_back(self) -> None:
        """Make room again."""
        self._ballast.unlink(missing_ok=True)


@pytest.fixture
def small_disk(tmp_path) -> Iterator[SmallDisk]:
    """A disk of 64 MB, mounted for the test; needs the right to mount."""
    root = tmp_path / "disk"
    root.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(root)], capture_output=True)
    if mounted.returncode:
        pytest.skip("a small disk cannot be mounted here: " + mounted.stderr.decode().strip())
    try:
        yield SmallDisk(root)
    finally:
        subprocess.run(["umount", "-l", str(root)], check=True)


@pytest.fixture(scope="session")
def _published(built_once, tiny_sources, start_command) -> Path:
    def make(folder: Path) -> None:
        root = folder / "study"
        shutil.copytree(tiny_sources, root)
        (root / "inbox" / LATER).rename(root / LATER)
        first = start_command("refresh", root)
        assert first.wait() == 0, first.said

    return built_once("tiny-published", make) / "study"


def deliver(study: StudyFolder) -> None:
    """Put the file that was held back into the inbox."""
    (study.root / LATER).rename(study.inbox / LATER)


@pytest.fixture
def published_study(_published, tmp_path) -> StudyFolder:
    """The tiny study with a release; one more file waits to be delivered."""
    return copied(_published, tmp_path)


@pytest.fixture
def study_on_disk(_published, small_disk) -> StudyFolder:
    """The same on the small disk."""
    return copied(_published, small_disk.root)


@pytest.fixture
def empty_study(tmp_path) -> StudyFolder:
    """A study with nothing in its inbox."""
    return create_study(tmp_path / "study")
