"""The report as one self-contained HTML page, from facts that are safe to show."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from types import ModuleType

import duckdb
import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from outcomes.disclosure import MINIMUM_RESIDUAL_DF
from outcomes.models.state import CurvePoint, ModelStatus
from outcomes.report import section_effects, words
from outcomes.report.facts import ENDINGS, Facts, ModelFacts
from outcomes.report.figures import Figure, dropout_figure, satisfaction_figure, share_figure
from outcomes.report.html import html
from outcomes.report.therapists import note_on_state, therapist_statement, variance_shares
from outcomes.report.words import Statement
from outcomes.study.settings import StudySettings

ENDING_WORDS = {
    "dropout": "dropped out",
    "planned": "ended as planned",
    "other": "ended for another reason (moved away, therapist left, referred on, ...)",
    "undetermined": "not known: still open, or silent with no ending recorded",
}
SECTIONS: tuple[ModuleType, ...] = (section_effects,)
"""Modules with `section(con, settings) -> Section | None`, in the order of the report."""

_TABLE_POINTS = 7  # rows of the table that repeats a figure in numbers


@dataclass(frozen=True)
class Answer:
    """One part of the answer: words, picture, numbers, and the state of the fit they come from."""

    model: ModelFacts | None
    statement: Statement
    figure: Figure | None = None
    head: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    extra: Statement | None = None


def render(con: duckdb.DuckDBPyConnection, facts: Facts, settings: StudySettings) -> str:
    """Return the page.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
        The release's database.
    facts : Facts
        From `read_facts`: small numbers are suppressed already.
    settings : StudySettings
        Gives the question, the scales' words and the audience.
    """
    environment = Environment(
        loader=PackageLoader("outcomes.report", "."), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {"plain": words.plain, "state": words.state_label}
    linear, hazard = ([m for m in facts.models if m.kind == kind] for kind in ("linear", "hazard"))
    return environment.get_template("report.html").render(
        css=Markup((files("outcomes.report") / "report.css").read_text(encoding="utf-8")),
        sections=[html(made) for module in SECTIONS if (made := module.section(con, settings))],
        title=settings.report.title or settings.study.name,
        settings=settings,
        facts=facts,
        flows=facts.flows if facts.has_endings else facts.flows[:1],
        satisfaction=_satisfaction(linear, facts, settings),
        dropout=_dropout(hazard, facts, settings),
        therapists=_therapists((*linear[:1], *hazard[:1])),
        shares=_shares(linear),
        endings=[(ENDING_WORDS[name], part) for name, part in zip(ENDINGS, facts.endings.parts, strict=True)],
        ending_shares=facts.ending_shares,
        models=[(model, note_on_state(model), _effects(model)) for model in facts.models],
        refused=ModelStatus.REFUSED,
        dropout_means=words.DEFINITIONS[settings.dropout.definition],
        minimum_residual_df=MINIMUM_RESIDUAL_DF,
        scale=settings.scales["directiveness"],
        rating=settings.scales["satisfaction"],
    )


def _satisfaction(models: list[ModelFacts], facts: Facts, settings: StudySettings) -> Answer:
    """The first linear model speaks; the first one with a squared term adds the bend."""
    if not models:
        return Answer(None, Statement("This study declares no model of satisfaction."))
    straight = models[0]
    curved = next((m for m in models if any(words.is_bend(e.term) for e in m.estimates)), None)
    if not straight.is_usable:
        return Answer(straight, words.unusable(straight))
    units = settings.scales["directiveness"].unit, settings.scales["satisfaction"].unit
    drawn = curved if curved and curved.is_usable and "satisfaction" in curved.curves else straight
    points = drawn.curves.get("satisfaction", ())
    beside = straight.curves.get("satisfaction", ()) if drawn is not straight else ()
    figure = None
    if points:
        bins = facts.density.get("directiveness_within", ())
        spread = float(
            np.sqrt(sum(sd**2 for (_, term), sd in straight.variances.items() if term in ("", "(Intercept)")))
        )
        figure = satisfaction_figure(points, beside, bins, spread, *units)
    return Answer(
        straight,
        words.satisfaction(straight, drawn, *units),
        figure,
        ("Guidance compared with usual", "Average satisfaction", "95% interval"),
        _in_numbers(points, lambda p: words.number(p, 2)),
        words.bend(curved) if curved and curved.is_usable else None,
    )


def _dropout(models: list[ModelFacts], facts: Facts, settings: StudySettings) -> Answer:
    if not models:
        return Answer(None, Statement("This study declares no model of dropout."))
    model = models[0]
    if not model.is_usable:
        return Answer(model, words.unusable(model))
    scale = settings.scales["directiveness"]
    curves = {
        int(name.removeprefix("dropout_by_session_")): points
        for name, points in model.curves.items()
        if name.startswith("dropout_by_session_")
    }
    figure = dropout_figure(curves, facts.density.get("directiveness_so_far", ()), scale.unit) if curves else None
    session = next((n for n in words.TOLD_SESSIONS if n in curves), 0)
    head = ("Guidance on average", f"Dropped out within {session} sessions", "95% interval")
    on_scale = f"on the scale from {scale.minimum:g} to {scale.maximum:g}"
    rows = _in_numbers(curves.get(session, ()), words.percent)
    return Answer(model, words.dropout(model, on_scale), figure, head, rows)


def _therapists(models: tuple[ModelFacts, ...]) -> list[tuple[str, ModelFacts, Statement]]:
    """What each model says of therapists under its own heading; where all say the same, once and without one."""
    said = [(f"In {words.topic(model)}", model, therapist_statement(model)) for model in models]
    if len({statement for _, _, statement in said}) == 1:
        return [("", *said[0][1:])]
    return said


def _shares(linear: list[ModelFacts]) -> Figure | None:
    shares = variance_shares(linear[0]) if linear else {}
    return share_figure(shares) if shares else None


def _in_numbers(points: tuple[CurvePoint, ...], told) -> tuple[tuple[str, ...], ...]:
    """A few points of a curve as rows: x, estimate, interval."""
    if not points:
        return ()
    places = np.linspace(0, len(points) - 1, _TABLE_POINTS).round().astype(int)
    return tuple(
        (words.number(p.x), told(p.estimate), f"{told(p.conf_low)} to {told(p.conf_high)}")
        for p in (points[place] for place in places)
    )


def _effects(model: ModelFacts) -> tuple[tuple[str, str, str, str], ...]:
    """Rows of a model's table of effects: term, variant, effect, interval; hazards as ratios."""
    if not model.is_usable:
        return ()
    told = (lambda v: words.number(float(np.exp(v)), 2)) if model.kind == "hazard" else (lambda v: words.number(v, 2))
    return tuple(
        (
            words.term_label(e.term),
            "robust" if e.variant == "cluster_robust" else "",
            told(e.estimate),
            f"{told(e.conf_low)} to {told(e.conf_high)}",
        )
        for e in model.estimates
        if e.estimate is not None
        and e.conf_low is not None
        and not (model.kind == "hazard" and e.term == "(Intercept)")
    )
