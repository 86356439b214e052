"""Cohorts in which one verdict on satisfaction is true; `dropout_truth` says what is true of dropout in them.

Each is the calibrated cohort with its own effects of guidance taken out and one strong effect put in. What does not
concern guidance (severity, therapists, missing ratings, the data cut ...) stays as it is, the ceiling of the scale too.
"""

from __future__ import annotations

from dataclasses import replace

from outcomes.simulate.world.parameters import CohortParameters, Slopes
from outcomes.truths import Truth

NO_SLOPES = Slopes(within=0.0, client=0.0, therapist=0.0)


def _slopes(slope: float) -> Slopes:
    """The same slope in all parts: it does not matter where guidance comes from."""
    return Slopes(within=slope, client=slope, therapist=slope)


_EFFECTS: dict[Truth, dict[str, object]] = {
    Truth.NO_EFFECT: {},
    Truth.MONOTONE: {"slopes": _slopes(0.4)},
    Truth.BEST_LEVEL: {"level_cost": 0.15},
    Truth.FIT: {"misfit_cost": 0.15},
    Truth.FIT_PLUS_MAIN: {"misfit_cost": 0.15, "slopes": _slopes(0.3)},
    Truth.RELATIVE: {"unusual_cost": 0.2},
    Truth.LOG: {"log_gain": 1.5},
}
_MISFIT_WORLDS = tuple(truth for truth, effects in _EFFECTS.items() if "misfit_cost" in effects)
_LOG_MEAN = 3.0  # points of guidance: over the steep part of the logarithm, where a parabola sees a false balance


def with_truth(truth: Truth, base: CohortParameters) -> CohortParameters:
    """Return the parameters with this truth, and nothing else, about guidance and satisfaction.

    Directiveness then acts on dropout by misfit alone, and only where misfit is part of the truth.

    Parameters
    ----------
    truth : Truth
    base : CohortParameters
        Gives sizes and all that does not concern guidance.
    """
    bare = {"slopes": NO_SLOPES, "misfit_cost": 0.0, "reactance": 0.0, "overwhelmed": 0.0, "client_slope_sd": 0.0}
    has_misfit = truth in _MISFIT_WORLDS
    adapted = replace(
        base,
        satisfaction=replace(base.satisfaction, **bare | _EFFECTS[truth]),
        experience=replace(base.experience, alliance_within=0.0),
        endings=replace(base.endings, slopes=NO_SLOPES, misfit=base.endings.misfit if has_misfit else 0.0),
    )
    if truth is not Truth.LOG:
        return adapted
    return replace(adapted, directiveness=replace(base.directiveness, mean=_LOG_MEAN, preferred_mean=_LOG_MEAN))


def dropout_truth(truth: Truth) -> Truth:
    """The verdict that is true of dropout in the world of this truth: fit where misfit matters, else no effect."""
    return Truth.FIT if truth in _MISFIT_WORLDS else Truth.NO_EFFECT
