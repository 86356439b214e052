"""Too little, too much, or fit to the client: the verdicts with the response surface; never a turning point alone."""

from __future__ import annotations

import math

import duckdb

from outcomes.answers.balance.tables import EVIDENCE, EvidenceMark, EvidenceQuantity, SurfaceTerm
from outcomes.answers.common.words import Grain, Outcome
from outcomes.disclosure import Teller
from outcomes.mixed import FitStatus
from outcomes.report.figures.curves import satisfaction_picture
from outcomes.report.figures.density import Cell, preference_cells
from outcomes.report.figures.satisfaction import surface_picture
from outcomes.report.page.blocks import Block, Picture, fold, heading, headline, note, paragraph, table
from outcomes.report.page.pieces import Estimate, Form, Given, Kind, Piece, Told, Words, say
from outcomes.report.reading.rows import answer_rows, told
from outcomes.report.reading.verdicts import Judged, judged
from outcomes.report.sections.report_section import ReportSection, Source
from outcomes.study.settings import AnalysisName, StudySettings
from outcomes.study.tables.scales import Scale

MOST_SQUARES = 10  # along the scale of guidance
_LEVELS = {
    (Outcome.SATISFACTION, Grain.SESSION): "Satisfaction, session by session",
    (Outcome.SATISFACTION, Grain.CLIENT): "Satisfaction, between clients",
    (Outcome.DROPOUT, Grain.SESSION): "Dropout, session by session",
}
_SHAPE = {
    SurfaceTerm.A1: "Along the line where guidance is what the client prefers: slope (a{n})",
    SurfaceTerm.A2: "Along that line: bend (a{n})",
    SurfaceTerm.A3: "Across that line, from too little to too much: slope (a{n})",
    SurfaceTerm.A4: "Across that line: bend (a{n}); for satisfaction, below zero means that both too little and too "
    "much cost",
    SurfaceTerm.A5: "Whether the ridge is tilted away from that line (a{n})",
}


def _blocks(source: Source) -> tuple[Block, ...]:
    """Verdicts, surface, and the quadratic beside it; tables `verdicts`, `balance_evidence`."""
    con, settings, teller = source.con, source.settings, source.teller
    verdicts = judged(con)
    evidence = answer_rows(con, EVIDENCE)
    surface = _surface(evidence, settings, teller)
    return (
        *(block for found in verdicts for block in _verdict(found, teller)),
        heading("Guidance and what the client prefers, together"),
        *_shape(surface, evidence, settings, teller),
        *_pictures(con, surface, settings, teller),
        note(
            "A line that rises and then falls is no sign of one best amount of guidance for everyone: clients "
            "differ in how much they want, and averaging over them bends the line by itself. So a turning point is "
            "shown only beside the surface, and counts only where two tests of a turn agree."
        ),
        fold("How the verdicts were reached", *(_trace(found) for found in verdicts)),
    )


def _verdict(found: Judged, teller: Teller) -> tuple[Block, ...]:
    reason = (paragraph(Given(found.why, Kind.REASON)),) if found.why else ()
    notes = (note(Given(teller.text(one), Kind.TEST)) for one in found.notes)  # another model's numbers may be in them
    return (heading(_LEVELS[found.outcome, found.level]), headline(found.sentence), *reason, *notes)


def _trace(found: Judged) -> Block:
    name = _LEVELS[found.outcome, found.level]
    return paragraph(say("{name}: {trace}", name=name, trace=Given(found.trace, Kind.TEST)))


Place = tuple[Outcome, Grain]
Surface = dict[Place, dict[SurfaceTerm, Told]]


def _place(row: dict) -> Place:
    return Outcome(row["outcome"]), Grain(row["level"])


def _surface(evidence: list[dict], settings: StudySettings, teller: Teller) -> Surface:
    """a1..a5 by outcome and level."""
    found: Surface = {}
    form = Form(is_signed=True, up="above zero", down="below zero")
    terms = {term.quantity: term for term in _SHAPE}
    for row in evidence:
        if term := terms.get(row["quantity"]):
            found.setdefault(_place(row), {})[term] = told(row, teller, form)
    return found


