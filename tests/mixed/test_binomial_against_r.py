"""Binomial fits against R on the project's own simulated designs (tests/reference)."""

from __future__ import annotations

import numpy as np
import pytest
from references import simulated, stored_fits

from outcomes.mixed import fit_binomial
from outcomes.mixed.binomial.result import BinomialFit
from outcomes.mixed.results.status import FitStatus

CASES = stored_fits("binomial")

# The R runs were polished by Newton steps (nagq 1) or by a minimiser on lme4's own deviance (nagq > 1), so that both
# sides
# sit at the optimum to about 1e-8; what is left is R's numerical Hessian (1e-5 in standard errors).
CRITERION = 1e-9  # relative; the target is 1e-6
BETA = 1e-4  # of a standard error, which is below 1e-5 of the estimate in these designs
SE = 5e-5  # relative; the target is 1e-4
SD = 1e-5  # relative; the target is 1e-4
MODES = 1e-5  # absolute on the link's scale; the target is 1e-4


@pytest.fixture(scope="module")
def fits() -> dict[tuple[str, str], tuple[BinomialFit, dict]]:
    """Fits by design and id, made when first asked for."""
    return {}


def fitted(fits: dict, name: str, fit_id: str) -> tuple[BinomialFit, dict]:
    """The fit and its reference."""
    if (name, fit_id) not in fits:
        data, stored = simulated(name)
        reference = next(f for f in stored["fits"] if f["id"] == fit_id)
        weights = reference.get("weights") or None
        fits[name, fit_id] = (
            fit_binomial(reference["formula"], data, link=reference["link"], nagq=reference["nagq"], weights=weights),
            reference,
        )
    return fits[name, fit_id]


@pytest.mark.parametrize(("name", "fit_id"), CASES)
def test_the_deviance_and_the_fixed_effects_are_those_of_r(fits, name, fit_id):
    fit, reference = fitted(fits, name, fit_id)
    se = np.array(list(reference["se"].values()))
    assert fit.nobs == reference["nobs"]
    assert fit.criterion == pytest.approx(reference["criterion"], rel=CRITERION)
    assert fit.llf == pytest.approx(-reference["criterion"] / 2, rel=CRITERION)
    assert (fit.beta - np.array(list(reference["fixef"].values()))) / se == pytest.approx(0.0, abs=BETA)
    assert fit.bse.to_numpy() == pytest.approx(se, rel=SE)
    scale = np.outer(se, se)
    assert fit.vcov / scale == pytest.approx(np.array(reference["vcov"]) / scale, abs=2 * SE)


@pytest.mark.parametrize(("name", "fit_id"), CASES)
def test_the_variance_components_are_those_of_r(fits, name, fit_id):
    fit, reference = fitted(fits, name, fit_id)
    found = {(b.group, n): b.sd[i] for b in fit.variances for i, n in enumerate(b.names)}
    checked = 0
    for block in reference["varcorr"]:
        for effect, sd in zip(block["names"], block["sd"], strict=True):
            assert found.pop((block["group"], effect)) == pytest.approx(sd, rel=SD)
            checked += 1
        if block["corr_lower"]:
            ours = next(b for b in fit.variances if b.group == block["group"])
            assert ours.corr[np.tril_indices(len(ours.names), -1)] == pytest.approx(block["corr_lower"], abs=1e-4)
    assert checked
    # components that R's reference leaves out are those that are estimated as zero
    assert all(sd == 0 for sd in found.values())
    assert bool(found) == reference["singular"] == (fit.status is FitStatus.SINGULAR)


@pytest.mark.parametrize(("name", "fit_id"), [case for case in CASES if case[1] == "nagq1"])
def test_the_conditional_modes_and_their_spread_are_those_of_r(fits, name, fit_id):
    fit, reference = fitted(fits, name, fit_id)
    assert reference["modes"]
    for entry in reference["modes"]:
        effects = fit.random_effects(entry["group"])
        assert effects.height == entry["n_levels"]
        rows = {str(level): i for i, level in enumerate(effects[entry["group"]])}
        at = [rows[level] for level in entry["levels"]]
        assert effects[entry["name"]].to_numpy()[at] == pytest.approx(entry["mode"], abs=MODES)
        assert effects[f"std_error {entry['name']}"].to_numpy()[at] == pytest.approx(entry["cond_sd"], rel=SD)


def test_a_therapist_variance_of_zero_is_named_and_the_other_estimates_stand(fits):
    fit, _ = fitted(fits, "binomial_singular", "nagq1")
    assert fit.status is FitStatus.SINGULAR
    assert fit.messages == ("The variance of (Intercept) by therapist_id is estimated as zero.",)
    assert fit.random_effects("therapist_id")["(Intercept)"].to_numpy() == pytest.approx(0.0, abs=1e-6)


def test_many_nodes_settle_where_the_laplace_approximation_is_off(fits):
    laplace, _ = fitted(fits, "binomial_client", "nagq1")
    nine, _ = fitted(fits, "binomial_client", "nagq9")
    # few rows a client: Laplace is too low in the client variance, as lme4's pages warn
    assert nine.variances[0].sd[0] - laplace.variances[0].sd[0] > 0.1
