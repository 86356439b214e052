"""Ratings and dropout with shared effects: against integration, separate fits, and a joint model fitted in R."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy import integrate
from scipy.special import expit, log_expit, logsumexp

from outcomes.errors import FitRefused, UsageError
from outcomes.links import LINKS
from outcomes.mixed import (
    FitStatus,
    Sharing,
    compare_sharing,
    fit_binomial,
    fit_linear,
    fit_shared_parameter,
)
from outcomes.mixed.design.materialise import materialise
from outcomes.mixed.design.population import build_design
from outcomes.mixed.elimination import packing
from outcomes.mixed.joint.laplace import JointDeviance
from outcomes.mixed.joint.rows import join_rows

REFERENCE = Path(__file__).parents[2].parent / "shared" / "reference"
RATINGS = "y ~ x + within + (1 | client) + (0 + within | client) + (1 | therapist)"
HAZARD = "left ~ x + t + (1 | therapist)"
TRUTH = {"slope": 0.45, "association": -2.0, "sd": 1.0}


def cohort(clients: int, therapists: int, seed: int, association: float = TRUTH["association"]) -> pl.DataFrame:
    """Sessions of clients whose chance to leave depends on their level of satisfaction, whatever it comes from."""
    rng = np.random.default_rng(seed)
    therapist = np.arange(clients) % therapists
    x, u = rng.normal(0, 0.9, clients), rng.normal(0, TRUTH["sd"], clients)
    v, own = rng.normal(0, 0.4, therapists), rng.normal(0, 0.5, therapists)
    level = TRUTH["slope"] * x + u
    active, parts = np.arange(clients), []
    for t in range(1, 13):
        within = rng.normal(size=active.size)
        y = 5 + level[active] + 0.2 * within + v[therapist[active]] + rng.normal(0, 1.25, active.size)
        left = rng.random(active.size) < expit(-2.3 + association * level[active] + own[therapist[active]])
        parts.append(
            pl.DataFrame(
                {"client": active, "therapist": therapist[active], "x": x[active], "within": within}
            ).with_columns(y=pl.Series(y), t=pl.lit(float(t)), left=pl.Series(left * 1.0))
        )
        active = active[~left & (rng.random(active.size) > 0.03 * max(t - 3, 0))]
    return pl.concat(parts)


def changed_therapists(rows: pl.DataFrame) -> pl.DataFrame:
    """Every seventh client sees another therapist from the third session on."""
    other = (pl.col("therapist") + 1) % rows["therapist"].n_unique()
    changes = (pl.col("client") % 7 == 0) & (pl.col("t") >= 3)
    return rows.with_columns(therapist=pl.when(changes).then(other).otherwise(pl.col("therapist")))


def log_given(fit, rows: pl.DataFrame, u, v=0.0, own=0.0) -> np.ndarray:
    """Log-density of one client's sessions given the effects (broadcast), from the estimates in the formula's units."""
    u, v, own = np.broadcast_arrays(u, v, own)
    x, t, y, left = (rows[name].to_numpy().reshape(-1, *(1,) * u.ndim) for name in ("x", "t", "y", "left"))
    beta, gamma = dict(zip(fit.names, fit.beta, strict=True)), dict(zip(fit.hazard_names, fit.gamma, strict=True))
    association = dict(fit.association.select("group", "estimate").iter_rows())
    residual = y - beta["(Intercept)"] - beta["x"] * x - u - v
    eta = gamma["(Intercept)"] + gamma["x"] * x + gamma["t"] * t
    eta = eta + association["client"] * u + association.get("therapist", 0.0) * v + own
    normal = -0.5 * np.log(2 * np.pi * fit.sigma**2) - residual**2 / (2 * fit.sigma**2)
    return normal.sum(axis=0) + log_expit((2 * left - 1) * eta).sum(axis=0)


def gauss_hermite(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and log weights of a standard normal."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(n)
    return nodes, np.log(weights / weights.sum())


def test_without_therapists_the_likelihood_is_the_product_of_the_clients_integrals():
    rows = cohort(60, 4, seed=3)
    fit = fit_shared_parameter("y ~ x + (1 | client)", "left ~ x + t", rows, rows)
    sd = fit.standard_deviations["client"]
    total = 0.0
    for one in rows.partition_by("client"):
        best = max(log_given(fit, one, u) for u in np.linspace(-4 * sd, 4 * sd, 81))
        area = integrate.quad(
            lambda u, one=one, best=best: np.exp(log_given(fit, one, u) - best - u**2 / (2 * sd**2)),
            -8 * sd, 8 * sd, points=[0.0], limit=200,
        )[0]  # fmt: skip
        total += best + np.log(area / (sd * np.sqrt(2 * np.pi)))
    assert fit.log_likelihood == pytest.approx(total, abs=0.005)


def test_with_therapists_the_likelihood_is_close_to_brute_force_integration():
    rows = cohort(120, 4, seed=5)
    fit = fit_shared_parameter("y ~ x + (1 | client) + (1 | therapist)", HAZARD, rows, rows)
    sds = [fit.standard_deviations[name] for name in ("client", "therapist", "therapist on the hazard")]
    nodes, log_weights = gauss_hermite(25)
    fine, log_fine = gauss_hermite(41)
    u, v, own = np.meshgrid(sds[0] * fine, sds[1] * nodes, sds[2] * nodes, indexing="ij")
    total = 0.0
    for of_therapist in rows.partition_by("therapist"):
        by_client = [
            logsumexp(log_given(fit, one, u, v, own) + log_fine[:, None, None], axis=0)
            for one in of_therapist.partition_by("client")
        ]
        total += logsumexp(np.sum(by_client, axis=0) + log_weights[:, None] + log_weights[None, :])
    # Laplace's approximation over a therapist's effects; 30 clients a therapist
    assert fit.log_likelihood == pytest.approx(total, abs=4 * 0.03)


def test_with_no_association_the_model_is_the_linear_and_the_hazard_model_side_by_side():
    rows = changed_therapists(cohort(300, 12, seed=7))
    joint = fit_shared_parameter(RATINGS, HAZARD, rows, rows, associated=())
    linear, hazard = fit_linear(RATINGS, rows, reml=False), fit_binomial(HAZARD, rows)
    assert joint.log_likelihood == pytest.approx(linear.llf + hazard.llf, abs=1e-6)
    assert joint.beta == pytest.approx(linear.beta, abs=1e-5)
    assert joint.gamma == pytest.approx(hazard.beta, abs=1e-4)
    assert np.sqrt(np.diag(joint.hazard_vcov)) == pytest.approx(hazard.bse.to_numpy(), rel=1e-3)
    assert joint.sigma == pytest.approx(linear.sigma, rel=1e-5)


@pytest.mark.parametrize("link", ["logit", "cloglog"])
def test_the_gradient_is_the_derivative_of_the_deviance_also_where_clients_change_therapist(link):
    rows = changed_therapists(cohort(80, 6, seed=9))
    ratings, hazard = build_design(RATINGS, rows), build_design(f"{HAZARD} + (1 | client)", rows)
    joined = join_rows(ratings, materialise(ratings), hazard, materialise(hazard), ("client", "therapist"), LINKS[link])
    free = ("s_u", "s_w", "lambda_u", "s_v", "s_s", "lambda_v", "tau")
    deviance = JointDeviance(joined, LINKS[link], free)
    psi = np.array([0.1, 0.2, 0.1, -1.0, 0.1, -0.1, -0.3, 0.5, 0.2, -0.6, 0.3, 0.1, 0.2, 0.4])
    assert_gradient(deviance, psi)


def assert_gradient(deviance: JointDeviance, psi: np.ndarray) -> None:
    """The gradient is that of central differences."""
    steps = np.eye(psi.size) * 1e-5
    numeric = [(deviance(psi + step)[0] - deviance(psi - step)[0]) / 2e-5 for step in steps]
    assert deviance(psi)[1] == pytest.approx(np.array(numeric), rel=1e-5, abs=1e-4)


@pytest.mark.parametrize("link", ["logit", "cloglog"])
@pytest.mark.parametrize(
    ("free", "loadings"),
    [
        (("s_u", "s_w", "lambda_u", "s_v", "lambda_v", "tau", "s_uw", "lambda_w"),
         [0.5, 0.4, -0.6, 0.3, 0.2, 0.4, -0.2, 0.7]),
        (("s_u", "s_w", "s_v", "tau", "s_uw", "alpha"), [0.5, 0.4, 0.3, 0.4, -0.2, -0.8]),
        (("s_u", "s_v", "s_s", "tau", "alpha"), [0.5, 0.3, 0.2, 0.4, 0.7]),
    ],
)  # fmt: skip
def test_the_gradient_holds_for_shared_slopes_and_the_current_value(link, free, loadings):
    rows = changed_therapists(cohort(80, 6, seed=9))
    ratings, hazard = build_design(RATINGS, rows), build_design(f"{HAZARD} + (1 | client)", rows)
    current = build_design(RATINGS.replace("y ~", "left ~"), rows)
    joined = join_rows(
        ratings, materialise(ratings), hazard, materialise(hazard), ("client", "therapist"), LINKS[link],
        (current, materialise(current)),
    )  # fmt: skip
    if "alpha" not in free:
        joined = replace(joined, hazard=replace(joined.hazard, x=0 * joined.hazard.x))
    deviance = JointDeviance(joined, LINKS[link], free)
    assert_gradient(deviance, np.array([0.1, 0.2, 0.1, -1.0, 0.1, -0.1, -0.3, *loadings]))


def trending(clients: int, seed: int, on_slope: float, on_value: float) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Ratings and risk set of clients with correlated levels and trends, who leave by their trend or present value."""
    rng = np.random.default_rng(seed)
    u, w = rng.multivariate_normal([0, 0], [[1.0, -0.1], [-0.1, 0.09]], clients).T
    active, parts = np.arange(clients), []
    for t in range(8):
        level = 0.3 * t + u[active] + w[active] * t
        left = rng.random(active.size) < expit(-2.2 + on_slope * w[active] + on_value * level)
        parts.append(
            pl.DataFrame({"client": active}).with_columns(
                t=pl.lit(float(t)),
                y=pl.Series(2.0 + level + rng.normal(0, 0.8, active.size)),
                left=pl.Series(left * 1.0),
            )
        )
        active = active[~left]
    rows = pl.concat(parts)
    return rows, rows


