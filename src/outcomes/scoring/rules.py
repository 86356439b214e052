"""What a questionnaire is: its items, and the rules by which they become scores."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from outcomes.errors import UsageError


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
    clinical : float or None
        The published cutoff between clinical and other populations; a score at it is clinical. None where none is
        known for sure.
    reliable_change : float or None
        Smallest reliable change as published, score units; None where none is known for sure.
    sd_before, reliability : float or None
        SD at intake, score units, and reliability, in [0, 1), of Jacobson and Truax's index; None where no published
        value is known for sure: a study may declare its own.
    """

    name: str
    items: tuple[int, ...]
    combine: Combine
    reversed_items: tuple[int, ...] = ()
    multiplier: float = 1.0
    max_missing: int = 0
    cutoffs: tuple[tuple[str, float], ...] = ()
    clinical: float | None = None
    reliable_change: float | None = None
    sd_before: float | None = None
    reliability: float | None = None


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
    source : str
        The publication of the key.
    version : str
        Of these rules; it changes when a rule does, and stands beside every score.
    has_whole_answers : bool
        False where a mark on a line is measured.
    """

    instrument_id: str
    title: str
    n_items: int
    item_min: int
    item_max: int
    scales: tuple[ScaleRule, ...]
    is_higher_better: bool | None
    licence: str
    source: str
    version: str = "1"
    has_whole_answers: bool = True

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

    def range_of(self, rule: ScaleRule) -> tuple[float, float]:
        """Return the lowest and the highest score that a scale can have."""
        times = (len(rule.items) if rule.combine is Combine.SUM else 1) * rule.multiplier
        return self.item_min * times, self.item_max * times
