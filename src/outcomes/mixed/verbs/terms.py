"""Tests of whole terms: all columns of a factor or an interaction at once, type III."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from outcomes.errors import UsageError, no_such
from outcomes.methods.inference.contrasts import wald_test
from outcomes.mixed.design.coding import INTERCEPT_NAME, CodedTerm, code_terms
from outcomes.mixed.design.contrasts import Coding, Contrast
from outcomes.mixed.results.status import FitStatus
from outcomes.mixed.verbs.effects import Effective
from outcomes.mixed.verbs.rows import design_of

ROWS_PER_COLUMN = 20
"""Random points, a column of the design, from which the change of coding is solved."""


def term_tests(fit: Effective, terms: Sequence[str] | str | None = None) -> pl.DataFrame:
    """Test every term of the fixed part with all its columns, type III.

    The hypothesis of a term is that its columns vanish in sum-to-zero coding, whatever coding the formula has: effects
    averaged over the levels of the other factors with equal weight (SAS type III; lmerTest's ``anova``). A numeric
    predictor that interacts is held at zero: centre it first when the main effects are of interest.

    Parameters
    ----------
    fit : LinearFit or BinomialFit
    terms : str or sequence of str, optional
        Names as the formula has them (``x:mode``); default all but the intercept.

    Returns
    -------
    polars.DataFrame
        term, statistic (F = chi-square / df_num), df_num, df_denom (infinite in the binomial model), p_value.

    Raises
    ------
    UsageError
        Terms that the model does not have, or with columns that were dropped.
    """
    design = design_of(fit)
    coded = {term.label: term for term in design.terms if term.label != INTERCEPT_NAME}
    wanted = list(coded) if terms is None else [terms] if isinstance(terms, str) else list(terms)
    for name in wanted:
        if name not in coded:
            raise no_such("term of the model", name, coded)
    summed = code_terms(design.formula.fixed, design.factors, design.levels, Contrast(Coding.SUM))
    change = _change_of_coding(design.terms, summed)
    rows = {name: i for i, name in enumerate(name for term in summed for name in term.names)}
    all_names = [name for term in design.terms for name in term.names]
    kept = [all_names.index(name) for name in fit.names]
    found = []
    for name in wanted:
        if lost := [column for column in coded[name].names if column not in fit.names]:
            raise UsageError(
                f"The term {name} lost its column {lost[0]} as a combination of others: it has no test of type III.",
                "compare models with and without it (`compare`, reml=False)",
            )
        own = next(term for term in summed if term.label == name)
        L = change[[rows[column] for column in own.names]][:, kept]
        df_denom = fit.ddf(L)
        test = wald_test(L, fit.beta, fit.vcov, 0.0, df_denom)
        statistic = test.statistic / len(L) if np.isinf(df_denom) else test.statistic
        p_value = None if fit.status == FitStatus.NOT_CONVERGED else test.p_value
        found.append((name, statistic, len(L), df_denom, p_value))
    schema = {"term": pl.String, "statistic": pl.Float64, "df_num": pl.Int64, "df_denom": pl.Float64}
    return pl.DataFrame(found, schema=schema | {"p_value": pl.Float64}, orient="row")


def _change_of_coding(terms: tuple[CodedTerm, ...], summed: tuple[CodedTerm, ...]) -> np.ndarray:
    """Matrix that carries coefficients of the formula's coding to those of sum-to-zero coding, (q, q)."""
    rng = np.random.default_rng(0)
    size = ROWS_PER_COLUMN * sum(len(term.names) for term in terms)
    levels: dict[str, np.ndarray] = {}
    numbers: dict[str, np.ndarray] = {}
    for term in terms:
        for name, factor in zip(term.term, term.factors, strict=True):
            if factor.matrix is None:
                numbers.setdefault(name, rng.normal(size=(size, len(factor.names))))
            else:
                levels.setdefault(name, rng.integers(0, len(factor.matrix), size))
    X, S = (np.column_stack([_values(term, levels, numbers, size) for term in one]) for one in (terms, summed))
    return np.linalg.lstsq(S, X, rcond=None)[0]


def _values(term: CodedTerm, levels: dict[str, np.ndarray], numbers: dict[str, np.ndarray], size: int) -> np.ndarray:
    """Columns of a term at random points, the first factor varying fastest."""
    columns = np.ones((size, 1))
    for name, factor in zip(term.term, term.factors, strict=True):
        own = numbers[name] if factor.matrix is None else factor.matrix[levels[name]]
        columns = np.column_stack(
            [columns[:, i] * own[:, j] for j in range(own.shape[1]) for i in range(columns.shape[1])]
        )
    return columns
