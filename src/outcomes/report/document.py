"""The report as one self-contained HTML page."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from types import ModuleType

import duckdb
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from outcomes.report.page.blocks import Section
from outcomes.report.page.html import html
from outcomes.report.reading.tables import table_rows
from outcomes.report.sections import answer as section_answer
from outcomes.report.sections import balance as section_balance
from outcomes.report.sections import changes as section_changes
from outcomes.report.sections import connection as section_connection
from outcomes.report.sections import dropout as section_dropout
from outcomes.report.sections import effects as section_effects
from outcomes.report.sections import flow as section_flow
from outcomes.report.sections import methods as section_methods
from outcomes.report.sections import missing as section_missing
from outcomes.report.sections import multiverse as section_multiverse
from outcomes.report.sections import origin as section_origin
from outcomes.report.sections import quality as section_quality
from outcomes.report.sections import reactance as section_reactance
from outcomes.report.sections import recovery as section_recovery
from outcomes.report.sections import risks as section_risks
from outcomes.report.sections import seal as section_seal
from outcomes.report.sections import therapists as section_therapists
from outcomes.report.sections import words as section_words
from outcomes.study.settings import StudySettings

SECTIONS: tuple[ModuleType, ...] = (
    section_answer,
    section_seal,
    section_words,
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
"""Modules with `section(con, settings) -> Section | None`, in the order of the field guide (section 1j). Whether
the data can answer comes before the answer; missing ratings and the multiverse before what would change it."""


def sections(
    con: duckdb.DuckDBPyConnection, settings: StudySettings, statements: Mapping[str, str], settings_sha256: str
) -> tuple[Section, ...]:
    """All sections that have something to say: the answers, then the data's quality, origin and methods.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
        A release's database.
    settings : StudySettings
    statements : mapping of str to str
        Rules of the data-quality checks by id.
    settings_sha256 : str
        Hash of the study file.
    """
    made = [module.section(con, settings) for module in SECTIONS]
    made.append(section_quality.section(con, settings, statements))
    made.append(section_origin.section(con, settings, settings_sha256))
    made.append(section_methods.section(con, settings))
    return tuple(one for one in made if one)


def render(
    con: duckdb.DuckDBPyConnection, settings: StudySettings, statements: Mapping[str, str], settings_sha256: str
) -> str:
    """Return the page; see `sections` for the parameters."""
    environment = Environment(
        loader=PackageLoader("outcomes.report", "."), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    (release,) = table_rows(con, "release")
    return environment.get_template("report.html").render(
        css=Markup((files("outcomes.report") / "report.css").read_text(encoding="utf-8")),
        title=settings.report.title or settings.study.name,
        settings=settings,
        data_cut=section_origin.data_cut(release),
        release_id=release["release_id"],
        sections=[html(section) for section in sections(con, settings, statements, settings_sha256)],
    )
