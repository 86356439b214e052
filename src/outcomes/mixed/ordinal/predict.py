"""Predicted probabilities of ordered categories, for known and new levels, and averaged over the population."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import polars as pl
import scipy
from scipy.special import expit, roots_hermitenorm

from outcomes.errors import UsageError
from outcomes.mixed.design.new_data import NewRows, new_rows
from outcomes.mixed.generalised.predict import KINDS, POPULATION_NODES, conditional, random_variance
from outcomes.mixed.generalised.state import State
from outcomes.mixed.ordinal.intervals import CumulativeLink
from outcomes.mixed.results.predicted import beside

STEP = 1e-5
"""Step of the differences by covariance parameters."""


class Ordinal(Protocol):
    """What a prediction reads of an ordinal fit; see `OrdinalFit` for the meaning."""

    names: tuple[str, ...]
    beta: np.ndarray
    tau: np.ndarray
    link: CumulativeLink
    categories: tuple[Any, ...]
    location_map: np.ndarray
    engine_state: State


def predict_categories(fit: Ordinal, data: Any = None, kind: str = "marginal", level: float = 0.95) -> pl.DataFrame:
    """Predict the expected position and the probability of each category for the rows of `data`.

    Parameters
    ----------
    fit : OrdinalFit
    data : relation, frame or table, optional
        With the model's predictors; for ``kind="conditional"`` also the grouping factors. Without it the data of the
        fit.
    kind : {"marginal", "typical", "conditional"}
        "marginal": averaged over the random effects. "typical": at random effects of zero. "conditional": for the
        levels named in the data; a level that the fit has not seen (or that is missing) counts as a new draw.
    level : float
        Of the intervals.

    Returns
    -------
    polars.DataFrame
        The columns of `data`, and beside them: estimate (expected position, 1 for the lowest category), std_error,
        conf_low, conf_high; and for each category ``probability <category>``, ``std_error <category>``,
        ``conf_low <category>``, ``conf_high <category>``. Missing where a predictor is missing.

    Raises
    ------
    UsageError
        Another kind; a categorical level that the fit has not seen; too many combinations of levels at once.

    Notes
    -----
    Standard errors by the delta method over thresholds, effects and covariance parameters; intervals of probabilities
    on the logit scale, of the expected position on its own, cut at 1 and K.
    """
    if kind not in KINDS:
        raise UsageError(f"There are no predictions of kind {kind!r}.", "use 'marginal', 'typical' or 'conditional'")
    state = fit.engine_state
    design = state.problem.design
    data = design.source if data is None else data
    rows = new_rows(design, fit.names, data, with_groups=kind == "conditional", keep_data=True)
    below, gradient, density, own = _cumulative(fit, state, rows, kind)
    K = len(fit.categories)
    z = scipy.stats.norm.ppf((1 + level) / 2)

    def error(of: np.ndarray, by_eta: np.ndarray) -> np.ndarray:
        return np.sqrt(np.einsum("ij,jk,ik->i", of, state.covariance, of) + by_eta**2 * own)

    mean = 1 + (1 - below).sum(axis=1)
    mean_error = error(-gradient.sum(axis=1), density.sum(axis=1))
    columns = {
        "estimate": mean,
        "std_error": mean_error,
        "conf_low": np.maximum(mean - z * mean_error, 1.0),
        "conf_high": np.minimum(mean + z * mean_error, float(K)),
    }
    n = len(mean)
    nothing = np.zeros((n, 1, gradient.shape[2]))
    p = np.diff(below, axis=1, prepend=0.0, append=1.0)
    by_psi = np.diff(np.concatenate([nothing, gradient, nothing], axis=1), axis=1)
    by_eta = np.diff(density, axis=1, prepend=0.0, append=0.0)
    for k, label in enumerate(fit.categories):
        se = error(by_psi[:, k], by_eta[:, k])
        inside = np.clip(p[:, k], 1e-15, 1 - 1e-15)
        at, half = np.log(inside) - np.log1p(-inside), z * se / (inside * (1 - inside))
        columns |= {
            f"probability {label}": p[:, k],
            f"std_error {label}": se,
            f"conf_low {label}": expit(at - half),
            f"conf_high {label}": expit(at + half),
        }
    return beside(rows.data, columns)


def _cumulative(
    fit: Ordinal, state: State, rows: NewRows, kind: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """P(y <= k) (n, K - 1), its gradient (n, K - 1, P), minus its derivative by eta (n, K - 1), and the variance (n,)
    of eta given psi."""
    layout = state.problem.model.layout
    n_tau = len(fit.tau)
    by_tau, by_beta = fit.location_map[:n_tau], fit.location_map[n_tau:]
    eta = rows.X @ fit.beta + rows.offset
    along = rows.X @ by_beta
    own = np.zeros(len(eta))
    if kind == "conditional":
        eta, along, own = conditional(state, rows, eta)
    nodes, weights = np.zeros(1), np.ones(1)
    if kind == "marginal":
        nodes, weights = roots_hermitenorm(POPULATION_NODES)
        weights = weights / weights.sum()

    def averaged(function, psi: np.ndarray) -> np.ndarray:
        spread = np.sqrt(random_variance(state, rows, psi)) if kind == "marginal" else np.zeros(len(eta))
        limits = fit.tau - eta[:, None]
        return sum(w * function(limits - x * spread[:, None]) for x, w in zip(nodes, weights, strict=True))

    density = averaged(fit.link.density, state.psi)
    gradient = density[:, :, None] * (by_tau - along[:, None, :])
    if kind == "marginal":
        for j in range(*layout.theta.indices(layout.size)):
            move = np.zeros(layout.size)
            move[j] = STEP
            above, under = (averaged(fit.link.below, state.psi + s * move) for s in (1, -1))
            gradient[:, :, j] = (above - under) / (2 * STEP)
    return averaged(fit.link.below, state.psi), gradient, density, own
