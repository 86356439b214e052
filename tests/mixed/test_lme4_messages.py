"""Every row of the guide's table of messages says what is said."""

from __future__ import annotations

import pickle
import re

import numpy as np
import polars as pl
import pytest
from references import ROOT

from outcomes.errors import OutcomesError
from outcomes.methods.curvature.response_surface import response_surface
from outcomes.mixed import compare, fit_binomial, fit_linear

PAGE = ROOT / "docs" / "coming-from-lme4.md"
FITS = "it fits"
RNG = np.random.default_rng(3)
N = 300
X = RNG.normal(size=N)
Y = 1 + 0.5 * X + RNG.normal(size=15)[np.arange(N) % 15] + RNG.normal(size=N)
DATA = pl.DataFrame(
    {"y": Y, "x": X, "g": np.arange(N) % 15, "h": RNG.integers(0, 8, N), "f": RNG.choice(["a", "b"], N)}
).with_columns(one=pl.lit("same"), const=1.0, X=RNG.normal(size=N), b=X > 0, d=pl.Series(RNG.random(N) < 0.4))
NAN = DATA.with_columns(h=pl.when(pl.int_range(pl.len()) < 39).then(float("nan")).otherwise(pl.col("h").cast(float)))


def linear(formula: str, data: pl.DataFrame = DATA):
    return fit_linear(formula, data)


def in_pandas():
    return fit_linear("y ~ h + (1 | g)", DATA.to_pandas().astype({"h": "category", "g": "category"}))


def with_nodes():
    fit_binomial("d ~ x + (x | g)", DATA, nagq=3)
    fit_binomial("d ~ x + (x | g) + (1 | h)", DATA, nagq=9)


def in_two_columns():
    assert len(linear("y ~ x + (0 + b | g)").random_effects_sd) == 2


TRIED = {
    "a pandas category of numbers": in_pandas,
    "`nagq=9` with `(x | g)`": with_nodes,
    "`as.factor(k)`": lambda: linear("y ~ as.factor(h) + (1 | g)"),
    "`y ~ . + (1 | g)`": lambda: linear("y ~ . + (1 | g)"),
    "a text outcome": lambda: linear("f ~ x + (1 | g)"),
    '`fit_binomial("d ~ x")`': lambda: fit_binomial("d ~ x", DATA),
    "`x` and `X`": lambda: linear("y ~ x + X + (1 | g)").params[["x", "X"]],
    "`I(2*x+1) ~ x + (1 | g)`": lambda: linear("I(2*x+1) ~ x + (1 | g)"),
    "`(const | g)`": lambda: linear("y ~ x + (const | g)"),
    "`response_surface(fit.params[1:], ...)`": lambda: response_surface(linear("y ~ x + (1 | g)").params[1:]),
    "`compare` of a binomial with a linear fit": lambda: compare(
        fit_binomial("d ~ 1 + (1 | g)", DATA), fit_linear("y ~ x + (1 | g)", DATA, reml=False)
    ),
    "a text factor of one level": lambda: linear("y ~ one + (1 | g)"),
    "a polars or Arrow group with NaN": lambda: linear("y ~ x + (1 | h)", NAN),
    '`predict(new, "conditional")` without the group': lambda: linear("y ~ x + (1 | g)").predict(
        DATA.drop("g"), "conditional"
    ),
    "`(0 + b | g)` of a logical b": in_two_columns,
    "`pickle.dumps(fit)`": lambda: pickle.loads(pickle.dumps(linear("y ~ x + (1 | g)"))).predict(DATA),
    "`fit.ranef`": lambda: linear("y ~ x + (1 | g)").ranef,
}


def rows() -> dict[str, str]:
    """What the table says that is said, by what was tried."""
    table = PAGE.read_text(encoding="utf-8").split("## Messages")[1]
    cells = [re.split(r"(?<!\\)\|", line)[1:-1] for line in table.splitlines() if line.startswith("|")][2:]
    return {tried.strip().replace(r"\|", "|"): says.strip().replace(r"\|", "|") for tried, _, says in cells}


def test_the_table_has_a_row_for_everything_that_is_tried():
    assert set(rows()) == set(TRIED)


@pytest.mark.parametrize("tried", TRIED)
def test_what_the_table_quotes_is_what_is_said(tried):
    says = rows()[tried]
    try:
        TRIED[tried]()
    except (OutcomesError, AttributeError) as error:
        said = " ".join(str(error).split())
        for part in says.split("of two factors: ")[-1].split(" ..."):
            assert part.strip() in said
    else:
        assert says.startswith((FITS, "both are read"))
