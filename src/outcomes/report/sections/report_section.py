"""What a section of the report is: a name, a title, and how its blocks are made from a release."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import duckdb

from outcomes.disclosure import Teller
from outcomes.languages import translated
from outcomes.report.page.blocks import Block, Section, headline, paragraph
from outcomes.report.reading.rows import refusal
from outcomes.study.settings import AnalysisName, StudySettings

CANNOT = "These data cannot answer this."


@dataclass(frozen=True)
class Source:
    """What sections are made from.

    Attributes
    ----------
    con : duckdb.DuckDBPyConnection
        A release's database, read only.
    settings : StudySettings
    teller : Teller
        Lets every number of people and sessions through, or not.
    statements : mapping of str to str
        Rules of the data-quality checks by id.
    settings_sha256 : str
        Hash of the study file.
    is_simulated : bool
        Whether the data are made up.
    before : connection or None
        The release that was published before this one, read only; None where there is none.
    """

    con: duckdb.DuckDBPyConnection
    settings: StudySettings
    teller: Teller
    statements: Mapping[str, str] = field(default_factory=dict)
    settings_sha256: str = ""
    is_simulated: bool = False
    before: duckdb.DuckDBPyConnection | None = None


@dataclass(frozen=True)
class ReportSection:
    """One section as it is planned.

    Attributes
    ----------
    name : str
        Its anchor on the page.
    title : str
    blocks : callable
        Makes its content from a `Source`; nothing where it has nothing to say.
    analysis : AnalysisName or None
        The analysis that it rests on: where that was refused, the section says why, and `blocks` is not asked.
    """

    name: str
    title: str
    blocks: Callable[[Source], tuple[Block, ...]]
    analysis: AnalysisName | None = None

    def made(self, source: Source) -> Section | None:
        """The section of one release; None where it has nothing to say."""
        reason = refusal(source.con, self.analysis, source.teller) if self.analysis else None
        blocks = (headline(CANNOT), paragraph(reason)) if reason else self.blocks(source)
        return Section(self.name, translated(self.title), blocks) if blocks else None
