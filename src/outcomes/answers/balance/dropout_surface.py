"""What the surface of the contrasts says of dropout, for the verdict: too little and too much apart, and one way only.

A parabola stands badly for what rises with the distance: it is flat where the rise begins. So the turn at the
preference, and its absence along guidance, are read from the surface that the report's risks are made from.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from outcomes.answers.balance.rows import GuidanceRows
from outcomes.answers.contrasts.surface import STEP, WITH_PREFERENCE, WITHOUT_PREFERENCE, Scale
from outcomes.methods.inference.contrasts import Estimate, estimate
from outcomes.mixed import FitStatus, fit_cluster_robust

ENDS = (0.1, 0.5, 0.9)
"""Quantiles of guidance between which the outcome must go one way, to be called one way only."""
EACH_SIDE = 0.1
"""Least share of the sessions with half a step too little, and too much, for a turn between them to be claimed (as for
the Lind-Mehlum test)."""


@dataclass(frozen=True)
class DropoutSurface:
    """Changes of the logit along the surface, averaged over sessions' preferences.

    Attributes
    ----------
    below, above : Estimate
        From the lower end to the median of guidance, and from there to the upper end.
    little, much : Estimate or None
        From guidance as preferred to a step too little, and to a step too much; None without preferences.
    away : Estimate or None
        Mean of these two: what a step away costs whichever way it goes. A straight effect of guidance is not in it.
    lopsided : Estimate or None
        Half of what a step too much costs more than a step too little: of misfit it has nothing.
    misfit : Estimate or None
        Per standard deviation of the distance |d - p|, as if nothing but the distance counted.
    has_both_sides : bool
        Enough sessions have too little, and enough too much.
    """

    below: Estimate
    above: Estimate
    little: Estimate | None
    much: Estimate | None
    away: Estimate | None
    lopsided: Estimate | None
    misfit: Estimate | None
    has_both_sides: bool

    def is_one_way(self, alpha: float) -> bool:
        """Whether both halves of guidance surely go the same way: an optimum between them would turn one of them.

        Each is tested one-sided; if the optimum lies inside, one of them is no such change, so that this is claimed
        falsely in at most `alpha` of studies (intersection-union test; Berger 1982, doi 10.2307/1268306).
        """
        same = self.below.value * self.above.value > 0
        return bool(same and max(self.below.p_value, self.above.p_value) / 2 < alpha)

    def is_fit_part_of_it(self, alpha: float) -> bool:
        """Whether a step away from the preference raises the logit, too little and too much taken together."""
        return self.away is not None and self.away.value > 0 and self.away.p_value / 2 < alpha

    def is_lopsided(self, alpha: float) -> bool:
        """Whether too little and too much surely do not cost the same."""
        return self.lopsided is not None and self.lopsided.p_value < alpha

    def is_turn(self, alpha: float) -> bool:
        """Whether too little and too much both surely raise the logit over that of guidance as preferred."""
        if self.little is None or self.much is None or not self.has_both_sides:
            return False
        return all(side.value > 0 and side.p_value / 2 < alpha for side in (self.little, self.much))


def dropout_surface(rows: GuidanceRows, df: float) -> DropoutSurface | None:
    """Fit the surface with errors robust to therapists; None where its columns cannot be told apart.

    Parameters
    ----------
    rows : GuidanceRows
        Of dropout; d and p are centred at the middle of the scale.
    df : float
        Of the tests.
    """
    scale = Scale(-rows.width / 2, rows.width / 2)
    d, p = (rows.frame[name].to_numpy() if name in rows.frame.columns else None for name in ("d", "p"))
    names = WITHOUT_PREFERENCE if p is None else WITH_PREFERENCE
    columns = {name: pl.Series(values) for name, values in scale.columns(d, p).items()}
    frame = rows.frame.with_columns(usual=pl.col("d").mean().over("therapist_id"), **columns)
    fit = fit_cluster_robust(f"y ~ {' + '.join([*names, 'usual', *rows.covariates])}", frame, "therapist_id")
    if fit.status is FitStatus.NOT_CONVERGED or set(names) - set(fit.names):
        return None
    places = [fit.names.index(name) for name in names]
    beta, covariance = fit.beta[places], fit.vcov[np.ix_(places, places)]

    def height(at: np.ndarray) -> np.ndarray:
        """The logit there, averaged, as a combination of the surface's coefficients."""
        return np.stack(list(scale.columns(at, p).values())).mean(axis=1)

    def told(row: np.ndarray) -> Estimate:
        return estimate(float(row @ beta), float(row @ covariance @ row), df=df)

    low, middle, high = (height(np.full(d.shape, end)) for end in np.quantile(d, ENDS))
    below, above = told(middle - low), told(high - middle)
    if p is None:
        return DropoutSurface(below, above, None, None, None, None, None, False)
    step = STEP * rows.width
    distance = d - p
    sides = min(np.mean(distance <= -step / 2), np.mean(distance >= step / 2))
    little, much = (height(p + way) - height(p) for way in (-step, step))
    return DropoutSurface(
        below, above, told(little), told(much), told((little + much) / 2), told((much - little) / 2),
        _misfit(names, beta, covariance, distance, df), bool(sides >= EACH_SIDE),
    )  # fmt: skip


def _misfit(
    names: tuple[str, ...], beta: np.ndarray, covariance: np.ndarray, distance: np.ndarray, df: float
) -> Estimate:
    """The slope of |d - p| alone, nearest to the surface (minimum distance), per standard deviation of |d - p|."""
    direction = np.array([float(name in ("too_little", "too_much")) for name in names])
    free = np.array([float(name in ("preferred", "preferred_2")) for name in names])
    L = np.column_stack([direction, np.diag(free)[:, free > 0]])
    precision = np.linalg.inv(covariance)
    spread = np.linalg.inv(L.T @ precision @ L)
    slope = float((spread @ (L.T @ precision @ beta))[0])
    sd = float(np.std(np.abs(distance)))
    return estimate(slope * sd, float(spread[0, 0]) * sd**2, df=df)
