"""Binomial fits against R on the classic data sets of `../shared/reference` (skipped where that folder is absent)."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from references import classic_data, classic_fit
from scipy.stats import binom
from shared_binomial import CASES, Case

from outcomes.links import LINKS
from outcomes.mixed import fit_binomial
from outcomes.mixed.binomial.fit import binomial_problem
from outcomes.mixed.design.materialise import materialise
from outcomes.mixed.design.population import build_design
from outcomes.mixed.generalised.starts import fit_glm
from outcomes.mixed.results.status import FitStatus

# lme4's cloglog Laplace takes the expected information in the log-determinant, this engine (and glmmTMB) the
# observed one: with
# one node those are two approximations; with twenty both are the integral. The one-node cloglog fits are held to
# glmmTMB in
# test_binomial_against_r.
ONE_NODE_CLOGLOG = {"smoke_onset.class_cloglog_q01", "smoke_onset.school_cloglog_q01"}
EXACT = [case for case in CASES if case.file not in ONE_NODE_CLOGLOG]


@pytest.mark.parametrize("case", EXACT, ids=lambda case: case.file)
def test_a_classic_data_set_gives_the_published_estimates(case: Case):
    data, stored = case.load()
    fit = fit_binomial(case.formula, data, link=stored["link"], nagq=stored["nAGQ"])
    block = stored.get("glmmTMB_laplace") or stored
    beta = np.array(list(block["fixef"].values()))
    se = np.array(list((block["se"] if "se" in block else block["se_hessian"]).values()))
    constants = _lme4_leaves_out(data) if case.file.startswith("cbpp") and stored["nAGQ"] > 1 else 0.0
    assert fit.nobs == stored["nobs"]
    # the target; the stored optima were not polished, and ours is never higher than by rounding
    assert fit.criterion == pytest.approx(-2 * block["logLik"] + constants, rel=1e-6)
    assert fit.criterion <= -2 * block["logLik"] + constants + 1e-6
    assert (fit.beta - beta) / se == pytest.approx(0.0, abs=1e-4)
    # glmmTMB's stored Hessians were taken at gradients up to 1e-3: good to 3e-4
    assert fit.bse.to_numpy() == pytest.approx(se, rel=3e-4)
    for expected in block["varcorr"]:
        ours = next(b for b in fit.variances if b.group == expected["group"])
        sd = np.array(expected["sd"])
        assert ours.sd == pytest.approx(sd, rel=1e-4, abs=2e-3 if fit.status is FitStatus.SINGULAR else 0)


def _lme4_leaves_out(data: pl.DataFrame) -> float:
    """-2 log-likelihood of the saturated model: lme4's criterion with nAGQ > 1 is a deviance relative to it."""
    k, n = data["incidence"].to_numpy(), data["size"].to_numpy()
    return float(-2 * binom.logpmf(k, n, k / n).sum())


@pytest.mark.parametrize("case", [c for c in CASES if c.file in ONE_NODE_CLOGLOG], ids=lambda case: case.file)
def test_one_node_cloglog_is_close_to_lme4s_other_approximation(case: Case):
    data, stored = case.load()
    fit = fit_binomial(case.formula, data, link="cloglog")
    assert fit.criterion == pytest.approx(stored["minus2logLik"], rel=1e-4)
    assert fit.beta == pytest.approx(list(stored["fixef"].values()), abs=0.005)


@pytest.mark.parametrize("link", ["logit", "cloglog"])
def test_the_start_without_random_effects_is_the_maximum_likelihood_of_the_hazard_model(link):
    stored = classic_fit(f"btheb.dropout_{link}")
    data = classic_data("btheb_dropout_pp").with_columns(
        (pl.col("treatment") == "BtheB").cast(pl.Int64).alias("is_treated")
    )
    design = build_design("event ~ 0 + C(wave) + is_treated + I(prev / 10) + (1 | subject)", data)
    problem = binomial_problem(design, materialise(design), LINKS[link])
    beta, covariance, _ = fit_glm(problem.model, problem.coordinates.names)
    back = problem.coordinates.fixed
    se = np.array(list(stored["se"].values()))
    # R's glm stops when the deviance moves by less than 1e-8 of itself
    assert (back @ beta - np.array(list(stored["coef"].values()))) / se == pytest.approx(0.0, abs=1e-4)
    if link == "logit":  # R's glm reports the expected information, which is the observed one for the logit only
        assert np.sqrt(np.diag(back @ covariance @ back.T)) == pytest.approx(se, rel=1e-4)
