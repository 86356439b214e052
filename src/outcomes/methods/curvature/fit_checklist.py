"""The checklist of a fit (congruence) effect on a response surface."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from outcomes.methods.curvature.response_surface import ResponseSurface
from outcomes.methods.inference.contrasts import Estimate
from outcomes.methods.inference.equivalence import EquivalenceState, equivalence_test


class ConditionState(StrEnum):
    """What the data say about a condition."""

    HOLDS = "holds"
    REFUTED = "refuted"
    OPEN = "open"


OF_EQUIVALENCE = {
    EquivalenceState.EQUIVALENT: ConditionState.HOLDS,
    EquivalenceState.DIFFERENT: ConditionState.REFUTED,
    EquivalenceState.UNDECIDED: ConditionState.OPEN,
}
"""State of an "about" condition from its equivalence test."""


@dataclass(frozen=True)
class FitBounds:
    """Half-widths within which a parameter counts as "about" its target; the study declares them.

    Attributes
    ----------
    slope : float
        For a1 and a3 (outcome units per unit of x).
    curvature : float
        For a2 (outcome units per squared unit).
    axis_position : float
        For p10, in the unit of x.
    axis_slope : float
        For p11 around 1.
    """

    slope: float
    curvature: float
    axis_position: float
    axis_slope: float


@dataclass(frozen=True)
class FitCondition:
    """One line of the checklist: the rule, its state, and the estimate behind it (None where it does not exist)."""

    name: str
    rule: str
    state: ConditionState
    estimate: Estimate | None


@dataclass(frozen=True)
class FitChecklist:
    """The whole checklist.

    Attributes
    ----------
    conditions : tuple of FitCondition
    is_model_better_than_null : bool
    has_broad_fit : bool
        The model beats the intercept, p10 ~ 0, p11 ~ 1, a3 ~ 0 and a4 < 0.
    has_strict_fit : bool
        Broad fit with a1 ~ 0 and a2 ~ 0: only the mismatch matters, not the level.
    """

    conditions: tuple[FitCondition, ...]
    is_model_better_than_null: bool
    has_broad_fit: bool
    has_strict_fit: bool


def fit_checklist(
    surface: ResponseSurface, model_p_value: float, bounds: FitBounds, *, alpha: float = 0.05
) -> FitChecklist:
    """Check a congruence effect (Humberg, Nestler & Back 2019, doi 10.1177/1948550618757600).

    A ridge along y = x (p10 ~ 0, p11 ~ 1) whose surface falls away on both sides of it (a4 < 0, a3 ~ 0). "~" is shown
    by equivalence tests, not by a p-value above .05.

    Parameters
    ----------
    surface : ResponseSurface
    model_p_value : float
        Of the full model against the intercept (or against the model without the five terms).
    bounds : FitBounds
    alpha : float
    """
    falls = _falls(surface.a4, alpha)
    broad = (
        FitCondition("a4", "the surface falls with mismatch: a4 < 0", falls, surface.a4),
        _about("p10", "the ridge passes through the origin: p10 ~ 0", surface.p10, bounds.axis_position, 0.0, alpha),
        _about("p11", "the ridge is parallel to congruence: p11 ~ 1", surface.p11, bounds.axis_slope, 1.0, alpha),
        _about("a3", "too much and too little cost the same: a3 ~ 0", surface.a3, bounds.slope, 0.0, alpha),
    )
    strict = (
        _about("a1", "no slope along congruence: a1 ~ 0", surface.a1, bounds.slope, 0.0, alpha),
        _about("a2", "no curvature along congruence: a2 ~ 0", surface.a2, bounds.curvature, 0.0, alpha),
    )
    is_better = bool(model_p_value < alpha)
    has_broad = is_better and all(c.state is ConditionState.HOLDS for c in broad)
    has_strict = has_broad and all(c.state is ConditionState.HOLDS for c in strict)
    return FitChecklist((*broad, *strict), is_better, has_broad, has_strict)


def _falls(a4: Estimate, alpha: float) -> ConditionState:
    """State of the inequality a4 < 0."""
    if not a4.p_value < alpha:
        return ConditionState.OPEN
    return ConditionState.HOLDS if a4.value < 0 else ConditionState.REFUTED


def _about(name: str, rule: str, value: Estimate | None, bound: float, target: float, alpha: float) -> FitCondition:
    """State of "about the target"; open where the parameter does not exist or has no standard error."""
    if value is None or not np.isfinite(value.std_error) or value.std_error == 0:
        return FitCondition(name, rule, ConditionState.OPEN, value)
    test = equivalence_test(value.value, value.std_error, bound, target=target, alpha=alpha, df=value.df)
    return FitCondition(name, rule, OF_EQUIVALENCE[test.state], value)
