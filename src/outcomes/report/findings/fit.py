"""Dropout and satisfaction near to and far from the guidance that clients prefer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from outcomes.answers.balance.tables import Verdict
from outcomes.answers.certainty.tables import FindingName
from outcomes.answers.common.words import Grain, Outcome
from outcomes.answers.contrasts.tables import ContrastBy, ContrastLevel
from outcomes.answers.dropout.tables import TOLD_SESSIONS
from outcomes.answers.recovery.tables import EstimatorName
from outcomes.languages import as_written, later, spoken, translated
from outcomes.report.figures.distance import distance_picture
from outcomes.report.figures.icons import Group, icon_arrays
from outcomes.report.findings.finding import Finding, rating, worth_finding
from outcomes.report.findings.wording import Size, Subject, size
from outcomes.report.page.pieces import Direction, Estimate, Form, Given, Kind, Piece, Ranged, Words, say
from outcomes.report.reading.contrasts_rows import (
    ABOVE,
    BELOW,
    DISTANCES,
    OF_100,
    Contrasts,
    contrasts_dropout,
    contrasts_satisfaction,
)
from outcomes.report.reading.verdicts import judged
from outcomes.report.sections.report_section import Source

RATED = Form(digits=1)
_BOTH = (True, True)
_SUBJECTS = {
    _BOTH: (
        later("Guidance far from the client's wish"),
        later("guidance far from the client's wish"),
    ),
    (True, False): (
        later("Too little guidance for the client's wish"),
        later("too little guidance for the client's wish"),
    ),
    (False, True): (
        later("Too much guidance for the client's wish"),
        later("too much guidance for the client's wish"),
    ),
}
"""By which side costs: as a sentence begins, and inside one."""
_LEVELS = {
    ContrastLevel.FAR_BELOW: (later("Far too little"), later("far too little")),
    ContrastLevel.BELOW: (later("Too little"), later("too little")),
    ContrastLevel.AT: (later("As they want"), later("as they want")),
    ContrastLevel.ABOVE: (later("Too much"), later("too much")),
    ContrastLevel.FAR_ABOVE: (later("Far too much"), later("far too much")),
}
"""As a label, and inside a sentence."""
_ADVICE = {
    _BOTH: later("Ask each client how much guidance they want, and stay near to it."),
    (True, False): later(
        "Ask each client how much guidance they want, and do not give less. Whether more than that goes with {worse} "
        "does not show in these data."
    ),
    (False, True): later(
        "Ask each client how much guidance they want, and do not give more. Whether less than that goes with {worse} "
        "does not show in these data."
    ),
}
"""By which side costs, as the subjects: what does not show is not advised against."""
_THE_WISH_COUNTS = frozenset({Verdict.FIT, Verdict.FIT_PLUS_MAIN})
"""A difference by distance alone is no reason to act: all who are far from their wish may differ in something else."""


@dataclass(frozen=True)
class _Quoted:
    """The wish and the farthest level told on either side of it, and how these two differ from it."""

    levels: dict[ContrastLevel, Estimate]
    differences: tuple[Estimate, Estimate]
    points: dict[ContrastLevel, float]

    def pieces(self) -> dict[str, Piece]:
        """The numbers and their places, for a sentence."""
        (low, below), (_, at), (high, above) = self.levels.items()
        return {
            "at": Ranged(at), "below": Ranged(below), "above": Ranged(above),
            "little": translated(_LEVELS[low][1]), "much": translated(_LEVELS[high][1]),
        }  # fmt: skip

    def off(self) -> tuple[Given, Given]:
        """How far the two levels lie under and over the wish."""
        low, _, high = self.levels
        under, over = (Given(as_written(abs(self.points[level])), Kind.PLACE) for level in (low, high))
        return under, over

    def size(self, worse: Size, worth: float | None = None) -> Size:
        """What the intervals say; where one side surely is worse and the other better, the worse side is told."""
        found = size(self.differences, worth)
        return worse if found is Size.UNCLEAR and self.is_one_way else found

    @property
    def is_one_way(self) -> bool:
        """Whether one side of the wish surely is worse, and the other better: then the wish is not what counts."""
        return {one.direction for one in self.differences} == {Direction.MORE, Direction.LESS}

    def differing(self, found: Size) -> tuple[bool, bool]:
        """Which side differs from the wish as the finding says; both where it says no difference."""
        way = {Size.MORE: Direction.MORE, Size.LESS: Direction.LESS}.get(found)
        less, more = (way in (None, one.direction) for one in self.differences)
        return less, more

    def subject(self, found: Size) -> tuple[str, str]:
        """What the finding is about: both sides, or the one that differs from the wish."""
        begun, inside = _SUBJECTS[self.differing(found)]
        return translated(begun), translated(inside)

    def advice(self, found: Size, worse: str, verdict: Verdict | None) -> str:
        """What one could try, of the sides that cost; nothing where no verdict says that the wish is what counts."""
        if self.is_one_way or verdict not in _THE_WISH_COUNTS:
            return ""
        return spoken(_ADVICE[self.differing(found)], worse=worse)


def dropout_by_distance(source: Source) -> Finding | None:
    """Of a hundred clients, how many leave early near to and far from their wish; None without these numbers."""
    rated = rating(source.con, FindingName.FIT_DROPOUT)
    told = contrasts_dropout(source.con, ContrastBy.DISTANCE, source.teller)
    session = next((t for t in TOLD_SESSIONS if t in told.sessions), None)
    quoted = _quoted(told, session)
    if rated is None or quoted is None:
        return None
    found = quoted.size(Size.MORE, worth_finding(source.con, EstimatorName.DROPOUT_RISK))
    about = Subject(*quoted.subject(found), spoken("dropout"), spoken("more dropout"), spoken("less dropout"))
    pieces = quoted.pieces() | {"all": Given("100")}
    sentence = say(
        "Of {all} clients who get the guidance they want, {at} leave by session {t}. With {little}, {below} do; with "
        "{much}, {above}.", t=Given(str(session)), **pieces,
    )  # fmt: skip
    sentence = Words((*sentence.pieces, " ", *_place(quoted, source).pieces))
    easy = say(
        "Think of {all} people who get as much guidance as they want. {at} of them stop too soon. With {little} "
        "guidance, {below} stop too soon. With {much}, {above} do.",
        **{name: pieces[name] for name in ("all", "at", "little", "below", "much", "above")},
    )
    groups = [Group(*map(translated, _LEVELS[level]), risk) for level, risk in quoted.levels.items()]
    draw = partial(icon_arrays, groups, str(session))
    advice = quoted.advice(found, about.more, _verdict(source, Outcome.DROPOUT)) if found is Size.MORE else ""
    return Finding(FindingName.FIT_DROPOUT, rated, found, about, sentence, easy, "contrasts", advice, draw)


def satisfaction_by_distance(source: Source) -> Finding | None:
    """How satisfied clients are near to and far from their wish; None without these numbers."""
    rated = rating(source.con, FindingName.FIT_SATISFACTION)
    told = contrasts_satisfaction(source.con, ContrastBy.DISTANCE, source.teller)
    quoted = _quoted(told, None, RATED)
    if rated is None or quoted is None:
        return None
    found = quoted.size(Size.LESS)
    about = Subject(
        *quoted.subject(found), spoken("satisfaction"), spoken("more satisfied clients"),
        spoken("less satisfied clients"),
    )  # fmt: skip
    scale = source.settings.scales["satisfaction"]
    pieces = quoted.pieces() | {"low": Given(as_written(scale.minimum)), "high": Given(as_written(scale.maximum))}
    sentence = say(
        "On the scale from {low} to {high}, clients give {at} to the guidance they want, {below} to {little} and "
        "{above} to {much}.", **pieces,
    )  # fmt: skip
    easy = say(
        "People rate each session from {low} to {high}. When the guidance is as they want it, they give {at}. When it "
        "is {little}, they give {below}. When it is {much}, they give {above}.", **pieces,
    )  # fmt: skip
    means = {level: told.of(level, None) for level in DISTANCES}
    drawn = {level: replace(one, form=RATED) for level, one in means.items() if isinstance(one, Estimate)}
    points = [(told.points[level], translated(_LEVELS[level][1]), one) for level, one in drawn.items()]
    unit = translated(source.settings.unit("directiveness"))
    draw = partial(distance_picture, points, scale, unit)
    advice = quoted.advice(found, about.less, _verdict(source, Outcome.SATISFACTION)) if found is Size.LESS else ""
    return Finding(FindingName.FIT_SATISFACTION, rated, found, about, sentence, easy, "contrasts", advice, draw)


def _verdict(source: Source, outcome: Outcome) -> Verdict | None:
    """What counts for an outcome in sessions, as readers are told it; None where that was not asked."""
    at = (outcome, Grain.SESSION)
    return next((one.verdict for one in judged(source.con) if (one.outcome, one.level) == at), None)


def _place(quoted: _Quoted, source: Source) -> Words:
    """Where the two levels are that a sentence names."""
    unit = translated(source.settings.unit("directiveness"))
    under, over = quoted.off()
    if under == over:
        return say("That is {off} {unit} off the wish.", off=under, unit=unit)
    return say("That is {under} {unit} under and {over} {unit} over the wish.", under=under, over=over, unit=unit)


def _quoted(told: Contrasts, session: int | None, form: Form = OF_100) -> _Quoted | None:
    """The wish, and on either side of it the farthest level with numbers; None where one of the three has none."""
    at = told.of(ContrastLevel.AT, session)
    sides = [
        next(
            (
                (level, one, apart)
                for level in levels
                if isinstance(one := told.of(level, session), Estimate)
                and isinstance(apart := told.difference(level, session), Estimate)
            ),
            None,
        )
        for levels in (BELOW, tuple(reversed(ABOVE)))
    ]
    if not isinstance(at, Estimate) or None in sides:
        return None
    (low, below, less), (high, above, more) = sides
    levels = {low: below, ContrastLevel.AT: at, high: above}
    printed = {level: replace(one, form=form) for level, one in levels.items()}
    return _Quoted(printed, (less, more), dict(told.points))
