"""The response surface of guidance against preference, with too little and too much apart.

    f(d, p) = a1 e- + a2 e-^2 + b1 e+ + b2 e+^2 + c e (p - mid) + g1 (p - mid) + g2 (p - mid)^2,    e = d - p,

with e- = max(-e, 0) points too little and e+ = max(e, 0) points too much. With a1 = -b1 and a2 = b2 it is the quadratic
response surface (Edwards & Parry 1993, doi 10.2307/256822); a fall with |e| and a fall with e^2 are both in it. Where
nobody asked for preferences, f(d) is a parabola.

Satisfaction has c for too little and too much apart (`RATED`): ratings end at the top of their scale, which flattens
each side where clients are content anyway, and that depends on what they prefer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from outcomes.answers.contrasts.tables import ContrastBy, ContrastLevel
from outcomes.models.refusals import MINIMUM_CLIENTS
from outcomes.study.settings import StudySettings

STEP = 0.2
"""Step between levels, as a share of the scale: 2 points of 0 to 10."""
NEAR = STEP / 2
"""Sessions within half a step are near a level."""
MOST_CUT = 0.5
"""Largest share of clients for whom the scale may end before a level: beyond, the level is another one for most."""

WITH_PREFERENCE = (
    "too_little",
    "too_little_2",
    "too_much",
    "too_much_2",
    "distance_by_preference",
    "preferred",
    "preferred_2",
)
RATED = (
    "too_little",
    "too_little_2",
    "too_much",
    "too_much_2",
    "too_little_by_preference",
    "too_much_by_preference",
    "preferred",
    "preferred_2",
)
"""Those of satisfaction; of them those of `WITH_PREFERENCE` are linear combinations."""
WITHOUT_PREFERENCE = ("guidance", "guidance_2")
_STEPS: dict[ContrastBy, dict[ContrastLevel, int]] = {
    ContrastBy.DISTANCE: {
        ContrastLevel.AT: 0,
        ContrastLevel.FAR_BELOW: -2,
        ContrastLevel.BELOW: -1,
        ContrastLevel.ABOVE: 1,
        ContrastLevel.FAR_ABOVE: 2,
    },
    ContrastBy.AMOUNT: {ContrastLevel.MEDIUM: 0, ContrastLevel.LOW: -1, ContrastLevel.HIGH: 1},
}
"""Levels in steps from the reference, which stands first."""


@dataclass(frozen=True)
class Scale:
    """Ends of the scale of guidance, and of preferences, in points."""

    low: float
    high: float

    @property
    def middle(self) -> float:
        """Where both are centred."""
        return (self.low + self.high) / 2

    @property
    def width(self) -> float:
        """From end to end."""
        return self.high - self.low

    def columns(
        self, d: np.ndarray, p: np.ndarray | None, terms: tuple[str, ...] = WITH_PREFERENCE
    ) -> dict[str, np.ndarray]:
        """The surface's columns by name, each of d's shape; of d alone where there is no preference."""
        if p is None:
            centred = d - self.middle
            return dict(zip(WITHOUT_PREFERENCE, (centred, centred**2), strict=True))
        distance, preferred = d - p, p - self.middle
        little, much = np.maximum(-distance, 0.0), np.maximum(distance, 0.0)
        found = {
            "too_little": little,
            "too_little_2": little**2,
            "too_much": much,
            "too_much_2": much**2,
            "distance_by_preference": distance * preferred,
            "too_little_by_preference": little * preferred,
            "too_much_by_preference": much * preferred,
            "preferred": preferred,
            "preferred_2": preferred**2,
        }
        return {name: found[name] for name in terms}


def scale_of(settings: StudySettings) -> Scale:
    """The study's scale of guidance."""
    declared = settings.scales["directiveness"]
    return Scale(declared.minimum, declared.maximum)


@dataclass(frozen=True)
class Level:
    """One level of guidance that a contrast sets.

    Attributes
    ----------
    by : ContrastBy
    name : ContrastLevel
    points : float
        Above the preference, or of guidance itself.
    """

    by: ContrastBy
    name: ContrastLevel
    points: float

    def guidance(self, p: np.ndarray | None, shape: tuple[int, ...], scale: Scale) -> np.ndarray:
        """Guidance where it is set so, kept on the scale."""
        wanted = p + self.points if self.by is ContrastBy.DISTANCE else np.full(shape, self.points)
        return np.clip(wanted, scale.low, scale.high)

    def cut(self, p: np.ndarray | None, scale: Scale) -> float:
        """Share of the clients for whom the scale ends before."""
        if self.by is ContrastBy.AMOUNT:
            return 0.0
        wanted = p + self.points
        return float(np.mean((wanted < scale.low) | (wanted > scale.high)))

    @property
    def words(self) -> Mapping[str, object]:
        """The first columns of a row."""
        return {"contrast": self.by, "level": self.name, "points": self.points}


def levels_of(by: ContrastBy, scale: Scale) -> tuple[Level, ...]:
    """Levels of one contrast, the reference first."""
    start = scale.middle if by is ContrastBy.AMOUNT else 0.0
    return tuple(Level(by, name, start + STEP * k * scale.width) for name, k in _STEPS[by].items())


def has_preference(rows: pl.DataFrame) -> bool:
    """Whether any client of these rows has told a preference."""
    return rows["p"].null_count() < rows.height


def why_not(level: Level, rows: pl.DataFrame, scale: Scale, minimum_therapists: int) -> str:
    """Why nothing is told at a level; empty where it is.

    A model says something everywhere; a level is told only where enough clients and therapists had sessions near it,
    and where most clients can have it.

    Parameters
    ----------
    level : Level
    rows : pl.DataFrame
        Complete sessions with d, p (where known), client_id, therapist_id.
    scale : Scale
    minimum_therapists : int
    """
    told = "p" in rows.columns and has_preference(rows)
    if level.by is ContrastBy.DISTANCE and not told:
        return "Clients' preferences are not known, so a distance from them cannot be told."
    place = pl.col("d") - pl.col("p") if level.by is ContrastBy.DISTANCE else pl.col("d")
    near = rows.filter((place - level.points).abs() <= NEAR * scale.width)
    if near["client_id"].n_unique() < MINIMUM_CLIENTS or near["therapist_id"].n_unique() < minimum_therapists:
        return "Too few clients had guidance near this level: a number would rest on the model alone."
    if level.by is ContrastBy.DISTANCE:
        preferred = rows.unique("client_id", keep="first", maintain_order=True)["p"].to_numpy()
        if level.cut(preferred, scale) > MOST_CUT:
            return "For most clients the scale ends before this distance."
    return ""
