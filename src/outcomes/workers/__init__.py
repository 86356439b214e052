"""Who does the work: processes of this machine, places in this process, or the workers of a cluster."""

from collections.abc import Iterator
from contextlib import contextmanager

from outcomes.workers.cluster import Cluster, can_be_read_on_the_way, on_cluster
from outcomes.workers.processes import Processes, in_processes
from outcomes.workers.threads import Threads, in_threads

__all__ = [
    "Cluster",
    "Processes",
    "Threads",
    "can_be_read_on_the_way",
    "in_processes",
    "in_threads",
    "on_cluster",
    "workers",
]


@contextmanager
def workers(address: str = "") -> Iterator[Processes | Cluster]:
    """Open who runs single jobs: the cluster at this address, or where it is empty one process a processor."""
    with on_cluster(address) if address else in_processes() as opened:
        yield opened
