"""Data frames that nobody would make on purpose are fitted or refused in words, never with a raw traceback."""

from __future__ import annotations

import datetime
import warnings

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from outcomes.errors import FitRefused, OutcomesError
from outcomes.mixed import FitStatus, fit_binomial, fit_linear

FLOATS = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from([0.0, -0.0, 1.0, 1e-300, 1e300, -1.5]),
    st.floats(-5, 5),
)
VALUES = {
    "float": FLOATS,
    "small float": st.floats(-3, 3),
    "int": st.integers(-(2**62), 2**62),
    "small int": st.integers(0, 3),
    "bool": st.booleans(),
    "text": st.text(max_size=4),
    "word": st.sampled_from(["a", "b", "c", "it's", '"', "a]b", ""]),
    "date": st.dates(datetime.date(1970, 1, 1), datetime.date(2100, 1, 1)),
    "time": st.datetimes(datetime.datetime(1970, 1, 1), datetime.datetime(2100, 1, 1)),
    "decimal": st.decimals(-100, 100, places=2),
    "bytes": st.binary(max_size=3),
    "list": st.lists(st.integers(0, 2), max_size=2),
    "mixed": st.one_of(st.integers(0, 3), st.text(max_size=2), st.booleans(), st.none()),
}
NAMES = ["y", "x", "X", "g", "a b", "C", "log", "1", "é", "select", 'q"t', "y ~ x"]
FORMULAS = [
    "y ~ x + (1 | g)",
    "y ~ x * X + (1 | g)",
    "y ~ X + (x | g)",
    "y ~ C(x) + (1 | g)",
    "y ~ scale(x) + (1 | g)",
    "y ~ poly(x, 2) + (1 | g)",
    "y ~ bs(x, df=4) + ns(X, df=2) + (1 | g)",
    "y ~ I(x > X) + log(x) + (1 | g)",
    "y ~ `a b` + (1 | g) + (1 | x)",
    "y ~ x:X + offset(X) + (0 + x | g)",
    "y ~ C(x, Sum) * C(X, Helmert) + (1 | g)",
    "x ~ 1 + (1 | g/X)",
    "y ~ `select` + C + log + (1 | `a b`)",
]


@st.composite
def frames(draw):
    """A frame of some library with odd names, types and holes."""
    is_plausible = draw(st.booleans())
    n = draw(st.integers(12, 30) if is_plausible else st.integers(0, 24))
    columns = {}
    for name in [*draw(st.lists(st.sampled_from(NAMES), max_size=4, unique=True)), "y", "x", "X", "g"]:
        values = VALUES[draw(st.sampled_from(sorted(VALUES)))]
        holes = st.one_of(values, values, values, st.none()) if draw(st.booleans()) else values
        columns[name] = draw(st.lists(holes, min_size=n, max_size=n))
    if is_plausible:
        columns["y"] = draw(
            st.lists(st.floats(-3, 3) if draw(st.booleans()) else st.integers(0, 1), min_size=n, max_size=n)
        )
        columns["g"] = draw(st.lists(st.sampled_from(["a", "b", "c", "d"]), min_size=n, max_size=n))
    library = draw(st.sampled_from(["pandas", "category", "polars", "arrow"]))
    if library == "pandas":
        return pd.DataFrame(columns)
    if library == "category":
        try:
            return pd.DataFrame({name: pd.Categorical(values) for name, values in columns.items()})
        except TypeError:  # lists have no order
            return pd.DataFrame(columns)
    made = {}
    for name, values in columns.items():
        try:
            made[name] = pl.Series(name, values, strict=True) if library == "polars" else pa.array(values)
        except (TypeError, ValueError, OverflowError, pa.ArrowException, pl.exceptions.PolarsError):
            made[name] = pl.Series(name, [None] * n) if library == "polars" else pa.nulls(n)
    return pl.DataFrame(made) if library == "polars" else pa.table(made)


def _try(fit_model, formula: str, data) -> None:
    """Fit, and ask the usual questions; a refusal must be one of ours."""
    try:
        fit = fit_model(formula, data)
        assert fit.status in list(FitStatus)
        assert str(fit)
        fit.tidy()
        fit.predict(data, "conditional")
        fit.resid("pearson")
    except OutcomesError:
        return


@settings(
    max_examples=80,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(frames(), st.sampled_from(FORMULAS))
def test_no_frame_ends_a_linear_fit_in_a_traceback(data, formula):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _try(fit_linear, formula, data)


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(frames(), st.sampled_from(FORMULAS))
def test_no_frame_ends_a_binomial_fit_in_a_traceback(data, formula):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _try(fit_binomial, formula, data)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.text(alphabet="yxg01 ~+-*/:|().,^'\"`%<>=", max_size=24))
def test_no_text_ends_in_a_traceback_as_a_formula(text):
    data = pl.DataFrame(
        {"y": [1.0, 2.0, 4.0, 3.0, 5.0, 2.0], "x": [1.0, 3.0, 2.0, 5.0, 1.0, 0.0], "g": [1, 1, 2, 2, 3, 3]}
    )
    try:
        fit_linear(f"y ~ {text} + (1 | g)", data)
        fit_linear(text, data)
    except OutcomesError:
        return


@pytest.mark.parametrize("fit_model", [fit_linear, fit_binomial], ids=["linear", "binomial"])
@pytest.mark.parametrize("size", [1e76, 1.4e154, 1e308])
def test_values_that_cannot_be_squared_are_refused_without_a_warning(fit_model, size):
    rows = pl.DataFrame({"y": [0.0, 1.0] * 12, "x": [0.0] * 23 + [size], "g": ["a", "b", "c"] * 8})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(FitRefused, match="too large to be squared"):
            fit_model("y ~ x + (1 | g)", rows)
