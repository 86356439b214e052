"""What the report holds: its sections in order."""

from __future__ import annotations

from outcomes.report.page.blocks import Page
from outcomes.report.reading.data_cut import last_month
from outcomes.report.reading.rows import table_rows
from outcomes.report.sections.findings import (
    balance,
    connection,
    contrasts,
    dropout,
    effects,
    reactance,
    responsiveness,
    risks,
    therapists,
)
from outcomes.report.sections.grounds import changes, methods, missing, multiverse, origin, quality
from outcomes.report.sections.opening import answer, flow, glossary, recovery, seal
from outcomes.report.sections.report_section import ReportSection, Source

SECTIONS: tuple[ReportSection, ...] = (
    answer.SECTION,
    seal.SECTION,
    glossary.SECTION,
    flow.SECTION,
    recovery.SECTION,
    dropout.SECTION,
    contrasts.SECTION,
    risks.SECTION,
    effects.SECTION,
    balance.SECTION,
    responsiveness.SECTION,
    reactance.SECTION,
    connection.SECTION,
    therapists.SECTION,
    missing.SECTION,
    multiverse.SECTION,
    changes.SECTION,
    quality.SECTION,
    origin.SECTION,
    methods.SECTION,
)
"""In the order of the page. The answer comes first; whether the data can answer before the results; missing ratings and
other analyses before what would change the answer."""


def page_of(source: Source) -> Page:
    """Return the whole report of a release; a section that has nothing to say is left out."""
    (release,) = table_rows(source.con, "release")
    settings = source.settings
    return Page(
        title=settings.report.title or settings.study.name,
        study=settings.study.name,
        question=settings.study.question,
        audience=settings.report.audience,
        language=settings.report.language,
        release_id=release["release_id"],
        data_cut=last_month(source.con, source.teller),
        sections=tuple(made for section in SECTIONS if (made := section.made(source))),
    )
