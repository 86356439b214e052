"""Where pages are put: a folder that only its owner can enter, files that only the owner can read."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from outcomes.errors import UsageError
from outcomes.operate.delivery.encryption import SUFFIX, encrypt
from outcomes.store.files import write_bytes
from outcomes.study import StudyFolder
from outcomes.study.folder import FEEDBACK

_FOLDER_MODE, _FILE_MODE = 0o700, 0o600
_DECLARED = "[feedback] encrypt_to"


def private_folder(study: StudyFolder, release_id: str) -> Path:
    """Make the folder of a run empty, closed to everybody else, and return it.

    Raises
    ------
    UsageError
        If `feedback` in the study is a link: what it leads to may be open.
    """
    top = study.root / FEEDBACK
    folder = top / release_id
    if top.is_symlink() or folder.is_symlink():
        raise UsageError(f"{FEEDBACK} in the study is a link; pages are not written through it", "remove the link")
    for one in (top, folder):
        one.mkdir(mode=_FOLDER_MODE, exist_ok=True)
        os.chmod(one, _FOLDER_MODE)
    for left in folder.iterdir():
        shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink()
    return folder


def write_private(folder: Path, files: Mapping[str, bytes], key: str) -> tuple[str, ...]:
    """Write one therapist's files, encrypted where there is a key, and return their names."""
    names = []
    for name, content in files.items():
        own, made = (f"{name}{SUFFIX}", encrypt(content, [key], _DECLARED)) if key else (name, content)
        write_bytes(folder / own, made, _FILE_MODE)
        names.append(own)
    return tuple(names)


def write_index(folder: Path, name: str, text: str) -> None:
    """Write the list of whose page is whose."""
    write_bytes(folder / name, text.encode(), _FILE_MODE)
