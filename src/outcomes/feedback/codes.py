"""Whose page is whose: files are named by a keyed code; the list beside them, for the study's owner, says whose it is.

The key is made at the first run and lies in the study, for its owner only. Codes stay the same from run to run.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import hmac
import io
import secrets
from collections.abc import Mapping

from outcomes.errors import StorageError
from outcomes.store.files import write_bytes
from outcomes.study import StudyFolder

KEY = "feedback.key"
INDEX = "index.csv"
_KEY_BYTES, _CODE_BYTES = 32, 10
_PRIVATE = 0o600


def read_or_make_key(study: StudyFolder, is_first: bool) -> bytes:
    """Return the key of the codes; made where no page was written before.

    Raises
    ------
    StorageError
        If pages were written before and the key is gone or was altered.
    """
    path = study.root / KEY
    if is_first and not path.exists():
        write_bytes(path, secrets.token_hex(_KEY_BYTES).encode(), _PRIVATE)
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError):
        key = b""
    if len(key) != _KEY_BYTES:
        raise StorageError(f"{KEY} is missing or cannot be read", "restore it from a backup: pages are named with it")
    return key


def code_of(key: bytes, therapist_id: str) -> str:
    """Return the name of a therapist's files: 16 letters and digits that say nothing without the key."""
    digest = hmac.new(key, f"therapist\0{therapist_id}".encode(), hashlib.sha256).digest()[:_CODE_BYTES]
    return base64.b32encode(digest).decode().lower()


def key_sha256(key: bytes) -> str:
    """Return what tells two keys apart and says nothing of either."""
    return hashlib.sha256(b"fingerprint\0" + key).hexdigest()


def index_text(therapists: Mapping[str, str], written: Mapping[str, tuple[str, ...]]) -> str:
    """Return the list as CSV: code, therapist, and the files of this run; `therapists` by code."""
    lines = io.StringIO()
    table = csv.writer(lines, lineterminator="\n")
    table.writerow(("code", "therapist_id", "files"))
    table.writerows((code, therapists[code], " ".join(written[code])) for code in sorted(written))
    return lines.getvalue()
