"""Files are private to their owner and group from the moment they are made."""

from __future__ import annotations

import os

OTHERS = 0o027  # nothing for others, no writing for the group


def private_by_default() -> None:
    """Let this process and its children make files that others cannot read; a stricter umask of the user stays."""
    os.umask(os.umask(OTHERS) | OTHERS)
