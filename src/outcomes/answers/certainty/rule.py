"""The rule that makes a certainty: how much each state of each ground takes away from full certainty.

As in GRADE, a finding starts from high and loses for what is open; nothing is gained back. What is taken away is data,
printed in the annex. The certainty is of the association: no rule makes a cause of it.

References
----------
Guyatt, G. H., et al. (2011). GRADE guidelines: 1. *Journal of Clinical Epidemiology, 64*, 383-394.
    doi:10.1016/j.jclinepi.2010.04.026.
Santesso, N., et al. (2020). GRADE guidelines 26. *Journal of Clinical Epidemiology, 119*, 126-135.
    doi:10.1016/j.jclinepi.2019.10.014.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from outcomes.answers.common.words import Certainty


class Ground(StrEnum):
    """On what a certainty rests; a column of `certainties` each."""

    INTERVAL = "interval"
    RECOVERY = "recovery"
    MISSING = "missing"
    ANALYSES = "analyses"
    RESPONSIVENESS = "responsiveness"
    SEALING = "sealing"


class IntervalState(StrEnum):
    """What the interval, or the verdict, decides."""

    DECIDED = "decided"
    OPEN = "open"
    NONE = "no number"


class RecoveryState(StrEnum):
    """Whether simulated studies of this size could answer."""

    YES = "can answer"
    LARGE = "can answer only large effects"
    FEW = "finds few of the usual effects"  # its intervals hold the truth: what it does find is there
    NO = "cannot answer"  # its intervals miss the truth too often, or it is refused
    NOT_TRIED = "not tried"


class Agreement(StrEnum):
    """Whether another way of looking says the same."""

    SAME = "the same"
    ANOTHER = "another"
    NOT_TRIED = "not tried"
    NOT_NEEDED = "does not apply"


class SealingState(StrEnum):
    """Whether the analysis was fixed before outcomes were seen."""

    SEALED = "fixed beforehand"
    EXPLORATORY = "not fixed beforehand"


_AGREED = {Agreement.SAME: 0, Agreement.NOT_NEEDED: 0, Agreement.NOT_TRIED: 1, Agreement.ANOTHER: 2}

TAKEN_AWAY: Mapping[Ground, Mapping[StrEnum, int]] = {
    Ground.INTERVAL: {IntervalState.DECIDED: 0, IntervalState.OPEN: 6, IntervalState.NONE: 6},
    Ground.RECOVERY: {
        RecoveryState.YES: 0, RecoveryState.LARGE: 1, RecoveryState.NOT_TRIED: 1, RecoveryState.FEW: 1,
        RecoveryState.NO: 3,
    },
    Ground.MISSING: _AGREED,
    Ground.ANALYSES: _AGREED,
    Ground.RESPONSIVENESS: {**_AGREED, Agreement.ANOTHER: 6},
    Ground.SEALING: {SealingState.SEALED: 0, SealingState.EXPLORATORY: 1},
}  # fmt: skip
"""Points that a state takes away; a state that is not listed for a ground cannot occur.

Imprecision counts once, as in GRADE: where data are too few for the usual effects, a wide interval says so (`OPEN`, 6),
and an estimate that stands out all the same is probably too large, but there. Intervals that miss the truth count in
full, for then an interval that stands out says nothing. A link that is not there once therapists' responses are allowed
for is explained, and not only in doubt: it counts as an interval that decides nothing.
"""

MOST_TAKEN: Mapping[Certainty, int] = {Certainty.HIGH: 0, Certainty.MODERATE: 2, Certainty.LOW: 5}
"""Most points that may be taken away for a certainty to stand; with more it is very low."""

Grounds = Mapping[Ground, StrEnum]


def taken_away(grounds: Grounds) -> int:
    """Points that the states of all grounds take away together.

    Raises
    ------
    KeyError
        If a ground is missing, or has a state that is not listed for it.
    """
    return sum(points[grounds[ground]] for ground, points in TAKEN_AWAY.items())


def certainty(grounds: Grounds) -> Certainty:
    """Make the certainty of a finding.

    Parameters
    ----------
    grounds : mapping of Ground to its state
        All grounds.

    Raises
    ------
    KeyError
        If a ground is missing, or has a state that is not listed for it.
    """
    points = taken_away(grounds)
    return next((word for word, most in MOST_TAKEN.items() if points <= most), Certainty.VERY_LOW)
