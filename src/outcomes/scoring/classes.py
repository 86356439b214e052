"""What a client's change can amount to."""

from __future__ import annotations

from enum import StrEnum


class ChangeClass(StrEnum):
    """What a client's change amounts to."""

    RECOVERED = "recovered"
    IMPROVED = "improved"
    UNCHANGED = "unchanged"
    DETERIORATED = "deteriorated"
    MISSING = "missing"
