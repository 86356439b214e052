"""Hazards of dropping out in which one verdict is true. Satisfaction keeps its own truth."""

from __future__ import annotations

from dataclasses import replace

from outcomes.simulate.world.parameters import CohortParameters, Slopes
from outcomes.simulate.world.truths import NO_SLOPES
from outcomes.truths import DropoutTruth

# Logits: per point of guidance, per point of distance from the preference, per squared point of distance from a level.
_SLOPE, _MISFIT, _COST = -0.30, 0.38, 0.10
_MAIN = Slopes(within=_SLOPE, client=_SLOPE, therapist=_SLOPE)
_HAZARDS: dict[DropoutTruth, dict[str, object]] = {
    DropoutTruth.NONE: {},
    DropoutTruth.MONOTONE: {"slopes": _MAIN},
    DropoutTruth.FIT: {"misfit": _MISFIT},
    DropoutTruth.FIT_PLUS_MAIN: {"misfit": _MISFIT, "slopes": _MAIN},
    DropoutTruth.BEST_LEVEL: {"level_cost": _COST},
    DropoutTruth.RELATIVE: {"unusual_cost": _COST},
}


def with_dropout_truth(truth: DropoutTruth, base: CohortParameters) -> CohortParameters:
    """Return the parameters with this truth, and nothing else, about guidance and dropout.

    Guidance then does not act on alliance any more, which would be a way to dropout of its own. The best level is the
    mean of guidance.

    Parameters
    ----------
    truth : DropoutTruth
    base : CohortParameters
        With its truth about satisfaction, if any, already in.
    """
    bare = {"slopes": NO_SLOPES, "misfit": 0.0, "level_cost": 0.0, "unusual_cost": 0.0}
    return replace(
        base,
        experience=replace(base.experience, alliance_within=0.0),
        endings=replace(base.endings, best_level=base.directiveness.mean, **bare | _HAZARDS[truth]),
    )
