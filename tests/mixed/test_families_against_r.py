"""Counts, ordered categories, probit and offsets against R's answers (tests/reference/make_families.R).

glmmTMB's optima were polished, so that the tolerances are tight there. clmm stops with gradients up to 3e-3
(`gradient` in the stored fits), which moves its estimates by 1e-5 and more: its tolerances are wider.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from functools import cache

import numpy as np
import pytest
from references import RESULTS, classic_data, classic_fit, close

from outcomes.mixed import FitStatus, fit_binomial, fit_count, fit_ordinal

RATING = "rating ~ x + preference + modality"
MISSED = "n_missed ~ x + preference + modality + offset(log(n_planned))"


@cache
def families():
    """The simulated data and R's answers."""
    folder = RESULTS.parent
    specification = importlib.util.spec_from_file_location("reference_families", folder / "families.py")
    module = importlib.util.module_from_spec(specification)
    sys.modules["reference_families"] = module
    sys.path.insert(0, str(folder))
    try:
        specification.loader.exec_module(module)
    finally:
        sys.path.remove(str(folder))
    return module.load()


@pytest.mark.parametrize(
    ("name", "random", "options"),
    [
        ("ordinal_logit", "(1 | client_id)", {}),
        ("ordinal_logit_q9", "(1 | client_id)", {"nagq": 9}),
        ("ordinal_probit", "(1 | client_id)", {"link": "probit"}),
        ("ordinal_probit_q15", "(1 | client_id)", {"link": "probit", "nagq": 15}),
        ("ordinal_equidistant", "(1 | client_id)", {"thresholds": "equidistant"}),
        ("ordinal_slope", "(1 + x | client_id)", {}),
        ("ordinal_two_factors", "(1 | client_id) + (1 | therapist_id)", {}),
    ],
)
def test_ordered_categories_agree_with_clmm(name, random, options):
    data, answers = families()
    theirs = answers[name]
    fit = fit_ordinal(f"{RATING} + {random}", data, **options)
    assert fit.status is FitStatus.CONVERGED
    close(fit.llf, theirs["loglik"], 1e-6)
    close(fit.tau, theirs["tau"], 0.0, 1e-4)
    close(fit.beta, theirs["beta"], 0.0, 1e-4)
    close(fit.bse, theirs["se"][-len(fit.beta) :], 2e-4)
    close(fit.random_effects_sd["sd"], theirs["sd"], 1e-4)
    if theirs["corr"]:
        close(fit.variances[0].corr[1, 0], theirs["corr"], 0.0, 1e-3)
    if options.get("thresholds") != "equidistant":
        close(fit.thresholds()["std_error"], theirs["se"][: len(fit.tau)], 2e-4)


def test_an_item_of_state_anxiety_by_persons_in_studies_agrees_with_clmm():
    data = classic_data("stai_state_items")
    theirs = json.loads((RESULTS / "stai_ordinal.json").read_text(encoding="utf-8"))  # make_stai.R: ten minutes
    fit = fit_ordinal("calm ~ C(time) + (1 | study:id) + (1 | study)", data)
    assert fit.nobs == theirs["nobs"]
    close(fit.llf, theirs["loglik"], 1e-7)
    close([*fit.tau, *fit.beta], [*theirs["tau"], *theirs["beta"]], 0.0, 1e-4)
    close(np.sqrt(np.diag(fit.location_cov)), theirs["se"], 1e-3)
    close(fit.random_effects_sd["sd"], [theirs["sd"]["person"], theirs["sd"]["study"]], 1e-4)


@pytest.mark.parametrize("level", ["class", "school"])
def test_the_smoking_prevention_trial_agrees_with_clmm(level):
    data, theirs = classic_data("smoking_prevention"), classic_fit(f"smoking_prevention.ordinal_{level}")
    fit = fit_ordinal(f"thksord ~ thkspre + cc * tv + (1 | {level})", data, nagq=15)
    close(fit.llf, theirs["logLik"], 1e-10)
    close([*fit.tau, *fit.beta], list(theirs["coef"].values()), 0.0, 1e-6)
    close(np.sqrt(np.diag(fit.location_cov)), list(theirs["se"].values()), 3e-5)
    close(fit.random_effects_sd["sd"], theirs["sd"], 1e-6)
    assert fit.thresholds()["threshold"].to_list() == ["1|2", "2|3", "3|4"]


