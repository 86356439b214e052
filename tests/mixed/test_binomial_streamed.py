"""Rows read batch by batch from a sorted file give the fit of rows in memory."""

from __future__ import annotations

import gc

import duckdb
import numpy as np
import polars as pl
import pytest
from references import simulated

from outcomes.errors import FitRefused, UsageError
from outcomes.mixed import bootstrap_binomial, fit_binomial
from outcomes.mixed.binomial import streamed

DESIGNS = ["binomial_therapist", "binomial_nested", "binomial_movers", "binomial_cloglog", "binomial_weights"]


@pytest.mark.parametrize("design", DESIGNS)
def test_a_streamed_fit_equals_the_fit_in_memory(design):
    data, stored = simulated(design)
    reference = stored["fits"][0]
    options = {"link": reference["link"], "weights": reference["weights"] or None}
    con = duckdb.connect()
    con.execute("create table person_sessions as select * from data")
    memory = fit_binomial(reference["formula"], data, **options)
    streamed = fit_binomial(reference["formula"], con.table("person_sessions"), in_memory=False, **options)
    assert streamed.criterion == pytest.approx(memory.criterion, rel=1e-12)
    assert (streamed.beta - memory.beta) / memory.bse.to_numpy() == pytest.approx(0.0, abs=1e-4)
    assert streamed.bse.to_numpy() == pytest.approx(memory.bse.to_numpy(), rel=5e-5)
    assert streamed.r2() == pytest.approx(memory.r2(), rel=1e-4)
    for group in memory.n_groups:
        left, right = memory.random_effects(group), streamed.random_effects(group)
        assert right[group].to_list() == left[group].to_list()
        assert right["(Intercept)"].to_numpy() == pytest.approx(left["(Intercept)"].to_numpy(), abs=1e-4)


def test_cells_may_straddle_batches_and_row_groups(monkeypatch):
    data, stored = simulated("binomial_movers")
    formula = stored["fits"][0]["formula"]
    monkeypatch.setattr(streamed, "CHUNK_ROWS", 300)
    small = fit_binomial(formula, data, in_memory=False)
    assert len(list(small.state.problem.model.rows.parts()[0]())) > 1
    assert small.criterion == pytest.approx(stored["fits"][0]["criterion"], rel=1e-9)


def test_quadrature_and_predictions_work_on_streamed_rows():
    data, stored = simulated("binomial_therapist")
    fit = fit_binomial(stored["fits"][1]["formula"], data, nagq=9, in_memory=False)
    assert fit.criterion == pytest.approx(stored["fits"][1]["criterion"], rel=1e-9)
    memory = fit_binomial(stored["fits"][1]["formula"], data, nagq=9)
    found, expected = fit.predict(data[:5], "conditional"), memory.predict(data[:5], "conditional")
    predicted = [name for name in found.columns if name not in data.columns]
    assert np.allclose(found[predicted].to_numpy(), expected[predicted].to_numpy(), atol=1e-4)


def test_what_streaming_does_not_take_is_refused_in_words():
    data, stored = simulated("binomial_slope")
    with pytest.raises(UsageError, match="random intercepts only"):
        fit_binomial(stored["fits"][0]["formula"], data, in_memory=False)
    formula = "dropout ~ preference + (1 | therapist_id)"
    with pytest.raises(FitRefused, match="never 1"):
        fit_binomial(formula, data.with_columns(pl.lit(0).alias("dropout")), in_memory=False)
    leak = data.with_columns(pl.col("dropout").alias("leak"))
    with pytest.raises(FitRefused, match="separated by leak"):
        fit_binomial("dropout ~ leak + (1 | therapist_id)", leak, in_memory=False)
    fit = fit_binomial(formula, data, in_memory=False)
    with pytest.raises(UsageError, match="rows in memory"):
        bootstrap_binomial(fit, draws=2, show_progress=False)


def test_the_temporary_file_goes_with_the_fit():
    data, _ = simulated("binomial_therapist")
    fit = fit_binomial("dropout ~ preference + (1 | therapist_id)", data, in_memory=False)
    path = fit.state.problem.model.rows.path
    assert path.exists()
    del fit
    gc.collect()
    assert not path.exists()
