"""What people who come from lme4 run into: each wall is gone, or says what to do instead."""

from __future__ import annotations

import pickle
import subprocess
import sys
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from references import close

from outcomes.errors import FitRefused, FormulaError, OutcomesError, UsageError
from outcomes.mixed import FitStatus, compare, fit_binomial, fit_linear, prepare_linear, subset, wald_test

RNG = np.random.default_rng(3)
N = 300
G = np.arange(N) % 15
X, Z = RNG.normal(size=(2, N))
Y = 1 + 0.5 * X + RNG.normal(size=15)[G] + RNG.normal(size=N)
DATA = pl.DataFrame(
    {"y": Y, "x": X, "z": Z, "g": G, "h": RNG.integers(0, 8, N), "f": RNG.choice(["a", "b", "c"], N), "one": "same"}
).with_columns(h1=pl.col("h") + 1, d=pl.Series(RNG.random(N) < 1 / (1 + np.exp(-Y))), const=1.0)
X_FIT = fit_linear("y ~ x + (1 | g)", DATA, reml=False)
EMPTY = fit_linear("y ~ 1 + (1 | g)", DATA, reml=False)


def _fit(formula: str, data: pl.DataFrame = DATA, **options):
    return fit_linear(formula, data, reml=False, **options)


def _binomial(formula: str, **options):
    return fit_binomial(formula, DATA, **options)


@pytest.mark.parametrize(
    ("small", "large", "message"),
    [
        (lambda: _fit("z ~ 1 + (1 | g)"), lambda: X_FIT, "different outcomes: z and y"),
        (lambda: _fit("I(y * 2) ~ 1 + (1 | g)"), lambda: X_FIT, "different outcomes"),
        (lambda: _fit("y ~ 1 + (1 | g)", DATA.with_columns(pl.col("y").reverse())), lambda: X_FIT, "different rows"),
        (lambda: _fit("y ~ 1 + (1 | g)", DATA.with_columns(pl.col("g").reverse())), lambda: X_FIT, "different rows"),
        (lambda: _fit("y ~ 1 + (1 | g)", DATA[1:]), lambda: _fit("y ~ x + (1 | g)", DATA[:-1]), "different rows"),
        (lambda: _fit("y ~ 1 + (1 | g)", DATA[1:]), lambda: X_FIT, r"different rows \(299 and 300\)"),
        (lambda: _fit("y ~ 1 + (1 | g)", weights="h1"), lambda: X_FIT, "weights"),
        (lambda: _binomial("d ~ 1 + (1 | g)"), lambda: X_FIT, "kind of model: binomial and linear"),
        (
            lambda: _binomial("d ~ 1 + (1 | g)", link="cloglog"),
            lambda: _binomial("d ~ x + (1 | g)"),
            "link: cloglog and logit",
        ),
        (lambda: _binomial("d ~ 1 + (1 | g)", nagq=9), lambda: _binomial("d ~ x + (1 | g)"), "nodes"),
        (lambda: _fit("y ~ z + (1 | g)"), lambda: _fit("y ~ x + f + (1 | g)"), "no special case .* z is not among"),
        (lambda: _fit("y ~ x + (1 | h)"), lambda: _fit("y ~ x + (x | g)"), "no special case .* of h are not in one"),
        (lambda: _fit("y ~ x + (x | g)"), lambda: _fit("y ~ x + f + z + (x || g)"), "no special case .* of g are not"),
        (lambda: fit_linear("y ~ 1 + (1 | g)", DATA), lambda: X_FIT, "REML"),
        (lambda: X_FIT, lambda: EMPTY, "more parameters"),
    ],
)
def test_fits_that_cannot_be_compared_are_refused_with_the_reason(small, large, message):
    with pytest.raises(UsageError, match=message):
        compare(small(), large())


def test_nested_models_of_other_names_are_compared():
    by_name = compare(X_FIT, _fit("y ~ x + I(x^2) + (1 | g)"))
    assert compare(X_FIT, _fit("y ~ poly(x, 2) + (1 | g)")).statistic == pytest.approx(by_name.statistic, abs=1e-6)
    assert compare(_fit("y ~ I(x + z) + (1 | g)"), _fit("y ~ x + z + (1 | g)")).df == 1
    assert compare(_fit("y ~ x + (1 | g)"), _fit("y ~ x + (x || g)")).reference.startswith("half")
    assert compare(_fit("y ~ x + (x || g)"), _fit("y ~ x + (x | g)")).df == 1
    assert compare(_fit("y ~ x + (1 | g)"), _fit("y ~ x + (0 + f | g)")).df == 5


def test_copies_of_the_data_and_pickled_fits_are_compared():
    copy = _fit("y ~ x + f + (1 | g)", DATA.to_pandas())
    assert compare(X_FIT, copy).df == 2
    again = pickle.loads(pickle.dumps(copy))
    assert compare(X_FIT, again).statistic == pytest.approx(compare(X_FIT, copy).statistic)
    other = pickle.loads(pickle.dumps(_fit("y ~ x + f + (1 | g)", DATA.with_columns(pl.col("y") * 1.01))))
    with pytest.raises(UsageError, match="different rows"):
        compare(X_FIT, other)


def test_subsets_of_one_population_are_told_apart():
    gram = prepare_linear(["y ~ x + (1 | g)", "y ~ 1 + (1 | g)"], DATA, by_cell=True)
    parts = [subset(gram, gram.levels[("g",)].codes != left) for left in (0, 1)]
    with pytest.raises(UsageError, match="different rows"):
        compare(
            fit_linear("y ~ 1 + (1 | g)", parts[0], reml=False), fit_linear("y ~ x + (1 | g)", parts[1], reml=False)
        )


