"""What the report holds: its sections in order."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType

import duckdb

from outcomes.disclosure import Teller
from outcomes.report.page.blocks import Page, Section
from outcomes.report.reading.data_cut import last_month
from outcomes.report.reading.rows import table_rows
from outcomes.report.sections.findings import balance as section_balance
from outcomes.report.sections.findings import connection as section_connection
from outcomes.report.sections.findings import dropout as section_dropout
from outcomes.report.sections.findings import effects as section_effects
from outcomes.report.sections.findings import reactance as section_reactance
from outcomes.report.sections.findings import risks as section_risks
from outcomes.report.sections.findings import therapists as section_therapists
from outcomes.report.sections.grounds import changes as section_changes
from outcomes.report.sections.grounds import methods as section_methods
from outcomes.report.sections.grounds import missing as section_missing
from outcomes.report.sections.grounds import multiverse as section_multiverse
from outcomes.report.sections.grounds import origin as section_origin
from outcomes.report.sections.grounds import quality as section_quality
from outcomes.report.sections.opening import answer as section_answer
from outcomes.report.sections.opening import flow as section_flow
from outcomes.report.sections.opening import glossary as section_glossary
from outcomes.report.sections.opening import recovery as section_recovery
from outcomes.report.sections.opening import seal as section_seal
from outcomes.study.settings import StudySettings

SECTIONS: tuple[ModuleType, ...] = (
    section_answer,
    section_seal,
    section_glossary,
    section_flow,
    section_recovery,
    section_dropout,
    section_risks,
    section_effects,
    section_balance,
    section_reactance,
    section_connection,
    section_therapists,
    section_missing,
    section_multiverse,
    section_changes,
)
"""Modules with `section(con, settings, teller) -> Section | None`, in the order of the field guide (section 1j).
Whether the data can answer comes before the answer; missing ratings and the multiverse before what would change it."""


def sections(
    con: duckdb.DuckDBPyConnection,
    settings: StudySettings,
    teller: Teller,
    statements: Mapping[str, str],
    settings_sha256: str,
) -> tuple[Section, ...]:
    """All sections that have something to say: the answers, then the data's quality, origin and methods.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
        A release's database.
    settings : StudySettings
    teller : Teller
        Lets every number of people and sessions through, or not.
    statements : mapping of str to str
        Rules of the data-quality checks by id.
    settings_sha256 : str
        Hash of the study file.
    """
    made = [module.section(con, settings, teller) for module in SECTIONS]
    made.append(section_quality.section(con, settings, teller, statements))
    made.append(section_origin.section(con, settings, teller, settings_sha256))
    made.append(section_methods.section(con, settings, teller))
    return tuple(one for one in made if one)


def page_of(
    con: duckdb.DuckDBPyConnection,
    settings: StudySettings,
    teller: Teller,
    statements: Mapping[str, str],
    settings_sha256: str,
) -> Page:
    """Return the whole report; see `sections` for the parameters."""
    (release,) = table_rows(con, "release")
    return Page(
        title=settings.report.title or settings.study.name,
        study=settings.study.name,
        question=settings.study.question,
        audience=settings.report.audience,
        language=settings.report.language,
        release_id=release["release_id"],
        data_cut=last_month(con, teller),
        sections=sections(con, settings, teller, statements, settings_sha256),
    )
