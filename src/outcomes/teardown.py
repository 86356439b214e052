"""The end of the process: what extension modules print while the interpreter is taken down is dropped."""

from __future__ import annotations

import atexit
import os
import sys


@atexit.register
def _silence_teardown() -> None:
    """Send the rest of standard error nowhere.

    DuckDB's bindings report types that are alive at exit as leaks, a cosmetic matter. Registered first, this runs last:
    every message of ours is out by then.
    """
    sys.stderr.flush()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