def _not_converged(fit):
    return replace(fit, status=FitStatus.NOT_CONVERGED, messages=("The optimiser did not converge (test).",))


def test_a_fit_that_did_not_converge_has_no_p_values():
    fit = _not_converged(X_FIT)
    assert fit.pvalues.isna().all()
    assert fit.tidy()["p_value"].null_count() == 2
    assert np.isnan(wald_test(fit, "x").p_value)
    assert fit.test_terms()["p_value"].null_count() == 1
    assert fit.slopes("x")["p_value"].null_count() == 1
    assert "  -  " in fit.summary()
    with pytest.raises(UsageError, match="first fit did not converge"):
        compare(fit, X_FIT)


def test_a_fit_can_be_pickled_and_predicts_by_factors_afterwards():
    for fit in (_fit("y ~ f * x + scale(z) + (x | g)"), _binomial("d ~ f + (1 | g)")):
        again = pickle.loads(pickle.dumps(fit))
        assert str(again) == str(fit)
        for kind in ("marginal", "conditional"):
            assert again.predict(DATA, kind).equals(fit.predict(DATA, kind))
        with pytest.raises(UsageError, match="its data are not with it"):
            again.resid()


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("y ~ one + (1 | g)", "predictor one has one level among the complete rows"),
        ("I(2 * x + 1) ~ x + (1 | g)", "give the outcome .* exactly"),
        ("y ~ x + (const | g)", "random column const by g does not vary"),
        ("y ~ x + (x + I(2 * x) | g)", r"random column I\(2 \* x\) by g does not vary, or its bracket's other"),
    ],
)
def test_models_without_an_answer_are_refused(formula, message):
    with pytest.raises(FitRefused, match=message):
        fit_linear(formula, DATA)


def test_a_slope_of_a_constant_alone_is_an_intercept():
    scaled = fit_linear("y ~ x + (0 + I(const * 2) | g)", DATA)
    plain = fit_linear("y ~ x + (1 | g)", DATA)
    close(scaled.criterion, plain.criterion, 1e-10)
    close(2 * scaled.variances[0].sd, plain.variances[0].sd, 1e-6)


@pytest.mark.parametrize(
    ("fit_model", "formula", "options", "message"),
    [
        (fit_linear, "y ~ x + (1 | g)", {"REML": False}, "no option 'REML'.*write reml=True or reml=False"),
        (fit_linear, "y ~ x + (1 | g)", {"method": "ML"}, "write reml="),
        (fit_linear, "y ~ x + (1 | g)", {"groups": "g"}, r"\+ \(1 \| group\)"),
        (fit_linear, "y ~ x + (1 | g)", {"control": 1}, "proves its optimum"),
        (fit_binomial, "d ~ x + (1 | g)", {"nAGQ": 9}, "write nagq=9"),
        (fit_binomial, "d ~ x + (1 | g)", {"family": "binomial"}, "the function is the family"),
        (fit_binomial, "d ~ x + (1 | g)", {"offset": "x"}, "into the formula"),
        (fit_binomial, "d ~ x + (1 | g)", {"colour": "x"}, "no option 'colour'"),
        (fit_binomial, "d ~ x + (x | g) + (1 | h)", {"nagq": 9}, "Quadrature is for .*nagq=1.*nagq=9"),
        (fit_binomial, "d ~ x", {}, r"no random term.*statsmodels.*glm\(\)"),
        (fit_linear, "y ~ . + (1 | g)", {}, "name the predictors"),
        (fit_linear, "f ~ x + (1 | g)", {}, r"The outcome 'f' is text.*I\(outcome == 'yes'\)"),
        (fit_linear, "y ~ cut(x, 3) + (1 | g)", {}, "add the classes to the data"),
        (fit_linear, "y ~ x + diag(1 + x | g)", {}, r"write `\(1 \+ x \|\| g\)`"),
    ],
)
def test_messages_say_what_to_do(fit_model, formula, options, message):
    with pytest.raises(OutcomesError, match=f"(?s){message}"):
        fit_model(formula, DATA, **options)


def test_a_text_outcome_of_many_values_is_called_an_outcome():
    many = DATA.with_columns(name=pl.int_range(pl.len()).cast(pl.String))
    many = pl.concat([many.with_columns(pl.col("name") + str(i)) for i in range(3)])
    with pytest.raises(FormulaError, match="outcome 'name' is text"):
        fit_linear("name ~ x + (1 | g)", many)


def test_verbs_of_other_packages_are_answered_with_ours():
    for verb, ours in {"ranef": "random_effects", "fixef": "params", "VarCorr": "random_effects_sd"}.items():
        with pytest.raises(AttributeError, match=f"no '{verb}'; here it is fit.{ours}"):
            getattr(X_FIT, verb)
    assert not hasattr(X_FIT, "nothing_at_all")


def test_a_conditional_prediction_without_the_group_is_refused():
    with pytest.raises(FormulaError, match="no column 'g' to group by"):
        X_FIT.predict(DATA.drop("g"), "conditional")
    assert X_FIT.predict(DATA.drop("g"))["estimate"].null_count() == 0


def test_a_fit_prints_its_summary():
    assert str(X_FIT) == repr(X_FIT) == X_FIT.summary()
    assert "Fixed effects" in str(X_FIT)


def test_the_engine_is_imported_without_what_it_does_not_need():
    heavy = ["prefect", "great_expectations", "altair", "vl_convert", "statsmodels", "matplotlib"]
    heavy += ["scipy.stats", "rich"]  # two fifths of what the import would take
    code = f"import sys, outcomes.mixed; print([name for name in {heavy} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
