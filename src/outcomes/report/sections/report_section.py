"""What a section of the report is: a name, a title, and how its blocks are made from a release."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import duckdb

from outcomes.answers.certainty.rule import Ground, IntervalState
from outcomes.answers.certainty.tables import CERTAINTIES, FindingName
from outcomes.answers.common.words import Certainty
from outcomes.disclosure import Teller
from outcomes.languages import translated
from outcomes.report.page.blocks import Block, Section, headline, note, paragraph
from outcomes.report.reading.rows import answer_rows, refusal
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
    findings : tuple of FindingName
        What it has the numbers of. Where one stands out but is too unsure, the section says so first: brief and report
        tell no such finding.
    """

    name: str
    title: str
    blocks: Callable[[Source], tuple[Block, ...]]
    analysis: AnalysisName | None = None
    findings: tuple[FindingName, ...] = ()

    def made(self, source: Source) -> Section | None:
        """The section of one release; None where it has nothing to say."""
        reason = refusal(source.con, self.analysis, source.teller) if self.analysis else None
        blocks = (headline(CANNOT), paragraph(reason)) if reason else self.blocks(source)
        return Section(self.name, translated(self.title), (*self._unsure(source), *blocks)) if blocks else None

    def _unsure(self, source: Source) -> tuple[Block, ...]:
        """That something here stands out, and is all the same no finding."""
        found = [
            row["finding"]
            for row in answer_rows(source.con, CERTAINTIES)
            if row["finding"] in self.findings
            and row[Ground.INTERVAL] == IntervalState.DECIDED
            and not Certainty(row["certainty"]).is_enough
        ]
        said = f"Of very low certainty, so that brief and report conclude nothing from it: {'; '.join(found)}."
        return (note(said),) if found else ()
