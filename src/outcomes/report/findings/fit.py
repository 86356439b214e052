"""Dropout and satisfaction near to and far from the guidance that clients prefer."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from outcomes.answers.certainty.tables import FindingName
from outcomes.answers.contrasts.tables import DROPOUT, SATISFACTION, ContrastBy, ContrastLevel, ContrastQuantity
from outcomes.answers.dropout.tables import told_session
from outcomes.answers.recovery.tables import CARDS, EstimatorName
from outcomes.release.codebook.vocabulary import TableText
from outcomes.report.figures.distance import distance_picture
from outcomes.report.figures.icons import Group, icon_arrays
from outcomes.report.findings.finding import HUNDRED, Finding, Subject, rating
from outcomes.report.findings.wording import Size, size
from outcomes.report.page.pieces import Estimate, Form, Given, Kind, Ranged, say
from outcomes.report.reading.rows import answer_rows, told
from outcomes.report.sections.report_section import Source

_AT, _FAR = ContrastLevel.AT, (ContrastLevel.FAR_BELOW, ContrastLevel.FAR_ABOVE)
_SUBJECTS = {
    frozenset(_FAR): "Guidance far from the client's wish",
    frozenset(_FAR[:1]): "Far too little guidance for the client's wish",
    frozenset(_FAR[1:]): "Far too much guidance for the client's wish",
}
_ADVICE = "Ask each client how much guidance they want, and stay near to it."
RATED = Form(digits=1)


def dropout_by_distance(source: Source) -> Finding | None:
    """Of a hundred clients, how many leave early near to and far from their wish; None without these numbers."""
    rated = rating(source.con, FindingName.FIT_DROPOUT)
    levels, differences, session = _levels(source, DROPOUT, HUNDRED)
    if rated is None or not levels:
        return None
    cards = answer_rows(source.con, CARDS, estimator=EstimatorName.DROPOUT_RISK)
    found = size(differences.values(), cards[0]["effect_worth_finding"] if cards else None)
    about = Subject(_subject(differences), "dropout", "more dropout", "less dropout")
    at, below, above = (Ranged(levels[name]) for name in (_AT, *_FAR))
    off, by = Given(f"{_points(source, DROPOUT):g}", Kind.PLACE), Given(str(session))
    sentence = say(
        "Of {all} clients who get the guidance they want, {at} leave by session {t}. Where it is far too little, "
        "{below} do; where it is far too much, {above}. Far is {off} {unit} off.",
        all=Given("100"), at=at, t=by, below=below, above=above, off=off,
        unit=source.settings.scales["directiveness"].unit,
    )  # fmt: skip
    easy = say(
        "Think of {all} people who get as much guidance as they want. {at} of them stop too soon. With far too little "
        "guidance, {below} stop too soon. With far too much, {above} do.",
        all=Given("100"), at=at, below=below, above=above,
    )  # fmt: skip
    groups = [
        Group("Far too little", levels[ContrastLevel.FAR_BELOW]),
        Group("As they want", levels[_AT]),
        Group("Far too much", levels[ContrastLevel.FAR_ABOVE]),
    ]
    draw = partial(icon_arrays, groups, str(session))
    advice = _ADVICE if found is Size.MORE else ""
    return Finding(FindingName.FIT_DROPOUT, rated, found, about, sentence, easy, "contrasts", advice, draw)


def satisfaction_by_distance(source: Source) -> Finding | None:
    """How satisfied clients are near to and far from their wish; None without these numbers."""
    rated = rating(source.con, FindingName.FIT_SATISFACTION)
    levels, differences, _ = _levels(source, SATISFACTION, RATED)
    if rated is None or not levels:
        return None
    found = size(differences.values())
    about = Subject(
        _subject(differences, less=True), "satisfaction", "more satisfied clients", "less satisfied clients"
    )
    scale = source.settings.scales["satisfaction"]
    at, below, above = (Ranged(levels[name]) for name in (_AT, *_FAR))
    ends = {"low": Given(f"{scale.minimum:g}"), "high": Given(f"{scale.maximum:g}")}
    sentence = say(
        "On the scale from {low} to {high}, clients rate sessions with the guidance they want {at}. Far too little "
        "gets {below}, far too much {above}.", **ends, at=at, below=below, above=above,
    )  # fmt: skip
    easy = say(
        "People rate each session from {low} to {high}. When the guidance is as they want it, they give {at}. When it "
        "is far too little, they give {below}. When it is far too much, they give {above}.",
        **ends, at=at, below=below, above=above,
    )  # fmt: skip
    rows = answer_rows(source.con, SATISFACTION, contrast=ContrastBy.DISTANCE, quantity=ContrastQuantity.MEAN)
    points = [(row["points"], e) for row in rows if isinstance(e := told(row, source.teller, RATED), Estimate)]
    unit = source.settings.scales["directiveness"].unit
    draw = partial(distance_picture, sorted(points, key=lambda one: one[0]), scale, unit)
    advice = _ADVICE if found is Size.LESS else ""
    return Finding(
        FindingName.FIT_SATISFACTION, rated, found, about, sentence, easy, "contrasts", advice, draw
    )  # fmt: skip


def _levels(
    source: Source, table: TableText, form: Form
) -> tuple[dict[ContrastLevel, Estimate], dict[ContrastLevel, Estimate], int | None]:
    """Levels and differences of a table of contrasts at one session; nothing where a quoted one lacks a number."""
    rows = answer_rows(source.con, table, contrast=ContrastBy.DISTANCE)
    session = told_session(rows) if "session" in table.columns else None
    rows = [row for row in rows if session is None or row["session"] == session]
    found: dict[bool, dict[ContrastLevel, Estimate]] = {True: {}, False: {}}
    for row in rows:
        is_difference = row["quantity"] == ContrastQuantity.DIFFERENCE
        if isinstance(one := told(row, source.teller, form), Estimate):
            found[is_difference][ContrastLevel(row["level"])] = one
    levels, differences = found[False], {name: found[True][name] for name in _FAR if name in found[True]}
    if not {_AT, *_FAR} <= set(levels) or len(differences) < len(_FAR):
        return {}, {}, session
    return levels, differences, session


def _points(source: Source, table: TableText) -> float:
    """How far is far."""
    rows = answer_rows(source.con, table, contrast=ContrastBy.DISTANCE, level=ContrastLevel.FAR_ABOVE)
    return next(abs(row["points"]) for row in rows if row["points"] is not None)


def _subject(differences: Mapping[ContrastLevel, Estimate], less: bool = False) -> str:
    """Which side costs: both, or one only."""
    costs = frozenset(name for name, one in differences.items() if (one.high < 0 if less else one.low > 0))
    return _SUBJECTS.get(costs, _SUBJECTS[frozenset(_FAR)])
