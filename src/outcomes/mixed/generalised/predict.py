"""Predicted means of a generalised mixed model (probabilities, counts): for known and new levels, and averaged over the
population."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import polars as pl
import scipy
from scipy.special import roots_hermitenorm

from outcomes.errors import UsageError
from outcomes.mixed.design.new_data import NewRows, new_rows
from outcomes.mixed.generalised.laplace import mode_slopes
from outcomes.mixed.generalised.starts import fixed_information
from outcomes.mixed.generalised.state import State
from outcomes.mixed.results.predicted import beside

POPULATION_NODES = 41
"""Gauss-Hermite nodes of the average over the random effects: exact to 1e-8 for standard deviations up to 3."""

KINDS = ("marginal", "typical", "conditional")
"""Kinds of predictions."""

MAX_COMBINATIONS = 5_000
"""Most distinct combinations of known levels in one call; each costs a solve with the inner Hessian."""


class Predicting(Protocol):
    """What a prediction reads of a fit; see `GeneralisedFit` for the meaning."""

    names: tuple[str, ...]
    beta: np.ndarray
    vcov: np.ndarray
    engine_state: State

    def mean_of(self, eta: np.ndarray) -> np.ndarray:
        """Expected outcome at a linear predictor."""
        ...

    def link_of(self, mean: np.ndarray) -> np.ndarray:
        """Linear predictor of an expected outcome."""
        ...


def predict_mean(fit: Predicting, data: Any = None, kind: str = "marginal", level: float = 0.95) -> pl.DataFrame:
    """Predict expected outcomes for the rows of `data`: probabilities, or counts.

    Parameters
    ----------
    fit : BinomialFit or CountFit
    data : relation, frame or table, optional
        With the model's predictors; for ``kind="conditional"`` also the grouping factors. Without it the data of the
        fit.
    kind : {"marginal", "typical", "conditional"}
        "marginal": averaged over the random effects, the share of events (or the mean count) among all clients and
        therapists with these predictors. "typical": at random effects of zero. "conditional": for the levels named in
        the data; a level that the fit has not seen (or that is missing) counts as a new draw, whose variance enters the
        interval.
    level : float
        Of the intervals.

    Returns
    -------
    polars.DataFrame
        The columns of `data`, one row per row of it, in order, and beside them: estimate (a probability, or a count
        with the row's offset), std_error (of it, by the delta method), df_denom (infinite), conf_low, conf_high, and
        std_error_link (on the link's scale; of the marginal mean's link value for "marginal"). Missing where a
        predictor is missing.

    Raises
    ------
    UsageError
        Another kind; a categorical level that the fit has not seen; too many combinations of levels at once.

    Notes
    -----
    Intervals are on the link's scale and carried over. They include the uncertainty of beta and theta (delta method,
    exact Hessian) and, for "conditional", of the modes given them: Var = z'Cz + g'Vg with g the total derivative of
    the linear predictor.
    """
    if kind not in KINDS:
        raise UsageError(f"There are no predictions of kind {kind!r}.", "use 'marginal', 'typical' or 'conditional'")
    state = fit.engine_state
    design = state.problem.design
    data = design.source if data is None else data
    rows = new_rows(design, fit.names, data, with_groups=kind == "conditional", keep_data=True)
    if kind == "marginal":
        eta, variance = _marginal(fit, state, rows)
    else:
        eta, variance = rows.X @ fit.beta + rows.offset, np.einsum("ij,jk,ik->i", rows.X, fit.vcov, rows.X)
        if kind == "conditional":
            eta, gradient, own = conditional(state, rows, eta)
            variance = own + np.einsum("ij,jk,ik->i", gradient, state.covariance, gradient)
    se = np.sqrt(variance)
    half = scipy.stats.norm.ppf((1 + level) / 2) * se
    inverse = fit.mean_of
    step = 1e-5
    by_eta = (inverse(eta + step) - inverse(eta - step)) / (2 * step)
    return beside(
        rows.data,
        {
            "estimate": inverse(eta),
            "std_error": by_eta * se,
            "df_denom": np.where(np.isfinite(eta), np.inf, np.nan),
            "conf_low": inverse(eta - half),
            "conf_high": inverse(eta + half),
            "std_error_link": se,
        },
    )


def _effects_matrix(state: State, rows: NewRows, a: int) -> np.ndarray:
    """Random columns (n, k) of factor a on the formula's scale."""
    return np.column_stack([rows.Z[name] for name in state.problem.coordinates.effects[a]])


def random_variance(state: State, rows: NewRows, psi: np.ndarray) -> np.ndarray:
    """Variance (n,) of the random part of each row's linear predictor at psi."""
    model, coordinates = state.problem.model, state.problem.coordinates
    variance = np.zeros(len(rows.X))
    for a, factor in enumerate(model.blocks.factors):
        Z = _effects_matrix(state, rows, a)
        cov = coordinates.covariance(a, factor, psi[model.layout.by_factor[a]])
        variance += np.einsum("ij,jk,ik->i", Z, cov, Z)
    return variance


