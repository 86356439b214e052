"""The formula reads as lme4 reads it, and compiles to SQL columns with R's coding."""

from __future__ import annotations

import polars as pl
import pytest

from outcomes.errors import FormulaError
from outcomes.mixed.design.formula import parse_formula
from outcomes.mixed.design.materialise import materialise
from outcomes.mixed.design.population import build_design

DATA = pl.DataFrame(
    {
        "y": [1.0, 2.0, 4.0, 3.0],
        "x": [1, 2, 3, 4],
        "z": [0.5, 0.5, 1.5, -1.0],
        "mode": ["cbt", "pct", "cbt", "pdt"],
        "g": ["a", "a", "b", "b"],
        "h": [1, 2, 1, 2],
        "day": [None, None, None, None],
    },
    schema_overrides={"day": pl.Date},
)


def _random(formula: str) -> list[tuple[str, tuple]]:
    return [(term.group_name, term.terms) for term in parse_formula(formula).random]


def test_a_bracket_without_one_has_an_intercept_all_the_same():
    assert _random("y ~ x + (x | g)") == [("g", ((), ("x",)))]
    assert _random("y ~ x + (0 + x | g)") == [("g", (("x",),))]


def test_two_bars_make_uncorrelated_terms():
    assert _random("y ~ x + (1 + x || g)") == [("g", ((),)), ("g", (("x",),))]


def test_a_slash_nests_the_inner_factor_in_the_outer_one():
    assert [name for name, _ in _random("y ~ 1 + (1 | practice/therapist/client)")] == [
        "practice",
        "therapist:practice",
        "client:therapist:practice",
    ]


def test_cbind_is_a_proportion_of_trials():
    parsed = parse_formula("cbind(events, size - events) ~ x + (1 | g)")
    assert parsed.outcome == "(events) / ((events) + (size - events))"
    assert parsed.trials == "(events) + (size - events)"


@pytest.mark.parametrize(
    ("formula", "names"),
    [
        ("y ~ x * mode", ["(Intercept)", "x", "mode[T.pct]", "mode[T.pdt]", "x:mode[T.pct]", "x:mode[T.pdt]"]),
        ("y ~ 0 + mode", ["mode[cbt]", "mode[pct]", "mode[pdt]"]),
        ("y ~ x + x:mode", ["(Intercept)", "x", "x:mode[T.pct]", "x:mode[T.pdt]"]),
        ("y ~ x:mode", ["(Intercept)", "x:mode[cbt]", "x:mode[pct]", "x:mode[pdt]"]),
        ("y ~ (x + z)^2", ["(Intercept)", "x", "z", "x:z"]),
        ("y ~ C(h, Treatment(2))", ["(Intercept)", "C(h, Treatment(2))[T.1]"]),
        ("y ~ factor(h)", ["(Intercept)", "factor(h)[T.2]"]),
    ],
)
def test_fixed_columns_are_coded_as_in_r(formula, names):
    assert list(build_design(f"{formula} + (1 | g)", DATA).fixed) == names


@pytest.mark.parametrize(
    ("term", "values"),
    [
        ("I(x**2)", [1.0, 4.0, 9.0, 16.0]),
        ("I(x^2)", [1.0, 4.0, 9.0, 16.0]),
        ("np.exp(0 * x)", [1.0, 1.0, 1.0, 1.0]),
        ("I(x > 2)", [0.0, 0.0, 1.0, 1.0]),
        ("I(mode == 'cbt')", [1.0, 0.0, 1.0, 0.0]),
        ("I((x - 1) / 2)", [0.0, 0.5, 1.0, 1.5]),
        ("minimum(x, 2)", [1.0, 2.0, 2.0, 2.0]),
        ("x:z", [0.5, 1.0, 4.5, -4.0]),
    ],
)
def test_arithmetic_is_computed_by_the_database(term, values):
    rows = materialise(build_design(f"y ~ {term} + (1 | g)", DATA))
    assert sorted(rows.X[:, 1].tolist()) == sorted(values)


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("y + x", "no outcome"),
        ("y ~ x", "no random term"),
        ("y ~ x + 1 | g", "brackets of their own"),
        ("y ~ x + (1 | g", "not closed"),
        ("y ~ x + (1 | g) +", "ends in a '\\+'"),
        ("y ~ x - (1 | g)", "cannot be subtracted"),
        ("y ~ x + (1 | g | h)", "More than one bar"),
        ("y ~ x + (1 | g*h)", "cannot be read"),
        ("y ~ x x + (1 | g)", "Cannot read the terms"),
        ("y ~ w + (1 | g)", "no column 'w'"),
        ("y ~ x + (1 | w)", "no column 'w' to group by"),
        ("y ~ x + (w | g)", "no column 'w'"),
        ("y ~ lowess(x) + (1 | g)", "cannot be compiled"),
        ("y ~ C(mode, Weird) + (1 | g)", "not known"),
        ("y ~ C(mode, Treatment('emdr')) + (1 | g)", "does not occur"),
        ("mode ~ x + (1 | g)", "is text"),
        ("y ~ day + (1 | g)", "cannot be a predictor"),
    ],
)
def test_a_formula_that_cannot_be_used_is_refused_with_the_reason(formula, message):
    with pytest.raises(FormulaError, match=message):
        build_design(formula, DATA)


def test_an_ordered_categorical_keeps_its_first_level_as_reference():
    ordered = DATA.cast({"mode": pl.Enum(["pdt", "pct", "cbt"])})
    assert build_design("y ~ mode + (1 | g)", ordered).fixed == ("(Intercept)", "mode[T.pct]", "mode[T.cbt]")
    as_pandas = DATA.drop("day").to_pandas().astype({"mode": "category"})
    as_pandas["mode"] = as_pandas["mode"].cat.reorder_categories(["pct", "cbt", "pdt"])
    assert build_design("y ~ mode + (1 | g)", as_pandas).fixed == ("(Intercept)", "mode[T.cbt]", "mode[T.pdt]")


def test_rows_are_dropped_for_missing_values_of_the_models_own_columns_only():
    data = DATA.with_columns(x=pl.Series([1, None, 3, 4]), z=pl.Series([None, 1.0, 1.0, 1.0]))
    rows = materialise(build_design("y ~ x + (1 | g)", data))
    assert (rows.survey.n_rows, rows.survey.n_missing) == (3, 1)


def test_column_names_and_levels_with_odd_characters_are_quoted():
    data = DATA.rename({"x": "x + 'and' \"y\""}).with_columns(mode=pl.lit("it's") + pl.col("mode"))
    rows = materialise(build_design("y ~ `x + 'and' \"y\"` + mode + (1 | g)", data))
    assert rows.X.shape == (4, 4)
    assert sorted(rows.X[:, 1].tolist()) == [1.0, 2.0, 3.0, 4.0]
