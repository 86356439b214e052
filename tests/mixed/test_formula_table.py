"""A table of formulas against R's stored answers, and of formulas that are refused with what to do instead."""

from __future__ import annotations

import csv
import importlib.util
import json
import sys

import numpy as np
import polars as pl
import pytest
from references import RESULTS

from outcomes.errors import OutcomesError
from outcomes.mixed import FitStatus, fit_binomial, fit_linear

FOLDER = RESULTS.parent


def _table():
    specification = importlib.util.spec_from_file_location("reference_formulas", FOLDER / "formulas.py")
    module = importlib.util.module_from_spec(specification)
    sys.modules["reference_formulas"] = module
    specification.loader.exec_module(module)
    return module


TABLE = _table()
CASES = TABLE.cases()
ANSWERS = {one["id"]: one for one in json.loads((RESULTS / "formulas.json").read_text(encoding="utf-8"))}
DATA = pl.read_csv(FOLDER / "formulas_data.csv", null_values=[""])

SINGULAR = "singular"
"""R stops somewhere on a ridge of equal likelihoods: only the likelihood and the fixed effects are compared."""


def _label(case: dict) -> str:
    how = " ".join(word for word in ("reml", "weights") if word in case)
    return f"{case['id']} {case['formula']} {how}"


def test_the_stored_data_are_those_of_the_table():
    columns = TABLE.rows()
    with (FOLDER / "formulas_data.csv").open(newline="") as file:
        header, *stored = csv.reader(file)
    assert header == list(columns)
    assert stored == [[str(value) for value in row] for row in zip(*columns.values(), strict=True)]
    assert json.loads((FOLDER / "formulas.json").read_text(encoding="utf-8")) == CASES


@pytest.mark.parametrize("case", CASES, ids=_label)
def test_a_formula_gives_what_r_gives(case):
    answer = ANSWERS[case["id"]]
    assert "error" not in answer, answer
    if case["model"] == "linear":
        fit = fit_linear(case["formula"], DATA, reml=case.get("reml", True), weights=case.get("weights"))
    else:
        fit = fit_binomial(case["formula"], DATA)
    assert fit.status in (FitStatus.CONVERGED, FitStatus.SINGULAR)
    assert fit.nobs == answer["nobs"]
    assert len(fit.names) == len(answer["names"])
    # lme4 may stop short of the optimum, never beyond it
    assert fit.llf == pytest.approx(answer["loglik"], abs=2e-4)
    assert fit.llf > answer["loglik"] - 2e-5
    se = np.array(answer["se"])
    np.testing.assert_allclose((fit.beta - np.array(answer["beta"])) / se, 0.0, atol=2e-3)
    np.testing.assert_allclose(fit.bse / se, 1.0, atol=2e-3)
    fitted = fit.fittedvalues.drop_nulls()[:5].to_numpy()
    spread = fit.fittedvalues.drop_nulls().std()
    np.testing.assert_allclose((fitted - np.array(answer["fitted"])) / spread, 0.0, atol=2e-3)
    if case["expect"] == SINGULAR:
        return
    ours = sorted(float(sd) for block in fit.variances for sd in block.sd)
    np.testing.assert_allclose(ours, sorted(answer["sd"]), rtol=5e-3, atol=1e-3)
    if case["model"] == "linear":
        assert fit.sigma == pytest.approx(answer["sigma"], rel=1e-4)


@pytest.mark.parametrize(("formula", "message"), TABLE.REFUSED.items())
def test_a_formula_that_cannot_be_fitted_says_what_to_do(formula, message):
    with pytest.raises(OutcomesError, match=message):
        fit_linear(formula, DATA)


def test_the_table_is_long_enough():
    assert len(CASES) >= 120
    assert len(TABLE.REFUSED) >= 20
