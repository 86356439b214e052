"""What we write is private to its owner and group."""

from __future__ import annotations

import os

import pytest

from outcomes.store.files import write_text
from outcomes.trust.permissions import private_by_default


@pytest.mark.parametrize(("users", "file_mode", "folder_mode"), [(0o022, 0o640, 0o750), (0o077, 0o600, 0o700)])
def test_others_get_nothing_and_a_stricter_umask_stays(tmp_path, users, file_mode, folder_mode):
    before = os.umask(users)
    try:
        private_by_default()
        write_text(tmp_path / "file", "text")
        (tmp_path / "folder").mkdir()
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == file_mode
    assert (tmp_path / "folder").stat().st_mode & 0o777 == folder_mode