@pytest.mark.parametrize(
    ("sharing", "on_slope", "on_value", "effect"),
    [(Sharing.BOTH, -3.0, 0.0, "slope"), (Sharing.CURRENT_VALUE, 0.0, -0.6, "current value")],
)
def test_it_finds_on_what_leaving_was_made_to_depend_and_says_so_by_aic(sharing, on_slope, on_value, effect):
    rows, at_risk = trending(900, 11, on_slope, on_value)
    fits = [
        fit_shared_parameter("y ~ t + (1 + t | client)", "left ~ 1", rows, at_risk, sharing=one)
        for one in (Sharing.INTERCEPT, Sharing.BOTH, Sharing.CURRENT_VALUE)
    ]
    table = compare_sharing(fits)
    assert table["sharing"][0] == sharing
    assert table["weight"].sum() == pytest.approx(1)
    best = next(fit for fit in fits if fit.sharing is sharing)
    row = best.association.row(by_predicate=pl.col("effect") == effect, named=True)
    truth = on_slope or on_value
    assert abs(row["estimate"] - truth) < 3 * row["std_error"]
    assert row["conf_low"] < row["estimate"] < row["conf_high"] < 0
    assert row["p_value"] < 0.001
    assert abs(best.beta[1] - 0.3) < 3 * np.sqrt(best.vcov[1, 1])
    assert best.correlations["client"] == pytest.approx(-0.1 / 0.3, abs=0.2)
    told = best.tidy()
    assert told["part"].unique(maintain_order=True).to_list() == ["ratings", "hazard", "association"]
    assert told.filter(pl.col("part") == "association")["estimate"].to_list() == best.association["estimate"].to_list()
    assert f"client: {effect}" in best.summary()
    assert "AIC" in best.summary()


