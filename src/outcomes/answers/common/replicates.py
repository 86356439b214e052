"""Replicates of a bootstrap or of imputations: in this process, or in batches on the workers of the study's cluster.

The number of a replicate decides its chance, so that who makes it changes no result.
"""

from __future__ import annotations

import pickle
import zlib
from collections.abc import Callable, Iterable
from itertools import chain, pairwise
from typing import TypeVar

import numpy as np

from outcomes.progress import tracked
from outcomes.workers import Cluster, on_cluster

Prepared = TypeVar("Prepared")
Result = TypeVar("Result")
Make = Callable[[Prepared, range], Iterable[Result]]
"""Makes the replicates of some consecutive numbers from what was prepared; a function of a module, for workers."""

BATCHES = 2
"""For each worker: with one all would wait for the slowest; each more sends once more what was prepared."""
AHEAD = 1
"""Priority before simulated cohorts, which run beside and which nothing waits for."""


def replicates(make: Make, prepared: Prepared, n: int, what: str, cluster: str = "") -> list[Result]:
    """Make n replicates.

    Parameters
    ----------
    make : callable
    prepared : object
        What replicates need, and nothing else: it crosses to the workers.
    n : int
    what : str
        What the progress bar calls them.
    cluster : str
        Address of the study's cluster; empty for none.

    Returns
    -------
    list
        In the order of the numbers.
    """
    if not cluster:
        return list(tracked(make(prepared, range(n)), what, n))
    with on_cluster(cluster) as opened:
        jobs = _batches(make, prepared, n, opened)
        done = dict(tracked(opened.run(_made, jobs, AHEAD), what, len(jobs)))
    return list(chain.from_iterable(done[first] for first in sorted(done)))


def _batches(make: Make, prepared: Prepared, n: int, cluster: Cluster) -> list[tuple]:
    """Jobs of about as many replicates each; every one has what was prepared, so that no worker's death loses it."""
    packed = zlib.compress(pickle.dumps(prepared), level=1)
    n_batches = max(min(n, BATCHES * cluster.n_workers), 1)  # the only worker may be about to come back
    edges = np.linspace(0, n, n_batches + 1).astype(int).tolist()
    return [(make, packed, first, last) for first, last in pairwise(edges)]


def _made(make: Make, packed: bytes, first: int, last: int) -> tuple[int, list]:
    """One batch, by a worker: the number of its first replicate, and all of them."""
    return first, list(make(pickle.loads(zlib.decompress(packed)), range(first, last)))
