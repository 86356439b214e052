"""A finding: what is said, how sure it is, what it rests on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import duckdb

from outcomes.answers.certainty.rule import Ground
from outcomes.answers.certainty.tables import CERTAINTIES, FindingName
from outcomes.answers.common.words import Certainty
from outcomes.answers.recovery.tables import CARDS, EstimatorName
from outcomes.languages import spoken, translated
from outcomes.report.findings.wording import Size, Subject, headline
from outcomes.report.page.blocks import Picture
from outcomes.report.page.pieces import PLAIN, Estimate, Form, Ranged, Words
from outcomes.report.reading.rows import answer_rows
from outcomes.report.sections.report_section import Source
from outcomes.study.tables.scales import DEFAULT_UNIT


@dataclass(frozen=True)
class Rating:
    """A row of `certainties`: how sure a finding is, and the state of each ground."""

    certainty: Certainty
    grounds: dict[Ground, str]


@dataclass(frozen=True)
class Finding:
    """One finding of a release.

    Attributes
    ----------
    name : FindingName
    rating : Rating
    size : Size
        What its intervals say.
    about : Subject
    sentence : Words
        With its numbers, each with its range.
    easy : Words
        The same in easy words.
    evidence : str
        Section of the annex that it rests on.
    advice : str
        What one could try where it is sure enough and points that way; empty for nothing.
    draw : callable or None
        Makes its picture.
    """

    name: FindingName
    rating: Rating
    size: Size
    about: Subject
    sentence: Words
    easy: Words
    evidence: str
    advice: str = ""
    draw: Callable[[], Picture] | None = field(default=None, repr=False)

    @cached_property
    def picture(self) -> Picture | None:
        """Its picture, drawn once for all documents."""
        return self.draw() if self.draw else None

    @property
    def certainty(self) -> Certainty:
        """How sure it is."""
        return self.rating.certainty

    @property
    def is_told(self) -> bool:
        """Whether it says something: a link, or that there is none that matters."""
        return self.certainty.is_enough and self.size is not Size.UNCLEAR

    @property
    def heading(self) -> str:
        """The finding in one line, without numbers."""
        return headline(self.certainty, self.size, self.about)


def rating(con: duckdb.DuckDBPyConnection, name: FindingName) -> Rating | None:
    """How sure a finding is; None where that was not rated."""
    rows = answer_rows(con, CERTAINTIES, finding=name)
    if not rows:
        return None
    return Rating(Certainty(rows[0]["certainty"]), {ground: rows[0][ground] for ground in Ground})


def by_how_much(one: Estimate, up: str, down: str) -> tuple[Ranged, str]:
    """A difference without its sign, and the word for where it points."""
    return (Ranged(one), up) if one.value >= 0 else (Ranged(flipped(one)), down)


def units(source: Source) -> tuple[str, str]:
    """The units of guidance and of satisfaction, as a sentence says them: "points"."""
    guidance, rating = (translated(source.settings.unit(name)) for name in ("directiveness", "satisfaction"))
    return guidance, rating


def one_more(source: Source) -> str:
    """One unit of guidance more, inside a sentence."""
    unit = source.settings.unit("directiveness")
    return spoken("one point") if unit == DEFAULT_UNIT else spoken("one step ({unit})", unit=translated(unit))


def flipped(one: Estimate, form: Form = PLAIN) -> Estimate:
    """The same difference told the other way round."""
    return Estimate(-one.value, -one.high, -one.low, one.state, form)


def worth_finding(con: duckdb.DuckDBPyConnection, estimator: EstimatorName) -> float | None:
    """From where an effect matters; None where it was not tried on simulated studies."""
    cards = answer_rows(con, CARDS, estimator=estimator)
    return cards[0]["effect_worth_finding"] if cards else None
