"""A model is the same whatever library and type its columns have."""

from __future__ import annotations

import decimal

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from references import close

from outcomes.errors import FitRefused, FormulaError, OutcomesError, UsageError
from outcomes.mixed import fit_binomial, fit_linear
from outcomes.mixed.design.population import build_design

RNG = np.random.default_rng(11)
N = 240
G, K = np.arange(N) % 12, RNG.integers(1, 4, N)
B = RNG.random(N) < 0.4
X = RNG.normal(size=N)
Y = X - 0.5 * B + 0.4 * K + RNG.normal(size=12)[G] + RNG.normal(size=N)
DATA = pl.DataFrame({"y": Y, "x": X, "k": K, "b": B, "g": G})
FORMULA = "y ~ x + C(k) + b + (1 | g)"
FIT = fit_linear(FORMULA, DATA)


def _pandas(**changes) -> pd.DataFrame:
    frame = DATA.to_pandas()
    for name, kind in changes.items():
        frame[name] = frame[name].astype(kind)
    return frame


def _table() -> duckdb.DuckDBPyRelation:
    con = duckdb.connect()
    con.register("frame", DATA.to_arrow())
    con.execute("create table t as select y, x, k, b, g from frame")
    return con.table("t")


def _column(name: str, array: pa.Array) -> pa.Table:
    table = DATA.to_arrow()
    return table.set_column(table.column_names.index(name), name, array)