def _marginal(fit: Predicting, state: State, rows: NewRows) -> tuple[np.ndarray, np.ndarray]:
    """Link value of E[p] over the random effects, and its variance."""
    model, coordinates = state.problem.model, state.problem.coordinates
    layout = model.layout
    nodes, weights = roots_hermitenorm(POPULATION_NODES)
    weights = weights / weights.sum()

    def average(eta: np.ndarray, psi: np.ndarray) -> np.ndarray:
        spread = np.sqrt(random_variance(state, rows, psi))
        return sum(w * fit.mean_of(eta + x * spread) for x, w in zip(nodes, weights, strict=True))

    psi = state.psi
    eta = rows.X @ fit.beta + rows.offset
    mean = average(eta, psi)
    step = 1e-5
    by_eta = (average(eta + step, psi) - average(eta - step, psi)) / (2 * step)
    gradient = np.zeros((len(eta), layout.size))
    gradient[:, layout.beta] = by_eta[:, None] * (rows.X @ coordinates.fixed)
    for j in range(*layout.theta.indices(layout.size)):
        move = np.zeros(layout.size)
        move[j] = step
        gradient[:, j] = (average(eta, psi + move) - average(eta, psi - move)) / (2 * step)
    at = fit.link_of(mean)
    slope = (fit.mean_of(at + step) - fit.mean_of(at - step)) / (2 * step)
    variance = np.einsum("ij,jk,ik->i", gradient, state.covariance, gradient)
    return at, np.divide(variance, slope**2, out=np.full_like(variance, np.inf), where=slope != 0)


def conditional(state: State, rows: NewRows, eta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Linear predictor with the modes of known levels, its gradient (n, P) in psi, and its variance (n,) given psi,
    with new levels drawn afresh."""
    model, coordinates, mode = state.problem.model, state.problem.coordinates, state.mode
    factors, layout = model.blocks.factors, model.layout
    known = np.stack([coordinates.groups[a].codes_of(rows.labels[f.name]) for a, f in enumerate(factors)])
    combinations, inverse = np.unique(known, axis=1, return_inverse=True)
    if combinations.shape[1] > MAX_COMBINATIONS:
        raise UsageError(
            f"The data hold {combinations.shape[1]:,} combinations of levels (at most {MAX_COMBINATIONS:,}).",
            "predict in parts",
        )
    by_location = fixed_information(model, state.psi, mode)[1]
    by_theta = mode_slopes(model, mode)
    edges = np.cumsum([0, *(f.k for f in factors)])
    # loading: effects on the formula's columns from u;  Z (n, K): all random columns
    loading = np.zeros((edges[-1], edges[-1]))
    for a in range(len(factors)):
        loading[edges[a] : edges[a + 1], edges[a] : edges[a + 1]] = (
            np.linalg.inv(coordinates.random[a]) @ mode.lambdas[a]
        )
    Z = np.column_stack([_effects_matrix(state, rows, a) for a in range(len(factors))])
    variance, gradients = np.empty(len(eta)), np.zeros((len(eta), layout.size))
    eta = eta.copy()
    for c in range(combinations.shape[1]):
        at = np.flatnonzero(inverse == c)
        levels = combinations[:, c]
        u = np.zeros(edges[-1])
        du = np.zeros((edges[-1], state.psi.size))
        for a, level in enumerate(levels):
            if level >= 0:
                u[edges[a] : edges[a + 1]] = mode.u[a][level]
                du[edges[a] : edges[a + 1], layout.location] = by_location[a][level]
                du[edges[a] : edges[a + 1], layout.theta] = by_theta[a][level]
        db = loading @ du
        for a, factor in enumerate(factors):
            back = np.linalg.inv(coordinates.random[a])
            for j, (r, k) in enumerate(zip(*factor.theta_positions, strict=True), start=layout.by_factor[a].start):
                db[edges[a] : edges[a + 1], j] += back[:, r] * u[edges[a] + k]
        z = Z[at]
        eta[at] += z @ loading @ u
        gradients[at] = z @ db
        gradients[np.ix_(at, np.arange(layout.size)[layout.beta])] += rows.X[at] @ coordinates.fixed
        spread = loading @ _level_covariance(state, levels, edges) @ loading.T
        variance[at] = np.einsum("ij,jk,ik->i", z, spread, z)
    return eta, gradients, variance


def _level_covariance(state: State, levels: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Conditional covariance (K, K) of u for one combination of levels; the identity for new ones (level -1)."""
    inner, factors = state.mode.inner, state.problem.model.blocks.factors
    out = np.eye(edges[-1])
    for a, level in enumerate(levels):
        for k in range(factors[a].k if level >= 0 else 0):
            unit = state.problem.model.zeros()
            unit[a][level, k] = 1.0
            solved = inner.solve(unit)
            for b, other in enumerate(levels):
                if other >= 0:
                    out[edges[b] : edges[b + 1], edges[a] + k] = solved[b][other]
    return out
