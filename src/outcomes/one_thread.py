"""The matrix libraries' own threads: off, because they cost more than they give at the size of a practice.

On matrices of some dozen columns their threads wait for one another by spinning, which takes the processor from the
recovery cohorts that run beside: an answer costs up to four times as much.
"""

from __future__ import annotations

import os

MATRIX_LIBRARIES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")


def one_thread() -> None:
    """Let the matrix libraries compute on one thread, here where NumPy is not loaded yet, and in processes to come.

    Who has set these variables keeps what they say.
    """
    for name in MATRIX_LIBRARIES:
        os.environ.setdefault(name, "1")