SAME = {
    "polars": DATA,
    "lazy": DATA.lazy(),
    "arrow": DATA.to_arrow(),
    "pandas": DATA.to_pandas(),
    "table": _table(),
    "query": _table().filter("true").project("*"),
    "pandas nullable": DATA.to_pandas().convert_dtypes(),
    "pandas pyarrow": DATA.to_pandas().convert_dtypes(dtype_backend="pyarrow"),
    "int8": DATA.cast({"k": pl.Int8, "g": pl.UInt16}),
    "float32 group": DATA.cast({"g": pl.Float32}),
    "decimal": DATA.cast({"k": pl.Decimal(10, 0), "g": pl.Decimal(12, 2)}),
    "python decimals": DATA.to_pandas().assign(k=[decimal.Decimal(int(k)) for k in K]),
    "category of int": _pandas(k="category", g="category"),
    "category of float": _pandas(k="float").astype({"k": "category"}).assign(g=pd.Categorical(G.astype(float))),
    "category of bool": _pandas(b="category"),
    "category of text": _pandas(k="string").astype({"k": "category"}),
    "text": _pandas(k="string", g="string"),
    "object text": DATA.to_pandas().assign(g=pd.Series([f"{g:02d}" for g in G], dtype="object")),
    "polars Categorical": DATA.cast({"k": pl.String, "g": pl.String}).cast({"k": pl.Categorical, "g": pl.Categorical}),
    "polars Enum": DATA.cast({"k": pl.String}).cast({"k": pl.Enum(["1", "2", "3"])}),
    "arrow dictionary of int": _column("k", pa.array(K).dictionary_encode()),
    "arrow dictionary of text": _column("g", pa.array([str(g) for g in G]).dictionary_encode()),
    "arrow ordered dictionary": _column(
        "k", pa.DictionaryArray.from_arrays(pa.array(K - 1), pa.array([1, 2, 3]), ordered=True)
    ),
    "dates": DATA.with_columns(g=pl.date(2026, 1, 1) + pl.duration(days=pl.col("g"))),
    "timestamps": DATA.with_columns(g=pl.datetime(2026, 1, 1) + pl.duration(days=pl.col("g"))),
    "dates as factor": DATA.with_columns(k=pl.date(2026, 1, 1) + pl.duration(days=pl.col("k").cast(pl.Int64))),
    "zoned timestamps": DATA.to_pandas().assign(g=pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(G, "D")),
    "unusable columns beside": DATA.to_pandas().assign(junk=[{"a": 1}, "text"] * (N // 2), when=pd.Period("2026", "Y")),
    "nested columns beside": DATA.with_columns(junk=pl.lit([1, 2])),
}


@pytest.mark.parametrize("data", SAME.values(), ids=SAME)
def test_every_library_and_type_gives_the_same_fit(data):
    fit = fit_linear(FORMULA, data)
    close(fit.criterion, FIT.criterion, 1e-9)
    close(fit.beta, FIT.beta, 1e-6, 1e-8)
    assert fit.n_groups == FIT.n_groups
    found, expected = fit.predict(data, "conditional"), FIT.predict(DATA, "conditional")
    close(found["estimate"], expected["estimate"], 1e-6, 1e-8)
    assert fit.resid().len() == N


@pytest.mark.parametrize("data", SAME.values(), ids=SAME)
def test_a_binomial_fit_is_the_same_for_every_type(data):
    if isinstance(data, pd.DataFrame):
        data = data.assign(d=(Y > 0.5))
    elif isinstance(data, (pl.DataFrame, pl.LazyFrame)):
        data = data.with_columns(d=pl.col("y") > 0.5)
    elif isinstance(data, pa.Table):
        data = data.append_column("d", pa.array(Y > 0.5))
    else:
        data = data.project("*, y > 0.5 as d")
    fit = fit_binomial("d ~ x + b + (1 | g)", data)
    expected = fit_binomial("d ~ x + b + (1 | g)", DATA.with_columns(d=(pl.col("y") > 0.5).cast(pl.Int8)))
    close(fit.criterion, expected.criterion, 1e-9)


def test_a_category_keeps_its_order_whatever_it_is_made_of():
    frame = _pandas()
    frame["k"] = pd.Categorical(frame["k"], categories=[3, 1, 2], ordered=True)
    assert build_design("y ~ k + (1 | g)", frame).fixed == ("(Intercept)", "k[T.1]", "k[T.2]")
    frame["k"] = pd.cut(frame["x"], [-9, 0, 1, 9])
    assert build_design("y ~ k + (1 | g)", frame).fixed == ("(Intercept)", "k[T.(0, 1]]", "k[T.(1, 9]]")


def test_a_category_of_numbers_is_a_factor_and_a_number_is_not():
    assert build_design("y ~ k + (1 | g)", _pandas(k="category")).fixed == ("(Intercept)", "k[T.2]", "k[T.3]")
    assert build_design("y ~ k + (1 | g)", DATA).fixed == ("(Intercept)", "k")


def test_names_that_differ_in_case_only_are_different_columns():
    data = DATA.with_columns(X=pl.col("x") ** 2, G=pl.col("k"))
    fit = fit_linear("y ~ x + X + (1 | g) + (1 | G)", data)
    plain = fit_linear("y ~ x + I(x^2) + (1 | g) + (1 | k)", DATA)
    close(fit.criterion, plain.criterion, 1e-10)
    prediction = fit.predict(data.select("X", "x", "G", "g"), "conditional")
    assert prediction.columns[:4] == ["X", "x", "G", "g"]
    close(prediction["estimate"], plain.predict(DATA, "conditional")["estimate"], 1e-6)
    with pytest.raises(FormulaError, match="'y', or another"):
        fit_linear("Y ~ x + (1 | g)", DATA)


def test_truth_values_are_factors_as_in_r():
    names = {
        "y ~ b": ("(Intercept)", "b[T.True]"),
        "y ~ 0 + b": ("b[False]", "b[True]"),
        "y ~ b:x": ("(Intercept)", "b[False]:x", "b[True]:x"),
        "y ~ 0 + I(x > 0)": ("I(x > 0)[False]", "I(x > 0)[True]"),
        "y ~ I(b * x)": ("(Intercept)", "I(b * x)"),
        "y ~ as.numeric(b)": ("(Intercept)", "as_numeric(b)"),
    }
    for formula, expected in names.items():
        assert build_design(f"{formula} + (1 | g)", DATA).fixed == expected
    assert build_design("y ~ x + (0 + b | g)", DATA).random[0].columns == ("b[False]", "b[True]")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"g": pl.when(pl.col("g") == 3).then(float("nan")).otherwise(pl.col("g").cast(pl.Float64))},
            "g is NaN in 20 rows",
        ),
        ({"x": pl.when(pl.col("g") == 3).then(float("nan")).otherwise(pl.col("x"))}, "x has 20 non-finite"),
        ({"b": pl.lit(True)}, "one level among"),
        ({"k": pl.lit("same")}, "one level among"),
        ({"k": pl.when(pl.col("g") == 3).then(float("nan")).otherwise(1.0)}, "not finite"),
    ],
)
def test_values_that_are_no_levels_are_refused_and_counted(change, message):
    with pytest.raises(FitRefused, match=message):
        fit_linear(FORMULA, DATA.with_columns(**change))


