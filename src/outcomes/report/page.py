"""The report as one self-contained HTML page."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from types import ModuleType

import duckdb
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from outcomes.report import (
    section_answer,
    section_balance,
    section_changes,
    section_connection,
    section_dropout,
    section_effects,
    section_flow,
    section_methods,
    section_missing,
    section_multiverse,
    section_origin,
    section_quality,
    section_reactance,
    section_recovery,
    section_risks,
    section_seal,
    section_therapists,
    section_words,
)
from outcomes.report.blocks import Section
from outcomes.report.html import html
from outcomes.report.rows import table_rows
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
