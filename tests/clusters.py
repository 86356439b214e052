"""Dask workers of a test's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import distributed

ANY_PORT = "127.0.0.1:0"


@contextmanager
def two_workers() -> Iterator[distributed.LocalCluster]:
    """Two worker processes behind a scheduler of this process."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=ANY_PORT
    ) as opened:
        yield opened