def test_the_current_value_with_no_association_is_the_two_models_side_by_side():
    rows = changed_therapists(cohort(300, 12, seed=7))
    arguments = (RATINGS.replace("(1 | client) + (0 + within | client)", "(1 + within | client)"), HAZARD, rows, rows)
    alone = fit_shared_parameter(*arguments, associated=(), sharing=Sharing.CURRENT_VALUE)
    linear, hazard = fit_linear(arguments[0], rows, reml=False), fit_binomial(HAZARD, rows)
    assert alone.log_likelihood == pytest.approx(linear.llf + hazard.llf, abs=1e-5)
    assert alone.beta == pytest.approx(linear.beta, abs=1e-4)
    assert alone.association.is_empty()


def test_units_of_rating_and_time_change_the_current_values_association_as_they_must():
    rows, at_risk = trending(300, 3, 0.0, -0.6)
    fit, scaled = (
        fit_shared_parameter(
            "y ~ t + (1 + t | client)", "left ~ 1", *(
                part.with_columns(y=pl.col("y") * times + shift, t=pl.col("t") * times) for part in (rows, at_risk)
            ), sharing=Sharing.CURRENT_VALUE,
        )
        for times, shift in ((1.0, 0.0), (10.0, 7.0))
    )  # fmt: skip
    ours, theirs = (one.association.row(0, named=True) for one in (fit, scaled))
    assert theirs["estimate"] * 10 == pytest.approx(ours["estimate"], rel=1e-3)
    assert theirs["std_error"] * 10 == pytest.approx(ours["std_error"], rel=1e-2)
    assert scaled.gamma[0] == pytest.approx(fit.gamma[0] - ours["estimate"] * 0.7, rel=2e-3)
    assert scaled.log_likelihood == pytest.approx(fit.log_likelihood - fit.nobs * np.log(10), abs=1e-3)


