"""What the fixed effects mean: satisfaction and dropout over the range of directiveness that clients experienced."""

from __future__ import annotations

import duckdb
import numpy as np
from scipy import stats

from outcomes.disclosure import is_group
from outcomes.links import link_named
from outcomes.methods.dropout.cumulative_incidence import REPORT_SESSIONS, cumulative_incidence
from outcomes.models.averaging import average_over_effects
from outcomes.models.grid import design_rows, inner_range
from outcomes.models.specs import columns_read
from outcomes.models.state import CurvePoint, Estimates
from outcomes.study.settings import Disclosure, ModelSpec

GRID_POINTS = 31
DRAWS = 1_000
"""Simulated coefficient vectors behind an interval: its limits then move by about 2% of its width from seed to seed."""
SEED = 20_412
_CONFIDENCE = 0.95


def satisfaction_curve(
    con: duckdb.DuckDBPyConnection, spec: ModelSpec, estimates: Estimates, covariance: np.ndarray, rule: Disclosure
) -> tuple[CurvePoint, ...]:
    """Return average satisfaction over directiveness, in scale points around a client's own usual level.

    All other columns are held at their means, random effects at zero. Interval: x'b +- t sqrt(x'Vx), with the fewest
    degrees of freedom of the coefficients that take part. Empty where the model has no `directiveness_within`, or too
    few clients lie beyond the 5th and 95th percentile.
    """
    x_name = "directiveness_within"
    grid = _grid(con, spec, x_name, rule)
    if grid is None:
        return ()
    X = design_rows(con, spec, estimates.terms, {x_name: grid})
    level = X @ estimates.beta
    half = stats.t.ppf((1 + _CONFIDENCE) / 2, np.min(estimates.df_denom)) * np.sqrt(
        np.einsum("ij,jk,ik->i", X, covariance, X)
    )
    return tuple(
        CurvePoint("satisfaction", x_name, *point)
        for point in zip(*(column.tolist() for column in (grid, level, level - half, level + half)), strict=True)
    )


def dropout_curves(
    con: duckdb.DuckDBPyConnection,
    spec: ModelSpec,
    estimates: Estimates,
    covariance: np.ndarray,
    effect_variance: float,
    rule: Disclosure,
) -> tuple[CurvePoint, ...]:
    """Return the probability of dropout by sessions 3, 8 and 12 over the level of directiveness so far.

    For a client whose sessions all have directiveness x (so that the mean so far is x and nothing changes), with other
    columns at their means: CIF(T|x) = sum_{t<=T} h_t(x) prod_{s<t} (1 - h_s(x) - c_s), where h is the fitted hazard of
    dropout and c_s the observed share of other endings after session s; averaged over the normal distribution of the
    random intercepts. Intervals: percentiles over coefficient vectors drawn from N(b, V) with a fixed seed; c_s and
    the variance of the random intercepts are taken as known.

    Parameters
    ----------
    effect_variance : float
        Sum of the variances of the random intercepts, on the link's scale.
    """
    x_name = "directiveness_so_far"
    grid = _grid(con, spec, x_name, rule)
    if grid is None:
        return ()
    other, at_risk = _other_endings(con, spec)
    sessions = np.arange(1, len(other) + 1)
    x, t = np.repeat(grid, len(sessions)), np.tile(sessions, len(grid))
    X = design_rows(con, spec, estimates.terms, _constant_guidance(spec, x_name, x, t, con))
    draws = np.random.default_rng(SEED).multivariate_normal(estimates.beta, covariance, DRAWS, method="eigh")
    shape = (-1, len(grid), len(sessions))
    point = _incidence((estimates.beta[None, :] @ X.T).reshape(shape), other, effect_variance, spec.link)[0]
    spread = _incidence((draws @ X.T).reshape(shape), other, effect_variance, spec.link)
    low, high = np.quantile(spread, [(1 - _CONFIDENCE) / 2, (1 + _CONFIDENCE) / 2], axis=0)
    told = [T for T in REPORT_SESSIONS if len(sessions) >= T and is_group(at_risk[T - 1], rule)]
    return tuple(
        CurvePoint(f"dropout_by_session_{T}", x_name, *values)
        for T in told
        for values in zip(*(part.tolist() for part in (grid, *(p[:, T - 1] for p in (point, low, high)))), strict=True)
    )


def _grid(con: duckdb.DuckDBPyConnection, spec: ModelSpec, x_name: str, rule: Disclosure) -> np.ndarray | None:
    """Even steps between the 5th and 95th percentile; None where the model lacks the column or they rest on few."""
    if x_name not in columns_read(spec, tuple(con.table(spec.population).columns)):
        return None
    found = inner_range(con, spec, x_name)
    if not is_group(found.clients_beyond, rule) or not found.low < found.high:
        return None
    return np.linspace(found.low, found.high, GRID_POINTS)


def _constant_guidance(
    spec: ModelSpec, x_name: str, x: np.ndarray, t: np.ndarray, con: duckdb.DuckDBPyConnection
) -> dict[str, np.ndarray]:
    """Columns of session t of clients whose guidance is x throughout; only those that the model reads."""
    columns = {
        x_name: x,
        "directiveness_score": x,
        "directiveness_change": np.zeros_like(x),
        "attended_number": t.astype(float),
        "session_1": (t == 1).astype(float),
        "session_2": (t == 2).astype(float),
        "session_3": (t == 3).astype(float),
        "log_session": np.where(t >= 4, np.log(t), 0.0),
    }
    read = columns_read(spec, tuple(con.table(spec.population).columns))
    return {name: values for name, values in columns.items() if name in read}


def _other_endings(con: duckdb.DuckDBPyConnection, spec: ModelSpec) -> tuple[np.ndarray, np.ndarray]:
    """Share of episodes with another ending after session 1, 2, ..., and how many were at risk of any."""
    rows = con.execute(
        f"""select attended_number, avg(cast(is_planned_end as integer) + cast(is_other_end as integer)), count(*)
            from {spec.population}
            where {spec.outcome} is not null and attended_number <= {max(REPORT_SESSIONS)}
            group by attended_number order by attended_number"""
    ).fetchall()
    unbroken = [row for place, row in enumerate(rows, start=1) if row[0] == place]
    return np.array([row[1] for row in unbroken], dtype=float), np.array([row[2] for row in unbroken])


def _incidence(eta: np.ndarray, other: np.ndarray, effect_variance: float, link: str) -> np.ndarray:
    """Cumulative incidence, shape of `eta` (draws, grid, sessions), averaged over the random intercepts."""

    def given(effect: float) -> np.ndarray:
        shifted = eta + effect
        hazard = link_named(link).inverse(shifted)
        return cumulative_incidence(np.stack([hazard, np.minimum(other, 1 - hazard)])).incidence[0]

    return average_over_effects(given, effect_variance)
