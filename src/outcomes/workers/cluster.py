"""The one door to Dask: workers on other machines, reached through a scheduler's address."""

from __future__ import annotations

import platform
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, TypeVar

from outcomes.errors import StepFailed, UsageError
from outcomes.release.identity import code_version

if TYPE_CHECKING:
    from distributed import Client, Future

Result = TypeVar("Result")

ANSWER_SECONDS = 10
"""Until a scheduler must have answered, and until it must have a worker."""
SAME = ("numpy", "scipy", "duckdb", "polars", "distributed")
"""Packages on which numbers or messages depend: the same version everywhere."""
_WITHOUT = "or go on without --cluster and without [cluster] in study.toml"


@dataclass(frozen=True)
class Cluster:
    """Workers of a Dask scheduler: for single jobs, and as places that keep what they read.

    What was lost with a worker is made again from its recipe by another one, or by the same when it is back.
    """

    client: Client
    address: str

    @property
    def n_workers(self) -> int:
        """Workers that are there now."""
        return len(self.client.nthreads())

    def run(self, function: Callable[..., Result], jobs: Sequence[tuple], priority: int = 0) -> Iterator[Result]:
        """Yield `function(*job)` for all jobs, as they are done; those of a higher priority go before all others."""
        from distributed import as_completed

        started = [self.client.submit(function, *job, pure=False, priority=priority) for job in jobs]
        with self._in_words():
            for done in as_completed(started, loop=self.client.loop):
                yield done.result()

    def keep(self, function: Callable[..., Any], jobs: Sequence[tuple]) -> list[Future]:
        """Call `function(*job)` for each job, one a place; the results stay with the workers."""
        return [self.client.submit(function, *job, pure=False) for job in jobs]

    def ask(self, function: Callable[..., Any], kept: Sequence[Any], *arguments: Any) -> list[Any]:
        """Call `function(one, *arguments)` on what each place keeps, and bring the results here, in order."""
        asked = [self.client.submit(function, one, *arguments, pure=False) for one in kept]
        with self._in_words():
            return self.client.gather(asked)

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        from distributed import CancelledError, KilledWorker
        from distributed.comm import CommClosedError

        try:
            yield
        except KilledWorker:
            raise StepFailed(
                f"Workers of the cluster at {self.address} died again and again on the same work",
                f"see their logs, likely they lack memory; {_WITHOUT}",
            ) from None
        except (CancelledError, CommClosedError):
            raise StepFailed(
                f"The cluster at {self.address} stopped answering; what was finished stays",
                f"start its scheduler and do it again, {_WITHOUT}",
            ) from None


_opened: dict[str, tuple[int, Cluster]] = {}  # by address: how many use it
_lock = threading.Lock()


@contextmanager
def on_cluster(address: str) -> Iterator[Cluster]:
    """Open the workers behind a Dask scheduler; who opens what this process has open already, uses the same connection.

    Parameters
    ----------
    address : str
        As the scheduler prints it: ``tcp://host:8786`` or ``tls://host:8786``.

    Raises
    ------
    UsageError
        Dask is not installed; nobody answers; there is no worker; a worker has other versions than this machine.
    """
    with _lock:
        n_users, cluster = _opened.get(address) or (0, _connect(address))
        _opened[address] = n_users + 1, cluster
    try:
        yield cluster
    finally:
        with _lock:
            n_users, _ = _opened.pop(address)
            if n_users > 1:
                _opened[address] = n_users - 1, cluster
            else:
                cluster.client.close()


def _connect(address: str) -> Cluster:
    """Connect to a scheduler whose workers compute the same as this machine."""
    try:
        import dask
        from distributed import Client
    except ImportError:
        raise UsageError(
            "A cluster needs Dask, which is not installed", 'install it with `pip install "outcomes[cluster]"`'
        ) from None
    dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 TB"})  # what a job needs goes along with it
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Mismatched versions")  # told below, in words
        try:
            client = Client(address, timeout=ANSWER_SECONDS, set_as_default=False)
        except (OSError, ValueError):
            raise UsageError(
                f"No Dask scheduler answers at {address} within {ANSWER_SECONDS} seconds",
                f"start one with `dask scheduler`, and take the address that it prints; {_WITHOUT}",
            ) from None
    try:
        _refuse_strangers(client, address)
    except BaseException:
        client.close()
        raise
    return Cluster(client, address)


def can_be_read_on_the_way(address: str) -> bool:
    """Whether what crosses to a scheduler leaves this machine, and is not encrypted."""
    kind, _, rest = address.partition("://")
    host = rest.rpartition(":")[0]
    return kind == "tcp" and host not in ("localhost", "[::1]") and not host.startswith("127.")


def versions() -> dict[str, str]:
    """What must be the same on all machines for the numbers to be the same."""
    python = ".".join(platform.python_version_tuple()[:2])
    return {"outcomes": code_version(), "Python": python} | {name: version(name) for name in SAME}


def _refuse_strangers(client: Client, address: str) -> None:
    """Refuse a cluster without workers, or with workers that would compute something else."""
    try:
        client.wait_for_workers(1, timeout=ANSWER_SECONDS)
    except TimeoutError:
        raise UsageError(
            f"The scheduler at {address} has no workers", f"start some with `dask worker {address}`; {_WITHOUT}"
        ) from None
    same = "install the same versions of everything on all machines (constraints.txt)"
    try:
        found = client.run(versions)
    except Exception:  # whatever a foreign Python makes of ours
        raise UsageError(f"A worker of the cluster at {address} cannot run this version of outcomes", same) from None
    own = versions()
    differing = [
        f"{name} ({theirs.get(name, 'none')} there, {ours} here)"
        for theirs in found.values() for name, ours in own.items() if theirs.get(name) != ours
    ]  # fmt: skip
    if differing:
        others = sum(theirs != own for theirs in found.values())
        raise UsageError(
            f"{others} of {len(found)} workers of the cluster at {address} have other versions: "
            + ", ".join(dict.fromkeys(differing)),
            same,
        )
