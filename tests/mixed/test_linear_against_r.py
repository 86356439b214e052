"""Linear fits agree with lme4, lmerTest and pbkrtest on data that the project simulates.

Tolerances: criterion 1e-6, estimates 1e-5, standard errors, standard deviations and modes 1e-4 (relative). Estimates
near zero are held to 1e-5 of their standard error, since a relative error of zero means nothing; standard deviations to
1e-4 of sigma, since the deviance is flat in theta at zero; modes to 1e-4 of the effect's standard deviation.
"""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from references import close, simulated, stored_fits

from outcomes.mixed import FitStatus, fit_linear


@pytest.mark.parametrize(("design", "fit_id"), stored_fits("linear"))
def test_a_linear_fit_agrees_with_lme4_on_simulated_cohorts(design, fit_id):
    data, stored = simulated(design)
    reference = next(fit for fit in stored["fits"] if fit["id"] == fit_id)
    fit = fit_linear(reference["formula"], data, reml=reference["reml"], weights=reference["weights"])

    assert fit.nobs == reference["nobs"]
    assert (fit.status is FitStatus.SINGULAR) == reference["singular"]
    close(fit.criterion, reference["criterion"], 1e-6)
    close(fit.llf, reference["loglik"], 1e-6)
    se = np.array(list(reference["se"].values()))
    assert np.all(np.abs(fit.beta - np.array(list(reference["fixef"].values()))) < 1e-5 * (np.abs(fit.beta) + se))
    close(fit.bse, se, 1e-4)
    close(fit.sigma, reference["sigma"], 1e-4)
    sds = {(row["group"], row["name"]): row["sd"] for row in fit.random_effects_sd.to_dicts()}
    for block in reference["varcorr"]:
        for name, sd in zip(block["names"], block["sd"], strict=True):
            close(sds[_plain(block["group"]), name], sd, 1e-4, 1e-4 * fit.sigma)
    for entry in reference.get("modes", []):
        group = _plain(entry["group"])
        ours = fit.random_effects(group).with_columns(pl.col(group).cast(pl.String))
        theirs = pl.DataFrame({group: [str(level) for level in entry["levels"]], "mode": entry["mode"]})
        both = theirs.with_columns(pl.Series("cond_sd", entry["cond_sd"])).join(ours, on=group, how="left")
        sd = max(sds[group, entry["name"]], 1e-3 * fit.sigma)
        close(both[entry["name"]], both["mode"], 1e-4, 1e-4 * sd)
        close(both[f"std_error {entry['name']}"], both["cond_sd"], 1e-4, 1e-4 * fit.sigma)
    if reference.get("satterthwaite"):
        # lmerTest differentiates numerically: its own error is of this order
        close(fit.df_denom, list(reference["satterthwaite"]["df"].values()), 1e-3)


def _plain(group: str) -> str:
    """R writes nested groups as c:(b:a)."""
    return group.replace("(", "").replace(")", "")
