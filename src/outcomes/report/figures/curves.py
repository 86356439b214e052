"""Average satisfaction over guidance compared with the client's usual, from the study's declared models."""

from __future__ import annotations

import duckdb

from outcomes.disclosure import Teller
from outcomes.report.figures.density import Bin, session_bins
from outcomes.report.figures.satisfaction import curve_picture
from outcomes.report.page.blocks import Block, Picture, paragraph
from outcomes.report.page.pieces import PLAIN, Estimate, Given, Kind, Told, say
from outcomes.report.reading.plain_words import is_bend
from outcomes.report.reading.rows import table_rows, told
from outcomes.study.settings import StudySettings


def curve_told(con: duckdb.DuckDBPyConnection, settings: StudySettings, teller: Teller) -> list[tuple[float, Told]]:
    """The curve of the first linear model with a bend, else of the first one that has a curve and converged."""
    names = [spec.name for spec in settings.models if spec.kind == "linear"]
    bent = [
        spec.name for spec in settings.models if spec.kind == "linear" and any(is_bend(term) for term in spec.fixed)
    ]
    for name in [*bent, *names]:
        condition = f"model = '{name}' and curve = 'satisfaction' and status = 'converged'"
        rows = sorted(table_rows(con, "model_curves", condition), key=lambda row: row["x"])
        if rows:
            return [(row["x"], told(row, teller, PLAIN)) for row in rows]
    return []


def satisfaction_levels(con: duckdb.DuckDBPyConnection, settings: StudySettings, teller: Teller) -> tuple[Block, ...]:
    """Average ratings at the client's usual guidance and at both ends of the curve, in a sentence."""
    points = curve_told(con, settings, teller)
    if not points:
        return ()
    unit = settings.unit("directiveness")
    usual = min(points, key=lambda point: abs(point[0]))
    sentence = (
        "Sessions with the client's usual amount of guidance were rated {usual} on average; with clearly less "
        "({below} {unit}), {less}; with clearly more ({above} {unit}), {more}."
    )
    return (
        paragraph(
            say(
                sentence,
                usual=usual[1],
                less=points[0][1],
                more=points[-1][1],
                below=Given(f"{abs(points[0][0]):.1f}", Kind.PLACE),
                above=Given(f"{points[-1][0]:.1f}", Kind.PLACE),
                unit=unit,
            )
        ),
    )


def curve_and_bins(
    con: duckdb.DuckDBPyConnection, settings: StudySettings, teller: Teller
) -> tuple[list[tuple[float, Estimate]], tuple[Bin, ...]]:
    """Return the points of the curve that may be drawn, and the sessions below it; nothing where no model has one."""
    points = [(x, e) for x, e in curve_told(con, settings, teller) if isinstance(e, Estimate)]
    if not points:
        return [], ()
    return points, session_bins(con, "directiveness_within", points[0][0], points[-1][0], teller)


def satisfaction_picture(con: duckdb.DuckDBPyConnection, settings: StudySettings, teller: Teller) -> Picture | None:
    """The curve with its sessions; None where no model has one."""
    points, bins = curve_and_bins(con, settings, teller)
    if not points:
        return None
    caption = say(
        "Line and band: average satisfaction with sessions that had less (left) or more (right) guidance than the "
        "client usually got, with intervals. Dotted: the client's usual. Grey bars: how many sessions it rests on; "
        "bars of few clients are left out, and so are the outermost {share} of sessions on either side.",
        share=Given("5%"),
    )
    return curve_picture(points, bins, settings.unit("directiveness"), settings.unit("satisfaction"), caption)
