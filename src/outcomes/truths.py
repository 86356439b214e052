"""Names of what is true in a simulated cohort; light, so that the command line lists them without the simulator."""

from __future__ import annotations

from enum import StrEnum


class Truth(StrEnum):
    """What guidance does to satisfaction in a simulated cohort."""

    NO_EFFECT = "no_effect"
    MONOTONE = "monotone"
    BEST_LEVEL = "best_level"
    FIT = "fit"
    FIT_PLUS_MAIN = "fit_plus_main"
    RELATIVE = "relative"
    LOG = "log"


class DropoutTruth(StrEnum):
    """What guidance does to the hazard of dropping out in a simulated cohort."""

    NONE = "none"
    MONOTONE = str(Truth.MONOTONE)
    FIT = str(Truth.FIT)
    FIT_PLUS_MAIN = str(Truth.FIT_PLUS_MAIN)
    BEST_LEVEL = str(Truth.BEST_LEVEL)
    RELATIVE = str(Truth.RELATIVE)

    @property
    def verdict(self) -> Truth:
        """The verdict on dropout that is true here."""
        return Truth.NO_EFFECT if self is DropoutTruth.NONE else Truth(str(self))


class WorldName(StrEnum):
    """What goes on in a simulated cohort beside the effect of guidance."""

    PLAIN = "plain"
    RESPONSIVE = "responsive"
    RESPONSIVE_LESS = "responsive_less"
    RESPONSIVE_WITHIN = "responsive_within"
    CARRY_OVER = "carry_over"
    TRENDS = "trends"
    SORTING = "sorting"
    MISREPORTED_PREFERENCE = "misreported_preference"
    COARSE = "coarse"
    DISSATISFIED_MISSING = "dissatisfied_missing"