def test_it_finds_the_slope_and_the_association_that_the_cohort_was_made_with():
    rows = cohort(3000, 50, seed=1)
    naive = fit_linear(RATINGS, rows)
    fit = fit_shared_parameter(RATINGS, HAZARD, rows, rows)
    slope, error = fit.beta[fit.names.index("x")], np.sqrt(fit.vcov[1, 1])
    client = fit.association.row(0, named=True)
    assert fit.status is FitStatus.CONVERGED
    assert abs(slope - TRUTH["slope"]) < 2.5 * error
    assert abs(client["estimate"] - TRUTH["association"]) < 2.5 * client["std_error"]
    assert naive.params["x"] < slope - error  # what leaving took from the slope as observed
    assert fit.standard_deviations["client"] == pytest.approx(TRUTH["sd"], abs=0.08)


def test_where_leaving_has_nothing_to_do_with_satisfaction_it_agrees_with_the_mixed_model():
    rows = cohort(1000, 30, seed=2, association=0.0)
    naive = fit_linear(RATINGS, rows)
    fit = fit_shared_parameter(RATINGS, HAZARD, rows, rows)
    client = fit.association.row(0, named=True)
    assert abs(client["estimate"]) < 2.5 * client["std_error"]
    assert fit.beta == pytest.approx(naive.beta, abs=0.02)


def test_units_of_the_rating_change_its_estimates_and_nothing_else():
    rows = cohort(300, 10, seed=4)
    fit = fit_shared_parameter(RATINGS, HAZARD, rows, rows)
    scaled = fit_shared_parameter(RATINGS, HAZARD, rows.with_columns(y=pl.col("y") * 100 + 7), rows)
    assert scaled.beta[1:] == pytest.approx(100 * fit.beta[1:], rel=1e-4)
    assert scaled.association["estimate"].to_numpy() * 100 == pytest.approx(
        fit.association["estimate"].to_numpy(), rel=1e-3
    )
    assert scaled.gamma == pytest.approx(fit.gamma, rel=1e-3, abs=1e-4)


