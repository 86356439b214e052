"""The words of a finding, bound to how sure it is and to what its interval says: nobody chooses them case by case.

The ladder is GRADE's (Santesso et al. 2020, doi:10.1016/j.jclinepi.2019.10.014), said of links and not of effects:
nobody was assigned to more or less guidance.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from outcomes.answers.common.words import Certainty
from outcomes.languages import later, spoken
from outcomes.report.page.pieces import Direction, Estimate


class Size(StrEnum):
    """What intervals say of a difference."""

    MORE = "more"
    LESS = "less"
    LITTLE = "little"  # every difference that matters is ruled out
    UNCLEAR = "unclear"


_LINKS = {
    Certainty.HIGH: later("{subject} goes with {change}"),
    Certainty.MODERATE: later("{subject} probably goes with {change}"),
    Certainty.LOW: later("{subject} may go with {change}"),
}
_LITTLE = {
    Certainty.HIGH: later("{subject} makes little or no difference to {outcome}"),
    Certainty.MODERATE: later("{subject} probably makes little or no difference to {outcome}"),
    Certainty.LOW: later("{subject} may make little or no difference to {outcome}"),
}
_CANNOT = later("We cannot tell whether {subject} and {outcome} go together")

EASY = {
    Certainty.HIGH: later("We are quite sure."),
    Certainty.MODERATE: later("This is likely true."),
    Certainty.LOW: later("This may be true. We are not sure."),
    Certainty.VERY_LOW: later("We do not know yet."),
}
"""How sure, in easy words."""

SURE = {
    Certainty.HIGH: later("Certainty: high."),
    Certainty.MODERATE: later("Certainty: moderate."),
    Certainty.LOW: later("Certainty: low."),
    Certainty.VERY_LOW: later("Certainty: very low."),
}
"""The same in one word of four."""


@dataclass(frozen=True)
class Subject:
    """What a finding is about, as its sentences name it, in the language that is spoken.

    Attributes
    ----------
    subject : str
        What is more or less of, as a sentence begins: "Guidance far from the client's wish".
    inside : str
        The same inside a sentence.
    outcome, more, less : str
        What it may act on, more of it, and less: "dropout", "more dropout", "less dropout".
    """

    subject: str
    inside: str
    outcome: str
    more: str
    less: str


def size(differences: Iterable[Estimate], worth: float | None = None) -> Size:
    """Read what intervals say of a difference: one that excludes zero is enough, unless another points the other way.

    Parameters
    ----------
    differences : iterable of Estimate
        As stored.
    worth : float, optional
        From where a difference matters; smaller ones count as little where all intervals lie within.
    """
    found = list(differences)
    if worth is not None and found and all(-worth < one.low and one.high < worth for one in found):
        return Size.LITTLE
    sides = {one.direction for one in found} - {Direction.UNCLEAR}
    if sides == {Direction.MORE}:
        return Size.MORE
    return Size.LESS if sides == {Direction.LESS} else Size.UNCLEAR


def headline(sure: Certainty, found: Size, about: Subject) -> str:
    """Say a finding in one line.

    Examples
    --------
    >>> about = Subject("Misfit", "misfit", "dropout", "more dropout", "less dropout")
    >>> headline(Certainty.MODERATE, Size.MORE, about)
    'Misfit probably goes with more dropout'
    """
    if not sure.is_enough or found is Size.UNCLEAR:
        return spoken(_CANNOT, subject=about.inside, outcome=about.outcome)
    if found is Size.LITTLE:
        return spoken(_LITTLE[sure], subject=about.subject, outcome=about.outcome)
    return spoken(_LINKS[sure], subject=about.subject, change=about.more if found is Size.MORE else about.less)
