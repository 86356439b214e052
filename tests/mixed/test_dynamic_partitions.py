"""The dynamic model over parts of a table is that of all rows; what it cannot say is refused in words."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest
from dynamic_cohorts import COLUMNS, cohort, small_rows

from outcomes.errors import FitRefused, FormulaError, StorageError, UsageError
from outcomes.mixed import (
    DynamicFit,
    FitStatus,
    Partitions,
    fit_dynamic,
    fit_dynamic_partitions,
    wald_test,
    write_partitions,
)
from outcomes.mixed.dynamic import search as module
from outcomes.mixed.dynamic.places.place import InParts, Place
from outcomes.mixed.dynamic.problem import build_problem
from outcomes.workers import in_threads

LEVEL = "satisfaction ~ directiveness"
SURFACE = f"{LEVEL} + I(directiveness**2) + preferred + preferred:directiveness"


def sessions() -> pl.DataFrame:
    """Seven practices of 1 to 5 therapists; ratings, guidance and rows are missing, clients change therapist.

    In the first practice nobody has the modality pct, in the second no preference is known.
    """
    found = []
    for practice, therapists in enumerate((1, 2, 3, 5, 4, 2, 3)):
        one = cohort(
            20 + practice, clients=9 + 9 * therapists, therapists=therapists,
            slope=0.28, persist=0.2, moves=0.2, unrated=0.15, unasked=0.05,
        )  # fmt: skip
        found.append(
            one.with_columns(pl.col("client_id", "therapist_id") + f"-{practice}", practice_id=pl.lit(f"p{practice}"))
        )
    rows = pl.concat(found)
    rng = np.random.default_rng(6)
    drawn = pl.Series(rng.choice(["cbt", "pct", "pdt"], rows.height))
    is_first = pl.col("practice_id") == "p0"
    return rows.with_columns(
        modality=pl.when(is_first & (drawn == "pct")).then(pl.lit("cbt")).otherwise(drawn),
        preferred=pl.when(pl.col("practice_id") != "p1").then("preferred"),
    ).filter(pl.Series(rng.random(rows.height) > 0.05))


def cut(rows: pl.DataFrame, folder: Path, n: int = 4, **how) -> Partitions:
    with duckdb.connect() as con:
        con.register("offered", rows.to_arrow())
        con.execute("create table sessions as from offered")
        return write_partitions(con, "sessions", folder / "parts", n, **how)


@pytest.fixture(scope="module")
def partitions(tmp_path_factory) -> Partitions:
    return cut(sessions(), tmp_path_factory.mktemp("cut"))


def in_parts(formula: str, partitions: Partitions, **asked) -> DynamicFit:
    with in_threads() as places:
        return fit_dynamic_partitions(formula, partitions, places, **{**COLUMNS, **asked})


def assert_same(pooled: DynamicFit, whole: DynamicFit) -> None:
    np.testing.assert_allclose(pooled.parameters, whole.parameters, atol=1e-8)
    errors = np.sqrt(np.diag(whole.parameter_cov))
    apart = np.abs(pooled.parameter_cov - whole.parameter_cov)
    assert np.all(apart <= 1e-7 * np.outer(errors, errors))  # the Hessian is a difference of gradients
    np.testing.assert_allclose(pooled.bse, whole.bse, rtol=1e-8)
    for ours, theirs in zip(pooled.variances, whole.variances, strict=True):
        assert ours.group == theirs.group
        np.testing.assert_allclose(ours.cov, theirs.cov, atol=1e-8)
    assert pooled.llf == pytest.approx(whole.llf, abs=1e-8)
    for fact in ("names", "parts", "n_groups", "n_sessions", "n_rated", "n_missing", "nobs", "n_parameters", "status"):
        assert getattr(pooled, fact) == getattr(whole, fact), fact
    assert pooled.messages == whole.messages


MODELS = {
    "level": (LEVEL, {}),
    "surface": (SURFACE, {"guidance_covariates": "attended_number + preferred"}),
    "categories": (f"{LEVEL} * modality", {"guidance_covariates": "modality"}),
    "no intercept": ("satisfaction ~ 0 + modality + directiveness", {}),
    "without therapists": (SURFACE, {"therapist": None}),
}


@pytest.mark.parametrize("model", MODELS)
def test_the_fit_of_parts_is_that_of_all_rows(partitions, model):
    formula, asked = MODELS[model]
    assert_same(in_parts(formula, partitions, **asked), fit_dynamic(formula, sessions(), **{**COLUMNS, **asked}))


def test_the_number_of_parts_does_not_matter(tmp_path):
    rows = sessions()
    whole = fit_dynamic(SURFACE, rows, **COLUMNS)
    for n in (1, 2, 7):
        parts = cut(rows, tmp_path / str(n), n)
        assert len(parts.n_rows) == n
        assert_same(in_parts(SURFACE, parts), whole)


def test_a_dropped_column_is_named_and_units_far_from_one_are_carried(tmp_path):
    rows = sessions().with_columns(pl.col("directiveness") * 1e-3 + 40, pl.col("satisfaction") * 100 + 1e6)
    rows = rows.with_columns(twice=2 * pl.col("directiveness") - 1)
    pooled = in_parts(f"{LEVEL} + twice", cut(rows, tmp_path))
    whole = fit_dynamic(f"{LEVEL} + twice", rows, **COLUMNS)
    assert any("twice" in message for message in pooled.messages)
    assert pooled.names == whole.names
    np.testing.assert_allclose(pooled.parameters, whole.parameters, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(pooled.bse, whole.bse, rtol=1e-6)


def test_a_variance_of_zero_is_singular_in_parts_too(tmp_path):
    centred = pl.col("directiveness", "satisfaction") - pl.col("directiveness", "satisfaction").mean().over("client_id")
    rows = sessions().drop_nulls().with_columns(centred)
    pooled = in_parts(LEVEL, cut(rows, tmp_path), therapist=None)
    whole = fit_dynamic(LEVEL, rows, **{**COLUMNS, "therapist": None})
    assert pooled.status is whole.status is FitStatus.SINGULAR
    assert pooled.messages == whole.messages
    assert pooled.llf == pytest.approx(whole.llf, abs=1e-6)
    np.testing.assert_allclose(pooled.beta, whole.beta, atol=1e-4 * whole.bse.min())


def test_levels_can_be_given_in_an_order_of_their_own(partitions):
    order = ["pdt", "cbt", "pct"]
    pooled = in_parts(f"{LEVEL} + modality", partitions, levels={"modality": order})
    ordered = sessions().with_columns(pl.col("modality").cast(pl.Enum(order)))
    assert_same(pooled, fit_dynamic(f"{LEVEL} + modality", ordered, **COLUMNS))
    assert {"modality[T.cbt]", "modality[T.pct]"} <= set(pooled.names)


def test_parts_without_complete_rows_are_left_out_and_counted(tmp_path):
    """One practice without guidance, one without therapists, one without ratings, one with first sessions only."""
    practice = pl.col("practice_id")
    rows = sessions().with_columns(
        directiveness=pl.when(practice != "p1").then("directiveness"),
        therapist_id=pl.when(practice != "p2").then("therapist_id"),
        satisfaction=pl.when(practice != "p3").then("satisfaction"),
    )
    rows = rows.filter((practice != "p4") | (pl.col("attended_number") == 1))
    more = cohort(50, clients=90, therapists=6).with_columns(practice_id=pl.lit("p9"), modality=pl.lit("cbt"))
    rows = pl.concat([rows, more.select(rows.columns)])
    assert_same(in_parts(LEVEL, cut(rows, tmp_path, 8)), fit_dynamic(LEVEL, rows, **COLUMNS))


def test_many_clients_start_from_some_of_each_part(partitions, monkeypatch):
    whole = fit_dynamic(LEVEL, sessions(), **COLUMNS)
    monkeypatch.setattr(module, "TWIN_CLIENTS", 100)
    pooled = in_parts(LEVEL, partitions)
    assert pooled.optimizer.start_value != whole.optimizer.start_value  # the twin was used
    assert pooled.llf == pytest.approx(whole.llf, abs=1e-8)
    np.testing.assert_allclose(pooled.parameters, whole.parameters, atol=1e-5 * whole.bse.min())
    again = in_parts(LEVEL, partitions, start=whole)
    assert again.optimizer.n_evaluations < whole.optimizer.n_evaluations
    np.testing.assert_allclose(again.parameters, whole.parameters, atol=1e-5 * whole.bse.min())


def test_everything_that_is_a_sum_is_told(partitions):
    pooled, whole = in_parts(SURFACE, partitions), fit_dynamic(SURFACE, sessions(), **COLUMNS)
    for verb in ("spread", "tidy", "derived", "confint"):
        ours, theirs = getattr(pooled, verb)(), getattr(whole, verb)()
        numbers = [name for name, kind in ours.schema.items() if kind == pl.Float64]
        assert ours.drop(numbers).equals(theirs.drop(numbers))
        np.testing.assert_allclose(ours.select(numbers), theirs.select(numbers), rtol=1e-6, atol=1e-8)
    robust, expected = pooled.robust(), whole.robust()
    assert robust.covariance_kind == "robust"
    np.testing.assert_allclose(robust.parameter_cov, expected.parameter_cov, atol=1e-8)
    test, same = (wald_test(fit, ["responsiveness", "next-session slope"]) for fit in (robust, expected))
    assert test.p_value == pytest.approx(same.p_value, rel=1e-6)
    assert "therapist_id 20" in pooled.summary()
    assert pickle.loads(pickle.dumps(pooled)).summary() == pooled.summary()


def test_robust_errors_of_few_therapists_and_profiles_are_refused(partitions, tmp_path):
    pooled = in_parts(LEVEL, partitions)
    with pytest.raises(UsageError, match="The rows are not with this fit"):
        pooled.confint(method="profile")
    few = sessions().filter(pl.col("practice_id").is_in(["p2", "p3"]))
    few = pl.concat([few, few.with_columns(pl.col("client_id") + "x")])  # the same series twice: clients enough
    with pytest.raises(FitRefused, match="only 8 therapists"):
        in_parts(LEVEL, cut(few, tmp_path)).robust()


def test_a_search_that_fails_gives_no_standard_errors(partitions, monkeypatch):
    search = module.minimise
    monkeypatch.setattr(module, "minimise", lambda *a, **k: replace(search(*a, **k), is_converged=False))
    fit = in_parts(LEVEL, partitions)
    assert fit.status is FitStatus.NOT_CONVERGED
    assert np.isnan(fit.vcov).all()
    with pytest.raises(UsageError, match="did not converge"):
        fit.robust()


def test_a_deviance_that_does_not_exist_in_one_part_does_not_exist(partitions):

    kept = [Place(build_problem(small_rows(seed), has_therapists=True)) for seed in (1, 2)]
    with in_threads() as places:
        deviance = InParts(places, kept)
        far = np.full(15, 400.0)
        value, slope, psi = deviance.at(far)
    assert value == np.inf
    assert not slope.any()
    assert not psi.any()


def test_levels_that_may_lie_in_two_parts_are_refused(partitions, tmp_path):
    with pytest.raises(FormulaError, match="groups by modality, whose levels may lie in two parts"):
        in_parts(LEVEL, partitions, therapist="modality")
    rows = sessions().with_columns(therapist_id=pl.lit("t") + pl.col("therapist_id").str.extract(r"t(\d+)"))
    apart = cut(rows, tmp_path, groups=("client_id",))  # therapists of one name work in several practices
    with pytest.raises(FormulaError, match="groups by therapist_id, whose levels may lie in two parts"):
        in_parts(LEVEL, apart)
    assert in_parts(LEVEL, apart, therapist=None).status is FitStatus.CONVERGED


def changed(**columns) -> pl.DataFrame:
    return sessions().with_columns(**columns)


REFUSALS = {
    "no guidance": (lambda: changed(directiveness=pl.lit(None, pl.Float64)), LEVEL, FitRefused, "has guidance"),
    "no satisfaction": (lambda: changed(satisfaction=pl.lit(None, pl.Float64)), LEVEL, FitRefused, "has satisfaction"),
    "no level": (lambda: changed(modality=pl.lit(None, pl.String)), f"{LEVEL} + modality", FitRefused, "complete"),
    "constant guidance": (lambda: changed(directiveness=pl.lit(2.0)), LEVEL, FitRefused, "same value"),
    "steady guidance": (
        lambda: changed(directiveness=pl.col("directiveness").first().over("client_id")),
        LEVEL,
        FitRefused,
        "never differs",
    ),
    "exact function": (
        lambda: changed(satisfaction=3 * pl.col("directiveness") + 1),
        LEVEL,
        FitRefused,
        "exact function",
    ),
    "few clients": (
        lambda: sessions().filter(pl.col("practice_id").is_in(["p2", "p3"])),
        LEVEL,
        FitRefused,
        "clients have 4 or more",
    ),
    "duplicated rows": (lambda: pl.concat([sessions(), sessions().head(1)]), LEVEL, FitRefused, "1 rows have the same"),
    "scaled by all rows": (sessions, f"{LEVEL} + scale(preferred)", FormulaError, "must know all rows"),
    "random terms": (sessions, f"{LEVEL} + (1 | client_id)", FormulaError, "intercepts of clients"),
    "itself": (sessions, "directiveness ~ preferred", UsageError, "same column"),
    "unknown covariate": (sessions, f"{LEVEL} + nothing", FormulaError, "no column 'nothing'"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_cannot_be_answered_is_refused_in_plain_words(tmp_path, case):
    rows, formula, kind, words = REFUSALS[case]
    with pytest.raises(kind, match=words):
        in_parts(formula, cut(rows(), tmp_path, 3))


def test_roles_without_a_column_and_parts_that_are_gone_are_refused(partitions, tmp_path):
    with pytest.raises(UsageError, match="no column 'week' for the time"):
        in_parts(LEVEL, partitions, time="week")
    with pytest.raises(UsageError, match="different columns"):
        in_parts(LEVEL, partitions, therapist="client_id")
    parts = cut(sessions(), tmp_path)
    next((tmp_path / "parts").glob("outcomes_part=1/*.parquet")).unlink()
    with pytest.raises(StorageError, match="cannot be read"):
        in_parts(LEVEL, parts)
