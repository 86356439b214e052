"""Clusters whose workers say nothing, are gone, or join with other versions; certificates; a killed scheduler."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import dask
import distributed
import pytest
from clusters import ANY_PORT, two_workers
from processes import HANGS_SECONDS, free_port, private_environment

from outcomes.errors import StepFailed, UsageError
from outcomes.workers import cluster, on_cluster


def test_a_worker_that_joins_later_with_other_versions_is_refused_at_its_first_job():
    with two_workers() as own, on_cluster(own.scheduler_address) as places:
        newer = replace(places, versions={**places.versions, "numpy": "9.9.9"})
        with pytest.raises(
            StepFailed, match=r"joined the cluster later has other versions: numpy \(.* there, 9.9.9 here"
        ):
            list(newer.run(abs, [(-1,)]))
        with pytest.raises(StepFailed, match="joined the cluster later"):
            newer.ask(abs, newer.keep(int, [(1,)]))


def test_a_worker_that_says_nothing_is_told_in_words(monkeypatch):
    monkeypatch.setattr(cluster, "OPENING_SECONDS", 2)
    with two_workers() as own:
        stopped = next(iter(own.workers.values())).pid
        os.kill(stopped, signal.SIGSTOP)
        try:
            told = f"A worker of the cluster at {own.scheduler_address} does not answer within 2 seconds"
            with pytest.raises(UsageError, match=told), on_cluster(own.scheduler_address):
                pass
        finally:
            os.kill(stopped, signal.SIGCONT)


@pytest.mark.parametrize("certificate", [None, "/nowhere.pem"])
def test_an_encrypted_address_without_certificates_is_told_in_words(certificate):
    with (
        dask.config.set({"distributed.comm.tls.ca-file": certificate}),
        pytest.raises(UsageError, match="is encrypted, and Dask has no certificates") as refused,
        on_cluster("tls://127.0.0.1:9"),
    ):
        pass
    assert "DASK_DISTRIBUTED__COMM__TLS__CA_FILE" in refused.value.hint


def test_while_no_worker_is_left_it_is_said_once_and_the_work_waits(monkeypatch):
    monkeypatch.setattr(cluster, "ALONE_SECONDS", 0.3)
    monkeypatch.setattr(cluster, "LOOK_SECONDS", 0.1)
    told, is_told = [], threading.Event()
    monkeypatch.setattr(cluster.StepLine, "warn", lambda _, text: (told.append(text), is_told.set()))
    with (
        distributed.LocalCluster(n_workers=1, processes=False, dashboard_address=ANY_PORT) as own,
        on_cluster(own.scheduler_address) as places,
        ThreadPoolExecutor(1) as beside,
    ):
        own.scale(0)
        waits = beside.submit(lambda: list(places.run(abs, [(-1,), (-2,)])))
        assert is_told.wait(HANGS_SECONDS)
        own.scale(1)
        assert sorted(waits.result(HANGS_SECONDS)) == [1, 2]
    assert told == ["cluster: no workers are left; waiting for them (Ctrl-C stops)"]


def test_a_scheduler_that_is_killed_is_told_in_our_words_only(tmp_path):
    port = free_port()
    address = f"tcp://127.0.0.1:{port}"
    words = [["scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"], ["worker", address]]
    environment = private_environment(tmp_path / "home")
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "dask", *one], env=environment, cwd=tmp_path,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        for one in words
    ]  # fmt: skip
    lines = [
        "import os, signal, threading, time",
        "from outcomes.errors import StepFailed",
        "from outcomes.workers import on_cluster",
        f"with on_cluster({address!r}) as places:",
        f"    threading.Timer(1, os.kill, ({started[0].pid}, signal.SIGKILL)).start()",
        "    try:",
        f"        list(places.run(time.sleep, [({HANGS_SECONDS},)]))",
        "    except StepFailed as told:",
        "        print(told.message)",
    ]
    try:
        with distributed.Client(address, timeout=HANGS_SECONDS, set_as_default=False) as client:
            client.wait_for_workers(1, timeout=HANGS_SECONDS)
        done = subprocess.run(
            [sys.executable, "-c", "\n".join(lines)], env=environment, cwd=tmp_path, capture_output=True, text=True,
            timeout=HANGS_SECONDS,
        )  # fmt: skip
    finally:
        for one in started[::-1]:
            one.kill()
            one.wait(timeout=HANGS_SECONDS)
    assert (done.stdout, done.stderr) == (
        f"The cluster at {address} stopped answering; what was finished stays\n", ""
    )  # fmt: skip
