"""A binomial model over parts of a table is the model of all rows; what it cannot say is refused in words."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest

from outcomes.errors import FitRefused, FormulaError, UsageError
from outcomes.mixed import (
    BinomialFit,
    Partitions,
    bootstrap_binomial,
    fit_binomial,
    fit_binomial_partitions,
    profile_binomial_intervals,
    write_partitions,
)
from outcomes.workers import in_threads

FORMULAS = (
    "left ~ x + m + (1 | therapist_id)",
    "left ~ x * m + (1 | client_id) + (1 | therapist_id)",
    "left ~ 0 + x + (1 | client_id)",
)


def sessions() -> pl.DataFrame:
    """Nine practices; in one nobody leaves, one has a level of m that no other has; some x are missing."""
    rng = np.random.default_rng(5)
    rows = []
    for practice in range(9):
        for therapist in range(2 + practice % 3):
            liked = rng.normal(0, 0.6)
            for client in range(12):
                usual = rng.normal(0, 0.7)
                for _ in range(rng.integers(1, 9)):
                    x, m = rng.normal(50 + practice, 3), rng.choice(["a", "b", "c"] if practice else ["a", "b", "d"])
                    risk = 1 / (1 + np.exp(5.5 - 0.08 * x - 0.4 * (m == "b") - usual - liked))
                    left = int(rng.random() < risk) if practice != 4 else 0
                    x = None if rng.random() < 0.05 else x
                    rows.append(
                        (f"p{practice}", f"t{practice}-{therapist}", f"c{practice}-{therapist}-{client}", x, m, left)
                    )
    return pl.DataFrame(rows, schema=["practice_id", "therapist_id", "client_id", "x", "m", "left"], orient="row")


def cut(rows: pl.DataFrame, folder: Path, n: int = 4) -> Partitions:
    with duckdb.connect() as con:
        con.register("offered", rows.to_arrow())
        con.execute("create table sessions as from offered")
        return write_partitions(con, "sessions", folder / "parts", n)


@pytest.fixture
def partitions(tmp_path) -> Partitions:
    return cut(sessions(), tmp_path)


def apart(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Largest difference of two covariances' entries, each by the product of its standard errors."""
    errors = np.sqrt(np.diag(theirs))
    return float(np.max(np.abs(ours - theirs) / np.outer(errors, errors)))


def assert_same(pooled: BinomialFit, whole: BinomialFit) -> None:
    np.testing.assert_allclose(pooled.beta, whole.beta, atol=1e-8)
    assert pooled.llf == pytest.approx(whole.llf, abs=1e-8)
    for ours, theirs in zip(pooled.variances, whole.variances, strict=True):
        assert ours.group == theirs.group
        np.testing.assert_allclose(ours.cov, theirs.cov, atol=1e-8)
    assert apart(pooled.vcov, whole.vcov) < 1e-8
    assert apart(pooled.engine_state.covariance, whole.engine_state.covariance) < 1e-8  # of the variances too
    assert pooled.names == whole.names
    assert (pooled.nobs, pooled.n_missing, pooled.n_groups) == (whole.nobs, whole.n_missing, whole.n_groups)
    assert (pooled.status, pooled.n_parameters) == (whole.status, whole.n_parameters)


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("link", ["logit", "cloglog"])
def test_the_fit_of_parts_is_that_of_all_rows(partitions, formula, link):
    with in_threads() as places:
        assert_same(
            fit_binomial_partitions(formula, partitions, places, link=link),
            fit_binomial(formula, sessions(), link=link),
        )


def few_clients(seed: int) -> pl.DataFrame:
    """Three practices of two therapists with six clients each, who come once to four times."""
    rng = np.random.default_rng(seed)
    rows = [
        (f"p{p}", f"t{p}-{t}", f"c{p}-{t}-{c}", rng.normal(), risk)
        for p in range(3)
        for t in range(2)
        for liked in [rng.normal()]
        for c in range(6)
        for risk in [0.3 + 1.2 * liked + 1.5 * rng.normal()]
        for _ in range(1 + (c + t) % 4)
    ]
    frame = pl.DataFrame(rows, schema=["practice_id", "therapist_id", "client_id", "x", "risk"], orient="row")
    left = rng.random(frame.height) < 1 / (1 + np.exp(-(frame["risk"] + 0.5 * frame["x"]).to_numpy()))
    return frame.with_columns(left=pl.Series(left).cast(pl.Int64))


@pytest.mark.parametrize("groups", ["(1 | therapist_id)", "(1 | client_id) + (1 | therapist_id)"])
@pytest.mark.parametrize("link", ["logit", "cloglog"])
@pytest.mark.parametrize("seed", range(4))
def test_a_few_clients_in_three_parts_are_fitted_as_in_one(tmp_path, groups, link, seed):
    formula = f"left ~ x + {groups}"
    with in_threads() as places:
        pooled = fit_binomial_partitions(formula, cut(few_clients(seed), tmp_path, 3), places, link=link)
    assert_same(pooled, fit_binomial(formula, few_clients(seed), link=link))


def test_events_of_trials_are_summed_with_their_constants(tmp_path):
    rng = np.random.default_rng(2)
    rows = sessions().with_columns(n=pl.Series(rng.integers(1, 6, sessions().height)))
    rows = rows.with_columns(share=pl.Series(rng.binomial(rows["n"].to_numpy(), 0.3)) / pl.col("n"))
    formula = "share ~ x + (1 | therapist_id)"
    with in_threads() as places:
        pooled = fit_binomial_partitions(formula, cut(rows, tmp_path), places, weights="n")
    assert_same(pooled, fit_binomial(formula, rows, weights="n"))


def test_a_fit_of_parts_says_what_it_knows_and_refuses_single_levels(partitions):
    with in_threads() as places:
        fit = fit_binomial_partitions(FORMULAS[0], partitions, places)
    whole = fit_binomial(FORMULAS[0], sessions())
    limits = fit.sd_conf_int().select("sd", "conf_low", "conf_high").row(0)
    assert limits == pytest.approx(whole.sd_conf_int().select("sd", "conf_low", "conf_high").row(0), rel=1e-4)
    assert "therapist_id" in str(fit.summary())
    for ask in (
        lambda: fit.random_effects("therapist_id"),
        lambda: bootstrap_binomial(fit, 3, show_progress=False),
        lambda: profile_binomial_intervals(fit),
    ):
        with pytest.raises(UsageError, match="A fit in parts knows neither its rows"):
            ask()
    with pytest.raises(UsageError, match="its data are not with it"):
        _ = fit.fittedvalues


def test_what_parts_cannot_hold_is_refused(partitions, tmp_path):
    with in_threads() as places:
        with pytest.raises(UsageError, match="random intercepts only"):
            fit_binomial_partitions("left ~ x + (1 + x | therapist_id)", partitions, places)
        with pytest.raises(FormulaError, match="may lie in two parts"):
            fit_binomial_partitions("left ~ x + (1 | m)", partitions, places)
        never = cut(sessions().with_columns(left=pl.lit(0)), tmp_path / "never")
        with pytest.raises(FitRefused, match="never 1"):
            fit_binomial_partitions("left ~ x + (1 | therapist_id)", never, places)
        apart = cut(sessions().with_columns(x=pl.col("left") * 2.0), tmp_path / "apart")
        with pytest.raises(FitRefused, match="separated by x"):
            fit_binomial_partitions("left ~ x + (1 | therapist_id)", apart, places)
