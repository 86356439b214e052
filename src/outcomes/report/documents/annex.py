"""The annex: all tables, definitions, methods and checks, with the evidence of every finding."""

from __future__ import annotations

from dataclasses import replace

from outcomes.languages import ENGLISH, speaking, spoken, spoken_in
from outcomes.report.documents.pages import page_with
from outcomes.report.page.blocks import Notice, Page
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
from outcomes.report.sections.grounds import certainty, changes, methods, missing, multiverse, origin, quality
from outcomes.report.sections.opening import answer, flow, glossary, recovery, seal
from outcomes.report.sections.report_section import ReportSection, Source
from outcomes.study.tables.delivery import Document

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
    certainty.SECTION,
    changes.SECTION,
    quality.SECTION,
    origin.SECTION,
    methods.SECTION,
)
"""In the order of the page. The answer comes first; whether the data can answer before the results; missing ratings and
other analyses before what would change the answer."""


def annex(source: Source) -> Page:
    """Return the annex of a release, in English whatever is spoken; a section that has nothing to say is left out."""
    notice = in_english(spoken("This annex is in English. Brief and report say the findings in your language."))
    with speaking(ENGLISH):
        made = page_with(source, Document.ANNEX, "analysts and methodologists", (one.made(source) for one in SECTIONS))
    return replace(made, notice=notice)


def in_english(said: str) -> Notice | None:
    """What readers of another language are told first; nothing where English is theirs."""
    return None if spoken_in().is_source else Notice(said, spoken_in().tag)
