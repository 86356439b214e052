"""The one door to Dask: workers on other machines, reached through a scheduler's address."""

from __future__ import annotations

import logging
import platform
import threading
import uuid
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, TypeVar

from outcomes.errors import StepFailed, UsageError
from outcomes.progress import StepLine
from outcomes.release.identity import code_version

if TYPE_CHECKING:
    from distributed import Client, Future

Result = TypeVar("Result")

ANSWER_SECONDS = 10
"""Until a scheduler must have answered, and until it must have a worker."""
OPENING_SECONDS = 60
"""Until all workers must have said which versions they have; they load our package first."""
ALONE_SECONDS = 10.0
"""Without any worker, until whoever waits is told."""
LOOK_SECONDS = 1.0
"""Between two looks whether there are workers."""
SAME = ("numpy", "scipy", "duckdb", "polars", "distributed")
"""Packages on which numbers or messages depend: the same version everywhere."""
_SAME_HINT = "install the same versions of everything on all machines (constraints.txt)"
_WITHOUT = "or go on without --cluster and without [cluster] in study.toml"


class _Watch:
    """Tells once, while somebody waits for results, that no worker is left."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._n_waiting = 0
        self._lock = threading.Lock()
        self._is_over = threading.Event()
        threading.Thread(target=self._look, daemon=True).start()

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Somebody waits for results."""
        self._count(1)
        try:
            yield
        finally:
            self._count(-1)

    def end(self) -> None:
        """Look no more."""
        self._is_over.set()

    def _count(self, more: int) -> None:
        with self._lock:
            self._n_waiting += more

    def _look(self) -> None:
        alone = 0.0
        while not self._is_over.wait(LOOK_SECONDS):
            alone = alone + LOOK_SECONDS if self._n_waiting and not self._has_workers() else 0.0
            if alone >= ALONE_SECONDS:
                StepLine().warn("cluster: no workers are left; waiting for them (Ctrl-C stops)")
                return

    def _has_workers(self) -> bool:
        try:
            return bool(self._client.nthreads())
        except Exception:  # without a scheduler whoever waits hears of it
            return True


@dataclass(frozen=True)
class Cluster:
    """Workers of a Dask scheduler: for single jobs, and as places that keep what they read.

    What was lost with a worker is made again from its recipe by another one, or by the same when it is back.
    """

    client: Client
    address: str
    versions: Mapping[str, str]
    watch: _Watch

    @property
    def n_workers(self) -> int:
        """Workers that are there now."""
        return len(self.client.nthreads())

    def run(self, function: Callable[..., Result], jobs: Sequence[tuple], priority: int = 0) -> Iterator[Result]:
        """Yield `function(*job)` for all jobs, as they are done; those of a higher priority go before all others."""
        from distributed import as_completed

        started = [self._started(function, job, priority) for job in jobs]
        with self._in_words():
            for done in as_completed(started, loop=self.client.loop):
                yield done.result()

    def keep(self, function: Callable[..., Any], jobs: Sequence[tuple]) -> list[Future]:
        """Call `function(*job)` for each job, one a place; the results stay with the workers."""
        return [self._started(function, job) for job in jobs]

    def ask(self, function: Callable[..., Any], kept: Sequence[Any], *arguments: Any) -> list[Any]:
        """Call `function(one, *arguments)` on what each place keeps, and bring the results here, in order."""
        asked = [self._started(function, (one, *arguments)) for one in kept]
        with self._in_words():
            return self.client.gather(asked)

    def _started(self, function: Callable[..., Any], job: tuple, priority: int = 0) -> Future:
        key = f"{function.__name__}-{uuid.uuid4().hex}"
        return self.client.submit(_by_the_same, self.versions, function, *job, key=key, priority=priority)

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        from distributed import CancelledError, KilledWorker
        from distributed.comm import CommClosedError

        try:
            with self.watch.waiting():
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
        Dask is not installed; certificates are missing; nobody answers; there is no worker, or one that says nothing; a
        worker has other versions than this machine.
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
                cluster.watch.end()
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
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)  # what goes wrong is told in words, once
    if address.startswith("tls://"):
        _refuse_without_certificates(address)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Mismatched versions")  # told below, in words
        try:
            client = Client(address, timeout=ANSWER_SECONDS, set_as_default=False)
        except (OSError, ValueError):
            raise UsageError(
                f"No Dask scheduler answers at {address} within {ANSWER_SECONDS} seconds",
                "start one with `dask scheduler`, and take the address that it prints, tls:// if it has certificates; "
                + _WITHOUT,
            ) from None
    try:
        _refuse_strangers(client, address)
    except BaseException:
        client.close()
        raise
    return Cluster(client, address, versions(), _Watch(client))


def _refuse_without_certificates(address: str) -> None:
    """Refuse an encrypted address where Dask has no certificates that it can read."""
    from distributed.security import Security

    try:
        context = Security().get_connection_args("client")["ssl_context"]
    except OSError:  # a file that is not there, or is no certificate
        context = None
    if context is None:
        raise UsageError(
            f"{address} is encrypted, and Dask has no certificates here that it can read",
            "name their files in DASK_DISTRIBUTED__COMM__TLS__CA_FILE, DASK_DISTRIBUTED__COMM__TLS__CLIENT__CERT and "
            f"DASK_DISTRIBUTED__COMM__TLS__CLIENT__KEY (docs/cluster.md); {_WITHOUT}",
        )


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

    async def asked() -> dict[str, dict[str, str]]:
        return await client.run(versions)

    try:
        found = client.sync(asked, callback_timeout=OPENING_SECONDS)
    except TimeoutError:
        raise UsageError(
            f"A worker of the cluster at {address} does not answer within {OPENING_SECONDS} seconds",
            f"stop it and start it again; {_WITHOUT}",
        ) from None
    except Exception:  # whatever a foreign Python makes of ours
        raise UsageError(
            f"A worker of the cluster at {address} cannot run this version of outcomes", _SAME_HINT
        ) from None
    own = versions()
    if differing := [one for theirs in found.values() for one in _differing(theirs, own)]:
        others = sum(theirs != own for theirs in found.values())
        raise UsageError(
            f"{others} of {len(found)} workers of the cluster at {address} have other versions: "
            + ", ".join(dict.fromkeys(differing)),
            _SAME_HINT,
        )


def _differing(theirs: Mapping[str, str], ours: Mapping[str, str]) -> list[str]:
    """What a worker has otherwise than the machine that asks it."""
    return [
        f"{name} ({theirs.get(name, 'none')} there, {here} here)"
        for name, here in ours.items() if theirs.get(name) != here
    ]  # fmt: skip


_own_versions = cache(versions)
"""Of a worker, which does not change them while it runs."""


def _by_the_same(expected: Mapping[str, str], function: Callable[..., Result], *job: Any) -> Result:
    """Do a job on a worker, unless it computes something else than the machine that asks; it may have joined late."""
    if differing := _differing(_own_versions(), expected):
        raise StepFailed(
            f"A worker that joined the cluster later has other versions: {', '.join(differing)}; "
            "what was finished stays",
            _SAME_HINT,
        )
    return function(*job)
