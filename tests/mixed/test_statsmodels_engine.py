"""statsmodels as the second engine: agreement where both can fit, and refusals in words where it cannot."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from references import simulated

from outcomes.errors import FitRefused
from outcomes.mixed import FitStatus, fit_binomial, fit_cluster_robust, fit_linear

BOTH = ["linear_nested", "linear_unbalanced", "linear_crossed", "linear_two_slopes"]


@pytest.mark.parametrize("reml", [True, False], ids=["reml", "ml"])
@pytest.mark.parametrize("design", BOTH)
def test_mixedlm_finds_the_same_linear_fit(design, reml):
    data, stored = simulated(design)
    formula = stored["fits"][0]["formula"]
    ours, theirs = fit_linear(formula, data, reml=reml), fit_linear(formula, data, reml=reml, engine="statsmodels")
    assert theirs.status is FitStatus.CONVERGED
    assert theirs.engine == "statsmodels"
    assert theirs.names == ours.names
    assert theirs.criterion == pytest.approx(ours.criterion, abs=1e-5)
    assert theirs.beta == pytest.approx(ours.beta, abs=1e-4)
    # another information matrix: up to 2% in these cohorts
    assert theirs.bse.to_numpy() == pytest.approx(ours.bse.to_numpy(), rel=0.025)
    assert theirs.sigma == pytest.approx(ours.sigma, rel=1e-3)
    for block in ours.variances:
        other = next(b for b in theirs.variances if (b.group, b.names) == (block.group, block.names))
        assert other.sd == pytest.approx(block.sd, rel=1e-3)
    for group in ours.n_groups:
        left, right = ours.random_effects(group), theirs.random_effects(group)
        assert left[group].to_list() == right[group].to_list()
        assert right[:, 1].to_numpy() == pytest.approx(left[:, 1].to_numpy(), abs=1e-3)
        assert right[:, 2].to_numpy() == pytest.approx(left[:, 2].to_numpy(), abs=1e-3)
    assert "statsmodels" in theirs.summary()


@pytest.mark.parametrize("design", ["linear_movers", "linear_slope_uncorrelated"])
def test_what_mixedlm_cannot_fit_is_refused_in_words(design):
    data, stored = simulated(design)
    with pytest.raises(FitRefused, match="MixedLM cannot fit"):
        fit_linear(stored["fits"][0]["formula"], data, engine="statsmodels")


def test_mixedlm_takes_no_weights():
    data, stored = simulated("linear_weights")
    with pytest.raises(FitRefused, match="no weights"):
        fit_linear(stored["fits"][0]["formula"], data, weights="n_raters", engine="statsmodels")


@pytest.mark.parametrize("design", ["binomial_therapist", "binomial_movers", "binomial_slope_uncorrelated"])
def test_the_bayesian_fit_is_near_maximum_likelihood_and_says_what_it_is(design):
    data, stored = simulated(design)
    formula = stored["fits"][0]["formula"]
    ours, theirs = fit_binomial(formula, data), fit_binomial(formula, data, engine="statsmodels")
    assert "not maximum likelihood" in theirs.messages[0]
    assert theirs.names == ours.names
    assert np.isnan(theirs.llf)
    assert theirs.beta == pytest.approx(ours.beta, abs=0.1 * ours.bse.max())
    assert (theirs.bse < ours.bse * 1.001).all()  # mean-field posteriors are too narrow
    for left, right in zip(ours.variances, theirs.variances, strict=True):
        assert (left.group, left.names) == (right.group, right.names)
        assert right.sd == pytest.approx(left.sd, rel=0.1)
    for group in ours.n_groups:
        left, right = ours.random_effects(group), theirs.random_effects(group)
        assert left[group].to_list() == right[group].to_list()
        assert np.corrcoef(left[:, 1], right[:, 1])[0, 1] > 0.99
    assert "statsmodels" in theirs.summary()


@pytest.mark.parametrize(
    ("design", "options"),
    [
        ("binomial_slope", {}),
        ("binomial_cloglog", {"link": "cloglog"}),
        ("binomial_weights", {"weights": "n_items"}),
    ],
)
def test_what_the_bayesian_model_cannot_fit_is_refused_in_words(design, options):
    data, stored = simulated(design)
    with pytest.raises(FitRefused, match="BinomialBayesMixedGLM"):
        fit_binomial(stored["fits"][0]["formula"], data, engine="statsmodels", **options)


@pytest.mark.parametrize("link", ["logit", "cloglog"])
def test_cluster_robust_errors_are_the_sandwich_of_the_clusters_scores(link):
    data, _ = simulated("binomial_therapist")
    formula = "dropout ~ directiveness_within + preference + (1 | therapist_id)"
    fit = fit_cluster_robust(formula, data, cluster="therapist_id", link=link)
    X = np.column_stack([np.ones(data.height), data["directiveness_within"], data["preference"]])
    y, groups = data["dropout"].to_numpy(), data["therapist_id"].to_numpy()
    family = sm.families.Binomial(sm.families.links.Logit() if link == "logit" else sm.families.links.CLogLog())
    plain = sm.GLM(y, X, family=family).fit(tol=1e-12)
    assert fit.beta == pytest.approx(plain.params, rel=1e-6)
    assert fit.llf == pytest.approx(plain.llf, rel=1e-10)
    scores = plain.model.score_obs(plain.params)
    by_cluster = np.array([scores[groups == g].sum(axis=0) for g in np.unique(groups)])
    bread = np.linalg.inv(-plain.model.hessian(plain.params))
    n, g, p = len(y), len(by_cluster), X.shape[1]
    meat = by_cluster.T @ by_cluster * g / (g - 1) * (n - 1) / (n - p)
    assert fit.vcov == pytest.approx(bread @ meat @ bread, rel=1e-5, abs=1e-10)
    assert (fit.df_denom == g - 1).all()
    assert fit.n_groups == {"therapist_id": g}


def test_a_cluster_robust_logit_has_its_errors_where_a_probability_rounds_to_one():
    rng = np.random.default_rng(0)
    x = np.append(rng.normal(size=3_999), 45.0)
    y = np.append(rng.random(3_999) < 1 / (1 + np.exp(-x[:-1])), True).astype(float)
    data = pl.DataFrame({"y": y, "x": x, "g": rng.integers(0, 40, 4_000).astype(str)})
    far, near = (
        fit_cluster_robust("y ~ x", rows, cluster="g") for rows in (data, data.with_columns(pl.col("x").clip(-30, 30)))
    )
    assert far.status is near.status is FitStatus.CONVERGED
    np.testing.assert_allclose(far.beta, near.beta, rtol=1e-9)  # the one far row says nothing more at 45 than at 30
    np.testing.assert_allclose(far.bse, near.bse, rtol=1e-9)


def test_cluster_robust_fits_refuse_what_the_mixed_model_refuses():
    data, _ = simulated("binomial_therapist")
    one = data.with_columns(pl.lit("t1").alias("therapist_id"))
    with pytest.raises(FitRefused, match="fewer than two levels"):
        fit_cluster_robust("dropout ~ preference", one, cluster="therapist_id")
    leak = data.with_columns(pl.col("dropout").alias("leak"))
    with pytest.raises(FitRefused, match="separated by leak"):
        fit_cluster_robust("dropout ~ preference + leak", leak, cluster="therapist_id")
