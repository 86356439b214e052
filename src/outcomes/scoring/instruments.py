"""Instruments of the field as data: ids, items, ranges and scoring rules. Never item wording: most are copyrighted."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from outcomes.errors import UsageError, no_such


class Combine(StrEnum):
    """How items become a score."""

    SUM = "sum"
    MEAN = "mean"


@dataclass(frozen=True)
class ScaleRule:
    """One score of an instrument.

    Attributes
    ----------
    name : str
    items : tuple of int
        1-based item numbers.
    combine : Combine
    reversed_items : tuple of int
        Items scored as minimum + maximum - answer.
    multiplier : float
        Applied last.
    max_missing : int
        Items that may be missing; the score is then pro-rated (mean of the answered items in place of the missing).
    cutoffs : tuple of (str, float)
        Meaning and score; in the direction that the meaning says.
    reliable_change : float or None
        Smallest reliable change, score units.
    """

    name: str
    items: tuple[int, ...]
    combine: Combine
    reversed_items: tuple[int, ...] = ()
    multiplier: float = 1.0
    max_missing: int = 0
    cutoffs: tuple[tuple[str, float], ...] = ()
    reliable_change: float | None = None


@dataclass(frozen=True)
class Instrument:
    """A questionnaire.

    Attributes
    ----------
    instrument_id, title : str
    n_items : int
    item_min, item_max : int
        Lowest and highest answer.
    scales : tuple of ScaleRule
        Empty where the key is not known to this package: such an instrument is not scored.
    is_higher_better : bool or None
        None where neither end is better.
    licence : str
    """

    instrument_id: str
    title: str
    n_items: int
    item_min: int
    item_max: int
    scales: tuple[ScaleRule, ...]
    is_higher_better: bool | None
    licence: str

    def scale(self, name: str | None = None) -> ScaleRule:
        """Find a scale by name; the only one where no name is given."""
        if not self.scales:
            raise UsageError(
                f"The scoring key of {self.instrument_id} is not part of this package.",
                hint="land the scored scale instead of its items",
            )
        if name is None and len(self.scales) == 1:
            return self.scales[0]
        for scale in self.scales:
            if scale.name == name:
                return scale
        names = ", ".join(scale.name for scale in self.scales)
        raise UsageError(f"{self.instrument_id} has no scale {name!r}.", hint=f"one of: {names}")


def _all(n: int) -> tuple[int, ...]:
    return tuple(range(1, n + 1))


_CSQ_TOTAL = ScaleRule("satisfaction", _all(8), Combine.SUM)

INSTRUMENTS: tuple[Instrument, ...] = (
    Instrument(
        "C-NIP",
        "Cooper-Norcross Inventory of Preferences",
        18,
        -3,
        3,
        (
            ScaleRule(
                "therapist_directiveness",
                _all(5),
                Combine.SUM,
                cutoffs=(("strong preference for therapist direction from", 8), ("for client direction down to", -3)),
            ),
        ),
        None,
        "free",
    ),
    Instrument(
        "HCCQ",
        "Health Care Climate Questionnaire",
        15,
        1,
        7,
        (
            ScaleRule("autonomy_support", _all(15), Combine.MEAN, reversed_items=(13,)),
            ScaleRule("autonomy_support_short", (1, 2, 4, 7, 10, 14), Combine.MEAN),
        ),
        True,
        "free for academic use",
    ),
    Instrument(
        "WAI-SR",
        "Working Alliance Inventory, short revised",
        12,
        1,
        5,
        (
            ScaleRule("task", (1, 2, 10, 12), Combine.MEAN),
            ScaleRule("goal", (4, 6, 8, 11), Combine.MEAN),
            ScaleRule("bond", (3, 5, 7, 9), Combine.MEAN),
            ScaleRule("alliance", _all(12), Combine.MEAN),
        ),
        True,
        "by permission",
    ),
    Instrument(
        "SRS",
        "Session Rating Scale",
        4,
        0,
        10,
        (ScaleRule("alliance", _all(4), Combine.SUM, cutoffs=(("talk about the session down from", 36),)),),
        True,
        "licence needed",
    ),
    Instrument(
        "ORS",
        "Outcome Rating Scale",
        4,
        0,
        10,
        (ScaleRule("wellbeing", _all(4), Combine.SUM),),
        True,
        "licence needed",
    ),
    Instrument(
        "CSQ-8", "Client Satisfaction Questionnaire", 8, 1, 4, (_CSQ_TOTAL,), True, "fee; items coded higher = better"
    ),
    Instrument(
        "CSQ-8-printed",
        "Client Satisfaction Questionnaire, coded by printed position",
        8,
        1,
        4,
        (ScaleRule("satisfaction", _all(8), Combine.SUM, reversed_items=(2, 4, 5, 8)),),
        True,
        "fee",
    ),
    Instrument(
        "CORE-10",
        "Clinical Outcomes in Routine Evaluation, 10 items",
        10,
        0,
        4,
        (
            ScaleRule(
                "distress",
                _all(10),
                Combine.MEAN,
                reversed_items=(2, 3),
                multiplier=10,
                max_missing=1,
                cutoffs=(("clinical from", 11),),
                reliable_change=6,
            ),
        ),
        False,
        "free, unmodified",
    ),
    Instrument(
        "PHQ-9",
        "Patient Health Questionnaire, depression",
        9,
        0,
        3,
        (ScaleRule("depression", _all(9), Combine.SUM, cutoffs=(("clinical from", 10),), reliable_change=6),),
        False,
        "public",
    ),
    Instrument(
        "GAD-7",
        "Generalised Anxiety Disorder scale",
        7,
        0,
        3,
        (ScaleRule("anxiety", _all(7), Combine.SUM, cutoffs=(("clinical from", 8),), reliable_change=4),),
        False,
        "public",
    ),
    Instrument(
        "OQ-45",
        "Outcome Questionnaire 45.2",
        45,
        0,
        4,
        (
            ScaleRule(
                "distress",
                _all(45),
                Combine.SUM,
                reversed_items=(1, 12, 13, 20, 21, 24, 31, 37, 43),
                cutoffs=(("clinical from", 63),),
                reliable_change=14,
            ),
        ),
        False,
        "licence needed",
    ),
    Instrument("MULTI-30", "Multitheoretical List of Therapeutic Interventions", 30, 1, 5, (), None, "PMC6258358"),
)
"""The catalogue."""


def instrument(instrument_id: str) -> Instrument:
    """Find an instrument by its id.

    Raises
    ------
    UsageError
        If the id is not in the catalogue.
    """
    for entry in INSTRUMENTS:
        if entry.instrument_id == instrument_id:
            return entry
    raise no_such("instrument", instrument_id, (entry.instrument_id for entry in INSTRUMENTS))
