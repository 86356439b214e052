"""Too little, too much, or fit to the client: the verdicts with the response surface; never a turning point alone."""

from __future__ import annotations

import re

import duckdb

from outcomes.answers.balance.verdict import Verdict
from outcomes.models.state import ModelStatus
from outcomes.report.figures.curves import satisfaction_picture
from outcomes.report.figures.density import preference_cells
from outcomes.report.figures.satisfaction import surface_picture
from outcomes.report.page.blocks import Block, Picture, Section, fold, heading, headline, note, paragraph, table
from outcomes.report.page.pieces import Estimate, Form, Given, Kind, Piece, Told, Words, say
from outcomes.report.reading.tables import refusal, table_rows, told
from outcomes.report.reading.verdicts import Judged, judged
from outcomes.report.sections.dropout import CANNOT
from outcomes.study.settings import StudySettings

NAME, TITLE = "balance", "Too little, too much, or fit to the client?"
SURFACE = "response surface: "
TURN = "quadratic alone: turning point"
_SHARE = re.compile(r"%|\.\d")
SQUARES = 10  # along the scale of guidance
_LEVELS = {
    ("satisfaction", "session"): "Satisfaction, session by session",
    ("satisfaction", "client"): "Satisfaction, between clients",
    ("dropout", "session"): "Dropout, session by session",
}
_SHAPE = {
    "a1": "Along the line where guidance is what the client prefers: slope (a{n})",
    "a2": "Along that line: bend (a{n})",
    "a3": "Across that line, from too little to too much: slope (a{n})",
    "a4": "Across that line: bend (a{n}); for satisfaction, below zero means that both too little and too much cost",
    "a5": "Whether the ridge is tilted away from that line (a{n})",
}


def section(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> Section:
    """Verdicts, surface, and the quadratic beside it; tables `verdicts`, `balance_evidence`."""
    if reason := refusal(con, "balance", settings.disclosure):
        return Section(NAME, TITLE, (headline(CANNOT), paragraph(reason)))
    verdicts = judged(con)
    evidence = table_rows(con, "balance_evidence")
    surface = _surface(evidence, settings)
    return Section(
        NAME,
        TITLE,
        (
            *(block for found in verdicts for block in _verdict(found)),
            heading("Guidance and what the client prefers, together"),
            *_shape(surface, evidence, settings),
            *_pictures(con, surface, settings),
            note(
                "A line that rises and then falls is no sign of one best amount of guidance for everyone: clients "
                "differ in how much they want, and averaging over them bends the line by itself. So a turning point is "
                "told only beside the surface, and counts only where two tests of a turn agree."
            ),
            fold("How the verdicts were reached", *(_trace(found) for found in verdicts)),
        ),
    )


def _verdict(found: Judged) -> tuple[Block, ...]:
    why = found.trace.rsplit(". ", 1)[-1].removeprefix("But ")
    if _SHARE.search(why):  # a share without an interval stays in the trace
        why = "Why it stays open, the last part of this section tells."
    reason = (paragraph(Given(why[:1].upper() + why[1:], Kind.REASON)),) if found.verdict is Verdict.UNDECIDED else ()
    return (heading(_LEVELS[found.outcome, found.level]), headline(found.sentence), *reason, *map(note, found.notes))


def _trace(found: Judged) -> Block:
    name = _LEVELS[found.outcome, found.level]
    return paragraph(say("{name}: {trace}", name=name, trace=Given(found.trace, Kind.TEST)))


Surface = dict[tuple[str, str], dict[str, Told]]


def _surface(evidence: list[dict], settings: StudySettings) -> Surface:
    """a1..a5 by outcome and level."""
    found: Surface = {}
    for row in evidence:
        name = row["quantity"].removeprefix(SURFACE)
        if row["quantity"].startswith(SURFACE) and name in _SHAPE:
            form = Form(is_signed=True, up="above zero", down="below zero")
            found.setdefault((row["outcome"], row["level"]), {})[name] = told(row, settings.disclosure, form)
    return found


def _shape(surface: Surface, evidence: list[dict], settings: StudySettings) -> tuple[Block, ...]:
    """One row a quantity, one column an outcome and level; the turning point last."""
    if not surface:
        return (
            paragraph("Clients' preferences are not known, so fit cannot be looked at, and no turning point is told."),
        )
    columns = list(surface)
    rows: list[tuple[Piece | Words, ...]] = [
        (
            say(label, n=Given(name[1:])),
            *(surface[at].get(name, "no number, because the surface has no such interval") for at in columns),
        )
        for name, label in _SHAPE.items()
    ]
    turns = {(row["outcome"], row["level"]): row for row in evidence if row["quantity"] == TURN}
    if any(at in turns for at in columns):
        rows.append(
            (
                "Turning point of a curve in guidance alone, on the scale; see the note below",
                *(_turn(turns.get(at), settings) for at in columns),
            )
        )
    head = ("Shape", *(_LEVELS[at] for at in columns))
    units = note(
        "Satisfaction: in points, per point of guidance and preference (bends: per squared point), from the middle of "
        "the scale. Dropout: in log odds of leaving after a session; there, above zero means more dropout. Brackets: "
        "intervals."
    )
    return (table(head, rows), units)


def _turn(row: dict | None, settings: StudySettings) -> Piece:
    """The turning point with Fieller's interval; it may have no finite one."""
    if row is None:
        return "not part of this model"
    if row["status"] not in set(ModelStatus):
        return f"none: {row['status']}"
    scale, value = settings.scales["directiveness"], row["estimate"]
    if value is not None and not scale.minimum <= value <= scale.maximum:
        return "none within the scale"
    return told(row, settings.disclosure, Form(digits=1))


def _pictures(con: duckdb.DuckDBPyConnection, surface: Surface, settings: StudySettings) -> tuple[Block, ...]:
    """The surface where enough clients are, and the curve with its sessions."""
    made: list[Picture | None] = []
    shape = {
        name: e.value for name, e in surface.get(("satisfaction", "session"), {}).items() if isinstance(e, Estimate)
    }
    if set(shape) == set(_SHAPE):
        scale, rated = settings.scales["directiveness"], settings.scales["satisfaction"]
        cells = preference_cells(con, scale.minimum, scale.maximum, SQUARES, settings.disclosure)
        if cells:
            caption = say(
                "Darker: more satisfaction is expected. Dashed: guidance is just what the client prefers. Circles: how "
                "many sessions it rests on, the largest about {most}; squares of few clients are left out. How sure "
                "the shape is, says the table.",
                most=Given(f"{max(cell.sessions for cell in cells):,}", Kind.COUNT),
            )
            ends = (scale.minimum, scale.maximum)
            made.append(surface_picture(cells, shape, ends, SQUARES, scale.unit, rated.unit, caption))
        made.append(satisfaction_picture(con, settings))
    return tuple(one for one in made if one)
