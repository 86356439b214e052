"""What all documents of a release have in common: title, question, data cut, and whether the data are real."""

from __future__ import annotations

from collections.abc import Iterable

from outcomes.languages import spoken_in
from outcomes.report.page.blocks import Page, Section
from outcomes.report.reading.data_cut import last_month
from outcomes.report.reading.plain_words import question_told
from outcomes.report.reading.rows import table_rows
from outcomes.report.reading.stand_ins import stand_ins
from outcomes.report.sections.report_section import Source
from outcomes.study.tables.delivery import Document


def page_with(source: Source, document: Document, audience: str, sections: Iterable[Section | None]) -> Page:
    """Put sections under the release's title; those that have nothing to say are left out."""
    (release,) = table_rows(source.con, "release")
    settings = source.settings
    return Page(
        document=document,
        title=settings.report.title or settings.study.name,
        study=settings.study.name,
        question=settings.study.question if document is Document.ANNEX else question_told(settings.study.question),
        audience=audience,
        language=spoken_in().tag,
        release_id=release["release_id"],
        data_cut=last_month(source.con, source.teller),
        sections=tuple(section for section in sections if section and section.blocks),
        is_simulated=source.is_simulated,
        stand_ins=stand_ins(settings),
    )