def _shape(surface: Surface, evidence: list[dict], settings: StudySettings, teller: Teller) -> tuple[Block, ...]:
    """One row per quantity, one column per outcome and level; the turning point last."""
    if not surface:
        return (
            paragraph("Clients' preferences are not known, so fit cannot be looked at, and no turning point is shown."),
        )
    columns = list(surface)
    rows: list[tuple[Piece | Words, ...]] = [
        (
            say(label, n=Given(term[1:])),
            *(surface[at].get(term, "no number, because the surface has no such interval") for at in columns),
        )
        for term, label in _SHAPE.items()
    ]
    turns = {_place(row): row for row in evidence if row["quantity"] == EvidenceQuantity.ALONE_TURN}
    if any(at in turns for at in columns):
        rows.append(
            (
                "Turning point of a curve in guidance alone, on the scale; see the note below",
                *(_turn(turns.get(at), settings, teller) for at in columns),
            )
        )
    head = ("Shape", *(_LEVELS[at] for at in columns))
    units = note(
        "Satisfaction: in points, per point of guidance and preference (bends: per squared point), from the middle of "
        "the scale. Dropout: in log odds of leaving after a session; there, above zero means more dropout. Brackets: "
        "intervals."
    )
    return (table(head, rows), units)


def _turn(row: dict | None, settings: StudySettings, teller: Teller) -> Piece:
    """The turning point with Fieller's interval; it may have no finite one."""
    if row is None:
        return "not part of this model"
    if row["status"] not in set(FitStatus):
        return f"none: {EvidenceMark(row['status'])}"
    scale, value = settings.scales["directiveness"], row["estimate"]
    if value is not None and not scale.minimum <= value <= scale.maximum:
        return "none within the scale"
    return told(row, teller, Form(digits=1))


def _pictures(
    con: duckdb.DuckDBPyConnection, surface: Surface, settings: StudySettings, teller: Teller
) -> tuple[Block, ...]:
    """The surface where enough clients are, and the curve with its sessions."""
    made: list[Picture | None] = []
    shape = _shape_of_sessions(surface)
    if shape:
        scale, rated = settings.scales["directiveness"], settings.scales["satisfaction"]
        cells = preference_cells(con, scale.minimum, scale.maximum, squares_along(scale), teller)
        if cells:
            caption = say(
                "Darker: more satisfaction is expected. Thick line: guidance as the client prefers it. Circles: how "
                "many sessions it rests on, the largest about {most}; squares of few clients are left out. How sure "
                "the shape is, says the table.",
                most=Given(f"{max(cell.sessions for cell in cells):,}", Kind.COUNT),
            )
            ends = (scale.minimum, scale.maximum)
            made.append(surface_picture(cells, shape, ends, squares_along(scale), scale.unit, rated.unit, caption))
        made.append(satisfaction_picture(con, settings, teller))
    return tuple(one for one in made if one)


def _shape_of_sessions(surface: Surface) -> dict[SurfaceTerm, float]:
    """a1..a5 of satisfaction session by session; nothing where one of them is not told."""
    found = surface.get((Outcome.SATISFACTION, Grain.SESSION), {})
    shape = {name: e.value for name, e in found.items() if isinstance(e, Estimate)}
    return shape if set(shape) == set(_SHAPE) else {}


def squares_along(scale: Scale) -> int:
    """How many squares a scale is cut into: on a short one as many as it has whole numbers, so that none is between."""
    n_whole = math.floor(scale.maximum - scale.minimum) + 1
    return n_whole if 2 < n_whole < MOST_SQUARES else MOST_SQUARES


def shape_and_cells(source: Source) -> tuple[dict[SurfaceTerm, float], tuple[Cell, ...]]:
    """Return what the picture of the surface is drawn from; nothing where it is not told."""
    shape = _shape_of_sessions(_surface(answer_rows(source.con, EVIDENCE), source.settings, source.teller))
    if not shape:
        return {}, ()
    scale = source.settings.scales["directiveness"]
    return shape, preference_cells(source.con, scale.minimum, scale.maximum, squares_along(scale), source.teller)


SECTION = ReportSection("balance", "Too little, too much, or fit to the client?", _blocks, AnalysisName.BALANCE)