def test_a_search_from_another_models_optimum_ends_where_its_own_does_after_fewer_evaluations():
    ratings, at_risk = trending(300, 7, on_slope=0.0, on_value=-0.6)
    formulas = ("y ~ t + (1 + t | client)", "left ~ 1")
    first = fit_shared_parameter(*formulas, ratings, at_risk)
    alone, carried = (
        fit_shared_parameter(*formulas, ratings, at_risk, sharing=Sharing.CURRENT_VALUE, start=start)
        for start in (None, first)
    )
    assert carried.optimizer.value == pytest.approx(alone.optimizer.value, abs=1e-7)
    assert carried.beta == pytest.approx(alone.beta, abs=1e-6)
    assert np.diag(carried.vcov) == pytest.approx(np.diag(alone.vcov), rel=1e-3)
    assert carried.optimizer.n_evaluations < alone.optimizer.n_evaluations


def test_forms_that_the_model_does_not_have_are_refused(monkeypatch):
    rows = cohort(60, 5, seed=6)
    with pytest.raises(UsageError, match="independent"):
        fit_shared_parameter("y ~ x + (1 + within + t | client)", "left ~ t", rows, rows)
    with pytest.raises(UsageError, match="independent"):
        fit_shared_parameter("y ~ x + (1 | client) + (1 + within | therapist)", "left ~ t", rows, rows)
    with pytest.raises(UsageError, match="no slope that could be shared"):
        fit_shared_parameter("y ~ x + (1 | client)", "left ~ t", rows, rows, sharing=Sharing.BOTH)
    with pytest.raises(UsageError, match="not shared alone"):
        fit_shared_parameter("y ~ x + (1 + t | client)", "left ~ t", rows, rows, sharing=Sharing.SLOPE)
    with pytest.raises(UsageError, match="same ratings"):
        compare_sharing([])
    with pytest.raises(UsageError, match="effect of their own"):
        fit_shared_parameter("y ~ x + (1 | client)", "left ~ t + (1 | client)", rows, rows)
    monkeypatch.setattr(packing, "MAX_FLAT", 5)
    with pytest.raises(FitRefused, match="15 random effects hang together"):
        fit_shared_parameter("y ~ x + (1 | client) + (1 | therapist)", HAZARD, rows, rows)
    with pytest.raises(FitRefused, match="never 1"):
        fit_shared_parameter("y ~ x + (1 | client)", "left ~ t", rows, rows.with_columns(left=pl.lit(0.0)))


def test_on_the_aids_data_the_association_agrees_with_the_continuous_time_joint_model_of_r():
    if not (REFERENCE / "aids.csv").is_file():
        pytest.skip("reference aids is not beside the project (../shared/reference)")
    jm = json.loads((REFERENCE / "aids.JM_piecewise_aGH.json").read_text(encoding="utf-8"))
    alone = json.loads((REFERENCE / "aids.lmm_ml.json").read_text(encoding="utf-8"))["fixef"]
    rows = pl.read_csv(REFERENCE / "aids.csv")
    fit = fit_shared_parameter(
        "CD4 ~ obstime + obstime:drug + (1 | patient) + (0 + obstime | patient)",
        "event ~ drug + C(obstime)", rows, rows, link="cloglog",
    )  # fmt: skip
    ours, theirs = fit.association.row(0, named=True), jm["event"]["est"]["Assoct"]
    # JM's hazard knows the slope as well; ours depends on the intercept alone and comes out weaker
    assert 0.75 * abs(theirs) < -ours["estimate"] < abs(theirs)
    assert alone["obstime"] > fit.beta[1] > jm["longitudinal"]["est"]["obstime"]
    assert fit.gamma[1] == pytest.approx(jm["event"]["est"]["drugddI"], abs=0.5 * jm["event"]["se"]["drugddI"])
    # docs/reference-agreement.md
    assert ours["estimate"] == pytest.approx(-0.237, abs=6e-4)
    assert ours["std_error"] == pytest.approx(0.030, abs=6e-4)
    assert fit.beta == pytest.approx([7.171, -0.176, 0.022], abs=6e-4)
    assert [fit.gamma[1], fit.standard_deviations["patient"], fit.sigma] == pytest.approx(
        [0.288, 4.553, 1.771], abs=6e-4
    )


