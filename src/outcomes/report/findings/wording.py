"""The words of a finding, bound to how sure it is and to what its interval says: nobody chooses them case by case.

The ladder is GRADE's (Santesso et al. 2020, doi:10.1016/j.jclinepi.2019.10.014), said of links and not of effects:
nobody was assigned to more or less guidance.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from outcomes.answers.common.words import Certainty
from outcomes.report.page.pieces import Direction, Estimate


class Size(StrEnum):
    """What intervals say of a difference."""

    MORE = "more"
    LESS = "less"
    LITTLE = "little"  # every difference that matters is ruled out
    UNCLEAR = "unclear"


_LINKS = {
    Certainty.HIGH: "goes with",
    Certainty.MODERATE: "probably goes with",
    Certainty.LOW: "may go with",
}
_LITTLE = {
    Certainty.HIGH: "makes little or no difference to",
    Certainty.MODERATE: "probably makes little or no difference to",
    Certainty.LOW: "may make little or no difference to",
}
_CANNOT = "We cannot tell whether {subject} and {outcome} go together"

EASY = {
    Certainty.HIGH: "We are quite sure.",
    Certainty.MODERATE: "This is likely true.",
    Certainty.LOW: "This may be true. We are not sure.",
    Certainty.VERY_LOW: "We do not know yet.",
}
"""How sure, in easy words."""


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


def headline(sure: Certainty, found: Size, subject: str, outcome: str, more: str, less: str) -> str:
    """Say a finding in one line.

    Parameters
    ----------
    sure : Certainty
    found : Size
    subject : str
        What is more or less of, as a sentence begins: "Guidance far from the client's wish".
    outcome, more, less : str
        What it may act on, more of it, and less: "dropout", "more dropout", "less dropout".

    Examples
    --------
    >>> headline(Certainty.MODERATE, Size.MORE, "Misfit", "dropout", "more dropout", "less dropout")
    'Misfit probably goes with more dropout'
    """
    if sure is Certainty.VERY_LOW or found is Size.UNCLEAR:
        return _CANNOT.format(subject=subject[:1].lower() + subject[1:], outcome=outcome)
    if found is Size.LITTLE:
        return f"{subject} {_LITTLE[sure]} {outcome}"
    return f"{subject} {_LINKS[sure]} {more if found is Size.MORE else less}"
