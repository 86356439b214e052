"""What a process of ours passes on: files are private, and nothing is imported from where it happens to stand."""

from __future__ import annotations

import os

OTHERS = 0o027  # nothing for others, no writing for the group


def private_by_default() -> None:
    """Let this process and its children make files that others cannot read; a stricter umask of the user stays."""
    os.umask(os.umask(OTHERS) | OTHERS)


def safe_children() -> None:
    """Let Python's children import installed modules only: a `uvloop.py` in the folder they start in is data, no code.

    Prefect's temporary server and runs, and the worker processes of fits, are started with the working directory on
    their import path otherwise, and that may be an inbox that others can write to.
    """
    os.environ["PYTHONSAFEPATH"] = "1"
