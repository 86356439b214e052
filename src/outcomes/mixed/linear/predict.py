"""Predictions of a linear fit for known and new clients and therapists, with intervals.

Given theta, the error of x'beta_hat + z'b_hat has variance x*'V x* + z'Cz with C the conditional covariance of b given
beta, and x* = x - X'V^-1 Z Psi z: what the modes lose by beta_hat's own error (Henderson's mixed-model equations). New
levels enter with their prior variance.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Protocol

import numpy as np
import polars as pl
import scipy

from outcomes.errors import UsageError
from outcomes.mixed.design.new_data import NewRows, new_rows
from outcomes.mixed.linear.deviance import rest_covariance, solve
from outcomes.mixed.linear.modes import LinearModes
from outcomes.mixed.linear.satterthwaite import CovarianceGradient
from outcomes.mixed.results.modes import VarianceBlock
from outcomes.mixed.results.predicted import beside

CHUNK = 2_000
"""Rows that are predicted at once: each needs a number for every level of the factors after the first."""


class Predicting(Protocol):
    """What a prediction reads of a linear fit; see `LinearFit` for the meaning."""

    formula: str
    names: tuple[str, ...]
    beta: np.ndarray
    vcov: np.ndarray
    sigma: float
    variances: tuple[VarianceBlock, ...]
    n_groups: dict[str, int]
    engine_state: LinearModes
    covariance_gradient: CovarianceGradient


def predict_linear(fit: Predicting, data: Any = None, kind: str = "marginal", level: float = 0.95) -> pl.DataFrame:
    """Predict the outcome for the rows of `data`.

    Parameters
    ----------
    fit : LinearFit
        Of engine="outcomes".
    data : relation, frame or table, optional
        With the model's predictors; for ``kind="conditional"`` also the grouping factors. Without it the data of the
        fit.
    kind : {"marginal", "conditional"}
        "marginal": the mean over all clients and therapists. "conditional": for the levels named in the data; a level
        that the fit has not seen (or that is missing) counts as a new draw, whose variance enters the intervals.
    level : float
        Of the intervals.

    Returns
    -------
    polars.DataFrame
        The columns of `data`, one row per row of it, in order, and beside them: estimate, std_error, df_denom,
        conf_low, conf_high (of the mean), new_low, new_high (of one new observation of weight 1). Missing where a
        predictor is missing. "marginal" intervals use Satterthwaite's degrees of freedom, "conditional" ones the
        normal. Offsets are added.

    Raises
    ------
    UsageError, FormulaError
        Another kind; the data lack a column of the model or have a categorical level that the fit has not seen.
    """
    if kind not in {"marginal", "conditional"}:
        raise UsageError(f"There are no predictions of kind {kind!r}.", "use 'marginal' or 'conditional'")
    state = fit.engine_state
    design = state.gram.design(fit.formula)
    data = design.source if data is None else data
    rows = new_rows(design, fit.names, data, with_groups=kind == "conditional", keep_data=True)
    estimate = rows.X @ fit.beta + rows.offset
    if kind == "marginal":
        variance = np.einsum("ij,jk,ik->i", rows.X, fit.vcov, rows.X)
        spread = variance + sum(_prior_variance(fit, rows, group) for group in fit.n_groups)
        is_known = np.isfinite(estimate)
        df_denom = np.full(len(estimate), np.nan)
        df_denom[is_known] = [fit.covariance_gradient.df(row) for row in rows.X[is_known]]
    else:
        parts = [_conditional(fit, state, _rows(rows, start)) for start in range(0, len(estimate), CHUNK)]
        random, variance = (np.concatenate([part[i] for part in parts]) for i in range(2))
        estimate, spread = estimate + random, variance
        df_denom = np.where(np.isfinite(estimate), np.inf, np.nan)
    quantile = scipy.stats.t.ppf((1 + level) / 2, df_denom)
    half, new_half = quantile * np.sqrt(variance), quantile * np.sqrt(spread + fit.sigma**2)
    return beside(
        rows.data,
        {
            "estimate": estimate,
            "std_error": np.sqrt(variance),
            "df_denom": df_denom,
            "conf_low": estimate - half,
            "conf_high": estimate + half,
            "new_low": estimate - new_half,
            "new_high": estimate + new_half,
        },
    )


def _rows(rows: NewRows, start: int) -> NewRows:
    """At most CHUNK rows from a start."""
    part = slice(start, start + CHUNK)
    return replace(
        rows,
        X=rows.X[part],
        Z={name: column[part] for name, column in rows.Z.items()},
        labels={name: labels[part] for name, labels in rows.labels.items()},
    )


def _prior_variance(fit: Predicting, rows: NewRows, group: str) -> np.ndarray:
    """Variance that a new level of a group adds, by row."""
    total = np.zeros(len(rows.X))
    for block in fit.variances:
        if block.group == group:
            z = np.column_stack([rows.Z[name] for name in block.names])
            total += np.einsum("ij,jk,ik->i", z, block.cov, z)
    return total


def _conditional(fit: Predicting, state: LinearModes, rows: NewRows) -> tuple[np.ndarray, np.ndarray]:
    """Sum of the known levels' modes and the variance of its error, beta's included."""
    problem = state.problem
    solution = solve(problem, state.theta)
    n, sigma = len(rows.X), fit.sigma
    residual = np.append(-solution.beta, 1.0) * problem.y_scale
    codes, z = [], []
    for factor in problem.factors:
        name = ":".join(factor.group)
        codes.append(state.gram.levels[factor.group].codes_of(rows.labels[name]))
        raw = np.column_stack([rows.Z[column] for column in factor.names])
        z.append(raw @ np.linalg.inv(factor.to_work))
    prior = np.zeros(n)
    for factor, code in zip(problem.factors, codes, strict=True):
        prior += np.where(code < 0, _prior_variance(fit, rows, ":".join(factor.group)), 0.0)
    # coefficients of the known levels on [X y], and the covariance of z'b given beta
    known = [np.where((code < 0)[:, None], 0.0, part) for code, part in zip(codes, z, strict=True)]
    first = codes[0] >= 0
    safe = [np.maximum(code, 0) for code in codes]
    B = np.moveaxis(solution.B[:, :, safe[0]], 2, 0)
    ZX = np.moveaxis(problem.ZX[:, safe[0]], 1, 0)
    weighted = np.einsum("ia,iab->ib", known[0], B)
    blup = np.einsum("ib,ibq->iq", weighted, ZX)
    variance = np.einsum("ib,ib->i", weighted, known[0])
    rest = problem.rest
    if rest is not None:
        row_columns = np.zeros((n, rest.n_columns))
        for g, (code, part) in enumerate(zip(safe[1:], known[1:], strict=True)):
            for a in range(part.shape[1]):
                row_columns[np.arange(n), rest.at(g, a).start + code * part.shape[1]] += part[:, a]
        for a, E in enumerate(rest.E):
            row_columns -= (E[safe[0]] * np.where(first, weighted[:, a], 0.0)[:, None]).toarray()
        blup += row_columns @ solution.Gamma
        padded = np.hstack([row_columns, np.zeros((n, 1))])
        for bucket, M in zip(rest.packing.buckets, rest_covariance(problem, solution), strict=True):
            for members, block in zip(bucket.members, M, strict=True):
                own = padded[:, members]
                touched = np.any(own != 0, axis=1)
                variance[touched] += np.einsum("ia,ab,ib->i", own[touched], block, own[touched])
    random = blup @ residual
    # x'beta + z'(b_hat - b): b_hat falls by blup_X beta for each unit of beta
    x = (rows.X @ problem.to_original) - blup[:, :-1]
    covariance = solution.XVX_inverse
    variance = sigma**2 * (variance + np.einsum("ij,jk,ik->i", x, covariance, x)) + prior
    return random, variance
