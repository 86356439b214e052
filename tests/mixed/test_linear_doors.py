"""Every kind of data gives the same fit, and the documentation shows what the code prints."""

from __future__ import annotations

import pickle

import duckdb
import polars as pl
import pytest
from cohorts import FORMULA, cohort
from references import ROOT, classic_data, close

from outcomes.errors import UsageError
from outcomes.mixed import fit_linear

DATA = cohort()
FIT = fit_linear(FORMULA, DATA)
CONNECTION = duckdb.connect()
CONNECTION.register("frame", DATA)
CONNECTION.execute("create table sessions as select * from frame")


@pytest.mark.parametrize(
    "data",
    [
        CONNECTION.table("sessions"),
        CONNECTION.sql("select * exclude (practice_id) from sessions where satisfaction is not null"),
        DATA.lazy(),
        DATA.to_pandas(),
        DATA.to_arrow(),
        DATA.cast({"directiveness": pl.Decimal(20, 12)}),
    ],
    ids=["table", "query", "lazy polars", "pandas", "arrow", "decimals"],
)
def test_every_kind_of_data_gives_the_same_fit(data):
    fit = fit_linear(FORMULA, data)
    close(fit.criterion, FIT.criterion, 1e-9)
    close(fit.beta, FIT.beta, 1e-7, 1e-9)
    assert fit.n_groups == FIT.n_groups


def test_missing_values_are_dropped_and_counted_for_the_models_own_columns():
    holes = DATA.with_columns(
        satisfaction=pl.when(pl.int_range(pl.len()) < 30).then(None).otherwise(pl.col("satisfaction")),
        practice_id=pl.lit(None, dtype=pl.String),
    )
    fit = fit_linear(FORMULA, holes)
    assert (fit.nobs, fit.n_missing) == (len(DATA) - 30, 30)
    close(fit.criterion, fit_linear(FORMULA, DATA.slice(30)).criterion, 1e-10)


def test_the_worked_example_of_the_documentation_is_what_the_code_prints():
    fit = fit_linear("Reaction ~ Days + (Days | Subject)", classic_data("sleepstudy"))
    page = (ROOT / "docs" / "mixed-models.md").read_text(encoding="utf-8")
    for line in fit.summary().splitlines():
        assert line in page


def test_a_fit_survives_a_pickle_without_its_data():
    data = cohort()
    fit = fit_linear("satisfaction ~ directiveness + (1 | client_id)", data)
    again = pickle.loads(pickle.dumps(fit))
    assert again.predict(data, "conditional").equals(fit.predict(data, "conditional"))
    assert again.df_denom.equals(fit.df_denom)
    with pytest.raises(UsageError, match="data are not with this fit"):
        again.engine_state.gram.population.source.query("select 1")
