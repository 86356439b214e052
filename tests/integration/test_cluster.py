"""Workers of a Dask scheduler: the numbers of one machine, also when a worker is killed; refusals in words."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import astuple, replace
from pathlib import Path

import distributed
import duckdb
import numpy as np
import polars as pl
import pytest
from clusters import ANY_PORT, two_workers
from processes import HANGS_SECONDS, CommandLine, free_port, private_environment

from outcomes.answers.recovery import run as recovery
from outcomes.answers.recovery.world import StudySize
from outcomes.errors import StepFailed, StorageError, UsageError
from outcomes.mixed import (
    LinearFit,
    Partitions,
    fit_binomial,
    fit_binomial_partitions,
    fit_dynamic,
    fit_dynamic_partitions,
    fit_linear,
    fit_linear_partitions,
    write_partitions,
)
from outcomes.simulate import simulate_study
from outcomes.study import StudyFolder, create_study
from outcomes.study.settings import Cluster, Recovery
from outcomes.workers import cluster, on_cluster, workers

FORMULA = "y ~ x * m + (1 + x | client_id) + (1 | therapist_id)"


@pytest.fixture(scope="module")
def scheduler() -> Iterator[distributed.LocalCluster]:
    with two_workers() as opened:
        yield opened


def sessions() -> pl.DataFrame:
    rng = np.random.default_rng(8)
    rows = []
    for therapist in range(40):
        liked = rng.normal(0, 0.6)
        for client in range(8):
            usual, slope = rng.normal(0, 1), rng.normal(0.3, 0.3)
            for _ in range(rng.integers(3, 9)):
                x, m = rng.normal(5 + therapist // 4, 1), rng.choice(["a", "b", "c"])
                y = 4 + liked + usual + slope * x + 0.3 * (m == "b") + rng.normal(0, 1)
                rows.append((f"p{therapist // 4}", f"t{therapist}", f"c{therapist}-{client}", x, m, y))
    return pl.DataFrame(rows, schema=["practice_id", "therapist_id", "client_id", "x", "m", "y"], orient="row")


@pytest.fixture(scope="module")
def whole() -> LinearFit:
    return fit_linear(FORMULA, sessions())


@pytest.fixture
def partitions(tmp_path) -> Partitions:
    with duckdb.connect() as con:
        con.register("offered", sessions().to_arrow())
        con.execute("create table sessions as from offered")
        return write_partitions(con, "sessions", tmp_path / "parts", 4)


def assert_same(pooled: LinearFit, whole: LinearFit) -> None:
    np.testing.assert_allclose(pooled.beta, whole.beta, atol=1e-8)
    np.testing.assert_allclose(pooled.vcov, whole.vcov, atol=1e-8)
    for ours, theirs in zip(pooled.variances, whole.variances, strict=True):
        np.testing.assert_allclose(ours.cov, theirs.cov, atol=1e-8)
    assert pooled.llf == pytest.approx(whole.llf, abs=1e-8)
    assert (pooled.nobs, pooled.n_groups, pooled.status) == (whole.nobs, whole.n_groups, whole.status)


def test_a_fit_on_workers_is_the_fit_on_one_machine(scheduler, partitions, whole):
    with on_cluster(scheduler.scheduler_address) as places:
        assert_same(fit_linear_partitions(FORMULA, partitions, places), whole)


class Killing:
    """Places one of whose worker processes is killed before some questions."""

    def __init__(self, places, before: tuple[int, ...]) -> None:
        self.places, self.before, self.n_asked, self.killed = places, before, 0, []

    def keep(self, function, jobs):
        return self.places.keep(function, jobs)

    def ask(self, function, kept, *arguments):
        self.n_asked += 1
        if self.n_asked in self.before:
            pid = next(iter(self.places.client.run(os.getpid).values()))
            os.kill(pid, signal.SIGKILL)
            self.killed.append(pid)
        return self.places.ask(function, kept, *arguments)


def test_a_worker_killed_in_mid_run_costs_time_and_not_the_result(partitions, whole):
    """On workers of its own: one that is killed while it starts does not always come back."""
    with two_workers() as own, on_cluster(own.scheduler_address) as places:
        killing = Killing(places, before=(2, 5, 9))  # before the sums, early and late in the search
        assert_same(fit_linear_partitions(FORMULA, partitions, killing), whole)
        assert len(killing.killed) == 3
        assert not set(killing.killed) & set(places.client.run(os.getpid).values())


def test_a_hazard_on_workers_is_that_of_one_machine_also_when_one_is_killed(tmp_path):
    formula = "left ~ x + m + (1 | client_id) + (1 | therapist_id)"
    rows = sessions()
    risk = 1 / (1 + np.exp(4.0 - 0.25 * rows["y"].to_numpy()))
    rows = rows.with_columns(left=pl.Series(np.random.default_rng(4).binomial(1, risk)))
    with duckdb.connect() as con:
        con.register("offered", rows.to_arrow())
        con.execute("create table sessions as from offered")
        parts = write_partitions(con, "sessions", tmp_path / "parts", 4)
    one_machine = fit_binomial(formula, rows)
    with two_workers() as own, on_cluster(own.scheduler_address) as places:
        killing = Killing(places, before=(3, 8))  # before the products, and in the search
        pooled = fit_binomial_partitions(formula, parts, killing)
        assert len(killing.killed) == 2
    # both searches end where nothing is left to gain, a millionth of a standard error apart
    np.testing.assert_allclose(pooled.beta, one_machine.beta, atol=1e-5 * one_machine.bse.min())
    assert pooled.llf == pytest.approx(one_machine.llf, abs=1e-8)
    assert (pooled.nobs, pooled.n_groups, pooled.status) == (
        one_machine.nobs,
        one_machine.n_groups,
        one_machine.status,
    )


def test_the_dynamic_model_on_workers_is_that_of_one_machine_also_when_one_is_killed(scheduler, tmp_path):
    formula = "y ~ x + m"
    roles = {"guidance": "x", "client": "client_id", "therapist": "therapist_id", "time": "number"}
    rows = sessions()
    code = rows["client_id"].rank("dense").to_numpy() - 1
    usual = np.random.default_rng(3).normal(size=code.max() + 1)[code]  # without it a variance would be zero
    rows = rows.with_columns(x=pl.col("x") + usual, number=pl.int_range(pl.len()).over("client_id"))
    with duckdb.connect() as con:
        con.register("offered", rows.to_arrow())
        con.execute("create table sessions as from offered")
        parts = write_partitions(con, "sessions", tmp_path / "parts", 4)
    one_machine = fit_dynamic(formula, rows, **roles)
    with on_cluster(scheduler.scheduler_address) as places:
        unharmed = fit_dynamic_partitions(formula, parts, places, **roles)
    with two_workers() as own, on_cluster(own.scheduler_address) as places:
        killing = Killing(places, before=(3, 10, 41))  # before the sums, between a share and its gradient, and late
        pooled = fit_dynamic_partitions(formula, parts, killing, **roles)
        assert len(killing.killed) == 3
    for fit in (unharmed, pooled):
        np.testing.assert_allclose(fit.parameters, one_machine.parameters, atol=1e-8)
        np.testing.assert_allclose(fit.parameter_cov, one_machine.parameter_cov, atol=1e-8)
        assert fit.llf == pytest.approx(one_machine.llf, abs=1e-8)
        assert (fit.nobs, fit.n_groups, fit.status) == (one_machine.nobs, one_machine.n_groups, one_machine.status)


def test_what_a_worker_cannot_read_is_told_in_words(scheduler, partitions):
    elsewhere = replace(partitions, folder=partitions.folder + "-not-there")
    with on_cluster(scheduler.scheduler_address) as places, pytest.raises(StorageError, match="cannot be read"):
        fit_linear_partitions(FORMULA, elsewhere, places)


def test_recovery_cards_of_a_cluster_are_those_of_this_machine(scheduler, monkeypatch, tmp_path):
    monkeypatch.setattr(recovery, "LARGE_CLIENTS", 60)
    settings = create_study(tmp_path / "study").settings.model_copy(update={"recovery": Recovery(cohorts=2)})
    size = StudySize(60, 12, 7.0, 0.2)
    here = recovery.simulated_cards(size, settings)
    there = recovery.simulated_cards(
        size, settings.model_copy(update={"cluster": Cluster(address=scheduler.scheduler_address)})
    )
    for one, other in zip(here, there, strict=True):
        for value, expected in zip(astuple(one), astuple(other), strict=True):
            is_number = isinstance(expected, float)
            assert value == (pytest.approx(expected, rel=1e-9, abs=1e-12, nan_ok=True) if is_number else expected)


def test_an_address_where_nobody_answers_is_told_in_words(monkeypatch):
    monkeypatch.setattr(cluster, "ANSWER_SECONDS", 1)
    told = "No Dask scheduler answers at tcp://127[.]0[.]0[.]1:9 within 1 seconds"
    with pytest.raises(UsageError, match=told), on_cluster("tcp://127.0.0.1:9"):
        pass


def test_what_leaves_this_machine_unencrypted_can_be_read_on_the_way():
    open_ones = [f"tcp://{host}:8786" for host in ("10.0.0.5", "node1", "[fd00::5]")]
    closed = ["tls://10.0.0.5:8786", *(f"tcp://{host}:8786" for host in ("127.0.0.1", "localhost", "[::1]"))]
    assert [cluster.can_be_read_on_the_way(one) for one in open_ones + closed] == [True] * 3 + [False] * 4


def test_a_scheduler_without_workers_is_told_in_words(monkeypatch):
    monkeypatch.setattr(cluster, "ANSWER_SECONDS", 1)
    with (
        distributed.LocalCluster(n_workers=0, dashboard_address=ANY_PORT) as empty,
        pytest.raises(UsageError, match="has no workers"),
        on_cluster(empty.scheduler_address),
    ):
        pass


def test_workers_with_other_versions_are_refused_by_name(scheduler, monkeypatch):
    monkeypatch.setattr(cluster, "code_version", lambda: "9.9.9+0")
    with (
        pytest.raises(UsageError, match=r"2 of 2 workers .* have other versions: outcomes \(.* there, 9.9.9\+0 here\)"),
        on_cluster(scheduler.scheduler_address),
    ):
        pass


def test_without_dask_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UsageError, match="needs Dask, which is not installed") as refused, workers("tcp://x:1"):
        pass
    assert "outcomes[cluster]" in refused.value.hint


def test_a_cluster_that_goes_away_is_told_in_words():
    with (
        distributed.LocalCluster(n_workers=1, processes=False, dashboard_address=ANY_PORT) as short,
        on_cluster(short.scheduler_address) as places,
    ):
        kept = places.keep(int, [(1,)])
        assert places.ask(str, kept) == ["1"]
        short.close()
        with pytest.raises(StepFailed, match="stopped answering; what was finished stays"):
            places.ask(str, kept)


def test_the_commands_of_the_page_refresh_a_study_with_two_workers(tmp_path, ask_only):
    """As docs/cluster.md shows them, on a port of the test's own."""
    page = (Path(__file__).parents[2] / "docs" / "cluster.md").read_text(encoding="utf-8")
    port = free_port()
    block = (
        page.split("```sh\n")[1].split("```")[0].replace(":8786", f":{port}").replace("--port 8786", f"--port {port}")
    )
    *helpers, refresh = [shlex.split(line) for line in block.splitlines()]
    assert [words[:2] for words in helpers] == [["dask", "scheduler"], ["dask", "worker"], ["dask", "worker"]]
    environment = private_environment(tmp_path / "home")
    study = create_study(tmp_path / "my-study")
    simulate_study(study.root, clients=30, therapists=10, seed=1)
    ask_only(study.root)
    started = [
        subprocess.Popen(
            [sys.executable, "-m", *words], env=environment, cwd=tmp_path,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        for words in helpers
    ]  # fmt: skip
    try:
        with distributed.Client(f"tcp://127.0.0.1:{port}", timeout=HANGS_SECONDS, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=HANGS_SECONDS)
        done = CommandLine(environment)("refresh", study.root, *refresh[3:])
    finally:
        for one in started[::-1]:
            one.terminate()
            one.wait(timeout=HANGS_SECONDS)
    assert done.returncode == 0, done.stderr
    assert f"2 worker(s) behind tcp://127.0.0.1:{port}" in done.stderr
    assert "Published release" in done.stdout


def test_an_address_given_by_hand_goes_before_the_study_file_and_must_be_one(tmp_path):
    study = create_study(tmp_path / "study")
    by_hand = StudyFolder.open(study.root, "tcp://10.0.0.5:8786")
    assert by_hand.settings.cluster.address == "tcp://10.0.0.5:8786"
    assert by_hand.settings_sha256 == study.settings_sha256
    with pytest.raises(UsageError, match="is no address of a cluster"):
        StudyFolder.open(study.root, "http://10.0.0.5")
