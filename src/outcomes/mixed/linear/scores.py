"""Score contributions of one fixed effect by therapist or client: what a test that flips signs needs of a fit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from outcomes.errors import UsageError
from outcomes.mixed.linear.problem import design_columns, outcome_column
from outcomes.mixed.linear.result import LinearFit


@dataclass(frozen=True)
class Scores:
    """Effective score contributions of a fixed effect.

    Attributes
    ----------
    labels : polars.Series, length L
        Levels of the grouping factor.
    values : ndarray, shape (L,)
        Contributions in the units of the effect's column times the outcome's.
    """

    labels: pl.Series
    values: np.ndarray


def score_contributions(fit: LinearFit, term: str, group: str) -> Scores:
    """Effective score of "this effect is zero", split over the levels of a grouping factor.

    With r = x - X0 (X0'V^-1 X0)^-1 X0'V^-1 x (the tested column, the other fixed columns projected out) and e0 the
    residual under the null, the score is r'V^-1 e0; a level's contribution is the sum of r_t (V^-1 e0)_t over its rows
    (Hemerik, Goeman & Finos 2020, doi 10.1111/rssb.12369). V is held at the fit's estimate. The sum of all
    contributions is b / (s^2 / sigma^2) for the estimate b with standard error s.

    Parameters
    ----------
    fit : LinearFit
        Fitted to cross-products of `prepare_linear(..., by_cell=True)`.
    term : str
        Name of the fixed effect.
    group : str
        A grouping factor of the cross-products, in the model or not.

    Raises
    ------
    UsageError
        If the fit has no such effect or the cross-products lack the group or products by cell.
    """
    state = fit.engine_state
    gram, problem = state.gram, state.problem
    if gram.n_random < len(gram.columns):
        raise UsageError("The products of all columns are needed by cell.", "prepare_linear(..., by_cell=True)")
    if (group,) not in gram.levels:
        raise UsageError(f"The cross-products have no grouping factor {group!r}.")
    if term not in problem.names:
        raise UsageError(f"The model has no fixed effect {term!r}.")
    solved = state.solved
    at = problem.names.index(term)
    projected = solved.XVX_inverse[:, at] / solved.XVX_inverse[at, at]
    weights = np.append(-(solved.beta - solved.beta[at] * projected), 1.0)  # residual under the null, on [X y]
    design = gram.design(fit.formula)
    X = design_columns(gram, design, problem.names)
    tested = np.einsum("v,vwc->wc", projected @ X, gram.cells)  # sum of r_t v_t by cell, shape (v, C)
    score = (weights[:-1] @ X + weights[-1] * outcome_column(gram, design)) @ tested
    for factor, mode in zip(problem.factors, state.coefficients(solved, weights), strict=True):
        codes = gram.levels[factor.group].codes
        score -= np.einsum("ck,kc->c", mode[codes], factor.columns @ tested)
    levels = gram.levels[(group,)]
    score *= problem.y_scale / problem.to_original[at, at]
    return Scores(levels.labels, np.bincount(levels.codes, weights=score, minlength=levels.n_levels))
