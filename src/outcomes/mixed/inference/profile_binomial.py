"""Profile-likelihood intervals of a generalised fit: yes or no, counts, ordered categories.

The signed root of the deviance's rise, sqrt(d(v) - d_min), meets the normal quantile at a limit; d(v) minimises over
all other parameters. The search runs in coordinates in which the parameters' covariance is the identity and the first
one is the parameter in question, so that the others hardly move.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
import scipy
from scipy.optimize import minimize

from outcomes.errors import UsageError
from outcomes.mixed.generalised.laplace import LaplaceDeviance
from outcomes.mixed.generalised.quadrature import QuadratureDeviance, deviance_by_nodes
from outcomes.mixed.generalised.result import GeneralisedFit
from outcomes.mixed.generalised.starts import fixed_information
from outcomes.mixed.generalised.state import State
from outcomes.mixed.inference.bootstrap_binomial import parameter_root
from outcomes.mixed.inference.profile import interval_table, meeting_point, names_to_profile


@dataclass(frozen=True)
class _Target:
    """A linear combination of psi to profile: value = scale * direction @ psi, never below `least`."""

    component: str
    name: str
    direction: np.ndarray
    scale: float
    least: float


def profile_binomial_intervals(
    fit: GeneralisedFit, level: float = 0.95, names: tuple[str, ...] | None = None
) -> pl.DataFrame:
    """Profile-likelihood intervals of fixed effects and of standard deviations.

    Parameters
    ----------
    fit : BinomialFit, CountFit or OrdinalFit
        Of engine="outcomes".
    level : float
        Of the intervals.
    names : tuple of str, optional
        Fixed effects to profile; default all. Standard deviations are always profiled, except those of brackets with
        several correlated effects (a parametric bootstrap serves there).

    Returns
    -------
    polars.DataFrame
        component ("fixed" or the group), name, estimate, conf_low, conf_high. A lower limit of zero of a standard
        deviation means that zero is not excluded; a missing limit was not found.

    Raises
    ------
    UsageError
        Unknown names, or a fit of another engine.
    """
    if fit.state is None:
        raise UsageError(f"The engine {fit.engine!r} has no profile.", "fit with engine='outcomes'")
    wanted = names_to_profile(names, fit.names)
    state = fit.engine_state
    model = state.problem.model
    slopes = fixed_information(model, state.psi, state.mode)[1]
    deviance = deviance_by_nodes(LaplaceDeviance.near(model, state.psi, state.mode, slopes), fit.nagq)
    best = deviance(state.psi)[0]
    limit = scipy.stats.norm.ppf((1 + level) / 2)
    rows = []
    for target in _targets(fit, state, wanted):
        ends = [_limit(deviance, state, target, best, sign, limit) for sign in (-1.0, 1.0)]
        estimate = target.scale * target.direction @ state.psi
        rows.append((target.component, target.name, float(estimate), *ends))
    return interval_table(rows)


def _targets(fit: GeneralisedFit, state: State, names: tuple[str, ...]) -> list[_Target]:
    """Fixed effects on the formula's columns, and standard deviations that are one theta each."""
    model, coordinates = state.problem.model, state.problem.coordinates
    out = []
    for name in names:
        direction = np.zeros(state.psi.size)
        direction[model.layout.beta] = coordinates.fixed[fit.names.index(name)]
        out.append(_Target("fixed", name, direction, 1.0, -np.inf))
    for a, factor in enumerate(model.blocks.factors):
        at = 0
        for k in factor.brackets:
            if k == 1:
                rows, columns = factor.theta_positions
                place = int(np.flatnonzero((rows == at) & (columns == at))[0])
                index = model.layout.by_factor[a].start + place
                direction = np.zeros(state.psi.size)
                direction[index] = 1.0 if state.psi[index] >= 0 else -1.0  # theta's sign means nothing
                scale = 1.0 / coordinates.random[a][at, at]
                out.append(_Target(factor.name, coordinates.effects[a][at], direction, float(scale), 0.0))
            at += k
    return out


def _limit(
    deviance: LaplaceDeviance | QuadratureDeviance,
    state: State,
    target: _Target,
    best: float,
    sign: float,
    limit: float,
) -> float | None:
    """Where the profile reaches the quantile on one side of the estimate."""
    root = parameter_root(state.covariance, state.problem.model.layout)
    pull = root.T @ target.direction
    se = float(np.linalg.norm(pull))
    basis = root @ _with_first(pull / se)
    estimate = float(target.direction @ state.psi)
    others = np.zeros(state.psi.size - 1)

    def excess(value: float) -> float:
        nonlocal others
        first = (value - estimate) / se

        def held(rest: np.ndarray) -> tuple[float, np.ndarray]:
            now, gradient = deviance(state.psi + basis @ np.concatenate([[first], rest]))
            return now / 2, (basis.T @ gradient)[1:] / 2

        found = minimize(held, others, jac=True, method="BFGS", options={"gtol": 1e-3})
        others = found.x
        return float(np.sqrt(max(2 * found.fun - best, 0.0)) - limit)

    found = meeting_point(excess, estimate, se, target.least / target.scale, sign, limit)
    return None if found is None else target.scale * found


def _with_first(unit: np.ndarray) -> np.ndarray:
    """An orthogonal matrix whose first column is the unit vector (a Householder reflection)."""
    normal = unit.copy()
    normal[0] -= 1.0
    length = normal @ normal
    return np.eye(unit.size) if length < 1e-30 else np.eye(unit.size) - 2.0 * np.outer(normal, normal) / length