@pytest.mark.parametrize(
    ("name", "random", "family"),
    [
        ("poisson", "(1 | client_id)", "poisson"),
        ("poisson_slope", "(1 + x | client_id) + (1 | therapist_id)", "poisson"),
        ("nbinom2", "(1 | client_id)", "negative_binomial"),
        ("nbinom2_two_factors", "(1 | client_id) + (1 | therapist_id)", "negative_binomial"),
    ],
)
def test_counts_agree_with_glmmtmb(name, random, family):
    data, answers = families()
    theirs = answers[name]
    fit = fit_count(f"{MISSED} + {random}", data, family=family)
    close(fit.llf, theirs["loglik"], 1e-10)
    close(fit.beta, theirs["beta"], 0.0, 1e-8)
    close(fit.bse, theirs["se"], 1e-5)
    sds = fit.random_effects_sd["sd"].to_numpy()
    scales = np.exp(theirs["theta"])
    close(sds, scales[[0, 1, 3]] if name == "poisson_slope" else scales, 1e-6)
    if family == "negative_binomial":
        close(fit.dispersion, np.exp(-theirs["log_size"][0]), 1e-7)
        low, high = fit.dispersion_conf_int()
        close(np.log(high / low) / (2 * 1.959964), theirs["log_size_se"], 1e-5)


def test_poisson_by_quadrature_agrees_with_glmer():
    data, answers = families()
    theirs = answers["poisson_q9"]
    fit = fit_count(f"{MISSED} + (1 | client_id)", data, nagq=9)
    close(fit.llf, theirs["loglik"], 1e-10)
    close(fit.beta, theirs["beta"], 0.0, 1e-6)
    close(fit.bse, theirs["se"], 1e-5)
    close(fit.random_effects_sd["sd"], theirs["sd"], 1e-6)


def test_ticks_on_grouse_agree_with_glmmtmb():
    data, theirs = classic_data("grouseticks"), classic_fit("grouseticks.poisson_laplace")
    fit = fit_count("TICKS ~ C(YEAR) + cHEIGHT + (1 | INDEX) + (1 | BROOD) + (1 | LOCATION)", data)
    polished = theirs["glmmTMB_laplace"]
    close(fit.llf, theirs["logLik"], 1e-7)
    close(fit.beta, list(polished["fixef"].values()), 0.0, 2e-6)
    close(fit.bse, list(polished["se"].values()), 1e-5)
    assert fit.messages == ()  # an intercept by row is informed by counts


@pytest.mark.parametrize("family", ["poisson", "negative_binomial"])
def test_shells_of_gophers_have_no_variance_between_sites(family):
    data, theirs = classic_data("gopherdat2"), classic_fit("gopherdat2.poisson")
    fit = fit_count("shells ~ prev + C(year) + (1 | Site)", data, offset="log(Area)", family=family)
    assert fit.status is FitStatus.SINGULAR
    close(fit.llf, theirs["logLik"], 1e-7)
    close(fit.beta, list(theirs["fixef"].values()), 0.0, 1e-4)
    assert fit.random_effects_sd["sd"][0] == 0
    assert fit.dispersion == 0
    if family == "negative_binomial":
        assert any("no more dispersed" in message for message in fit.messages)


@pytest.mark.parametrize(
    ("name", "formula", "link"),
    [
        ("probit", "yes ~ x + preference + modality + (1 | client_id)", "probit"),
        ("logit_offset", "yes ~ preference + modality + offset(0.5 * x) + (1 | client_id)", "logit"),
    ],
)
def test_probit_and_offsets_of_yes_or_no_agree_with_glmmtmb(name, formula, link):
    data, answers = families()
    theirs = answers[name]
    fit = fit_binomial(formula, data, link=link)
    close(fit.llf, theirs["loglik"], 1e-10)
    close(fit.beta, theirs["beta"], 0.0, 1e-7)
    close(fit.bse, theirs["se"], 1e-5)
    close(fit.random_effects_sd["sd"], np.exp(theirs["theta"]), 1e-6)