def test_on_the_aids_data_the_current_value_is_that_of_the_joint_models_of_r():
    """R's JM: hazard of death in continuous time on the current value; here cloglog by month, value at mid-month."""
    if not (REFERENCE / "aids.csv").is_file():
        pytest.skip("reference aids is not beside the project (../shared/reference)")
    rows = pl.read_csv(REFERENCE / "aids.csv")
    last = pl.col("Time").ceil().cast(pl.Int64)
    months = (
        rows.unique("patient", keep="first", maintain_order=True)
        .with_columns(month=pl.int_ranges(0, last))
        .explode("month")
        .with_columns(
            event=((pl.col("month") == last - 1) & (pl.col("death") == 1)).cast(pl.Float64),
            obstime=pl.col("month") + 0.5,
            band=(pl.col("month") // 3).clip(0, 6),
        )
    )
    fit = fit_shared_parameter(
        "CD4 ~ obstime + obstime:drug + (1 + obstime | patient)", "event ~ drug + C(band)", rows, months,
        link="cloglog", sharing=Sharing.CURRENT_VALUE,
    )  # fmt: skip
    ours = fit.association.row(0, named=True)
    for name in ("weibull", "piecewise"):
        jm = json.loads((REFERENCE / f"aids.JM_{name}_aGH.json").read_text(encoding="utf-8"))
        event, error = jm["event"]["est"], jm["event"]["se"]
        assert ours["estimate"] == pytest.approx(event["Assoct"], abs=0.25 * error["Assoct"])
        assert ours["std_error"] == pytest.approx(error["Assoct"], rel=0.05)
        assert fit.gamma[1] == pytest.approx(event["drugddI"], abs=0.1 * error["drugddI"])
        expected = list(jm["longitudinal"]["est"].values())
        assert fit.beta == pytest.approx(expected, abs=0.15 * max(jm["longitudinal"]["se"].values()))
        assert fit.beta[1] == pytest.approx(expected[1], abs=0.2 * jm["longitudinal"]["se"]["obstime"])
        assert fit.sigma == pytest.approx(jm["sigma"], abs=0.005)
        (intercept, _), (_, slope) = jm["D"]["rows"]
        assert fit.standard_deviations["patient"] == pytest.approx(np.sqrt(intercept), rel=0.01)
        assert fit.standard_deviations["patient slope"] == pytest.approx(np.sqrt(slope), rel=0.01)


def test_on_the_aids_data_sharing_the_intercept_alone_is_far_from_the_best():
    if not (REFERENCE / "aids.csv").is_file():
        pytest.skip("reference aids is not beside the project (../shared/reference)")
    rows = pl.read_csv(REFERENCE / "aids.csv")
    fits = {
        sharing: fit_shared_parameter(
            "CD4 ~ obstime + obstime:drug + (1 + obstime | patient)", "event ~ drug + C(obstime)", rows, rows,
            link="cloglog", sharing=sharing,
        )
        for sharing in (Sharing.INTERCEPT, Sharing.BOTH, Sharing.CURRENT_VALUE)
    }  # fmt: skip
    table = compare_sharing(list(fits.values()))
    assert table["sharing"].to_list() == ["intercept and slope", "current value", "intercept"]
    assert table["delta"][2] > 20
    assert fits[Sharing.BOTH].beta[1] < fits[Sharing.INTERCEPT].beta[1]