def test_missing_groups_are_left_out_and_counted_in_every_library():
    holes = DATA.with_columns(g=pl.when(pl.col("g") == 3).then(None).otherwise(pl.col("g").cast(pl.Float64)))
    expected = fit_linear(FORMULA, DATA.filter(pl.col("g") != 3)).criterion
    for data in (holes, holes.to_pandas(), holes.to_arrow(), holes.to_pandas().astype({"g": "category"})):
        fit = fit_linear(FORMULA, data)
        assert (fit.nobs, fit.n_missing) == (N - 20, 20)
        close(fit.criterion, expected, 1e-9)


def test_columns_that_cannot_be_used_are_refused_by_name_only_when_they_are_named():
    data = DATA.to_pandas().assign(junk=[{"a": 1}, "text"] * (N // 2))
    with pytest.raises(FormulaError, match="'junk' cannot be used: it holds mixed"):
        fit_linear("y ~ junk + (1 | g)", data)
    with pytest.raises(OutcomesError, match="junk"):
        fit_linear("y ~ x + (1 | junk)", DATA.with_columns(junk=pl.lit([1, 2])))
    twice = pd.concat([DATA.to_pandas(), DATA.to_pandas()[["x"]]], axis=1)
    with pytest.raises(UsageError, match="more than one column 'x'"):
        fit_linear(FORMULA, twice)


def test_predictions_code_new_data_as_the_fit_did_whatever_their_type():
    fit = fit_linear("y ~ x + k + (1 | g)", _pandas(k="category"))
    new = {"x": [0.0, 0.0], "k": [2, 3], "g": [0, 1]}
    for data in (
        pl.DataFrame(new),
        pd.DataFrame(new).astype({"k": "category"}),
        pl.DataFrame(new).cast({"k": pl.String}),
    ):
        assert fit.predict(data)["estimate"].to_list() == pytest.approx(
            [fit.params["(Intercept)"] + fit.params["k[T.2]"], fit.params["(Intercept)"] + fit.params["k[T.3]"]]
        )
    with pytest.raises(UsageError, match="has 1 levels, in 1 rows, that the fit has not seen"):
        fit.predict(pl.DataFrame({**new, "k": [2, 4]}))


def test_predictions_carry_columns_of_any_kind_and_groups_must_be_levels():
    con = duckdb.connect()
    con.sql(
        "create table t as select i % 5 as g, sin(i) as x, sin(i * 7) + i % 5 as y, to_days(i::int) as wait, "
        "gen_random_uuid() as u, map {'a': 1} as m, {'q': 1} as st, '101'::bit as bits, 1e19::hugeint as h "
        "from range(40) r(i)"
    )
    table = con.table("t")
    fit = fit_linear("y ~ x + (1 | g)", table)
    assert fit.predict(table, "conditional").columns[: len(table.columns)] == table.columns
    assert fit.resid().null_count() == 0
    for name in ("wait", "m", "st", "bits"):
        with pytest.raises(FormulaError, match=f"{name!r} is of type"):
            fit_linear(f"y ~ x + (1 | {name})", table)
        with pytest.raises(FormulaError, match=f"{name!r} is of type"):
            fit_linear(f"y ~ {name} + (1 | g)", table)
