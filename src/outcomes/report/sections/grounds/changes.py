"""What would change the conclusion: where the answers hang on a choice, and what no choice can mend."""

from __future__ import annotations

import duckdb

from outcomes.answers.balance.tables import Verdict
from outcomes.answers.common.words import Grain, HazardTerm, Outcome
from outcomes.answers.guidance.tables import EFFECTS, GuidanceQuestion, SlopePart
from outcomes.disclosure import Teller
from outcomes.report.page.blocks import Block, bullets
from outcomes.report.page.pieces import Direction, Strong, Words, say
from outcomes.report.reading.dropout_rows import effects
from outcomes.report.reading.rows import answer_rows, refusal, told
from outcomes.report.reading.verdicts import judged
from outcomes.report.sections.findings.effects import effect_form
from outcomes.report.sections.findings.risks import survival
from outcomes.report.sections.report_section import ReportSection, Source
from outcomes.study.settings import AnalysisName, StudySettings


def _blocks(source: Source) -> tuple[Block, ...]:
    """Choices first, then the limits that hold for any study of this kind."""
    con, settings, teller = source.con, source.settings, source.teller
    items = [*_definitions(con, settings, teller), *_models(con, settings, teller), *_levels(con)]
    items += [
        say("{name} Nobody was assigned to more or less guidance. A reason that nobody rated (a crisis, say) may move "
            "guidance, satisfaction and dropout together, and would change the answer.",
            name=Strong("What was not rated.")),
        say("{name} Clients who leave stop rating. Averages can look better than the therapies were; comparisons "
            "within a client suffer less.", name=Strong("Missing ratings.")),
        say("{name} Of twenty intervals, one is expected to miss the truth by chance.",
            name=Strong("Several questions at once.")),
    ]  # fmt: skip
    return (bullets(*items),)


def _definitions(con: duckdb.DuckDBPyConnection, settings: StudySettings, teller: Teller) -> list[Words]:
    if refusal(con, AnalysisName.DROPOUT, teller):
        return []
    found = effects(con, HazardTerm.SO_FAR, teller)
    name = Strong("Another definition of dropout?")
    return [Words((name, " ", *survival(found).pieces))]


def _models(con: duckdb.DuckDBPyConnection, settings: StudySettings, teller: Teller) -> list[Words]:
    """Whether the slope within clients says the same in every model of it."""
    rows = answer_rows(con, EFFECTS, question=GuidanceQuestion.SLOPE, part=SlopePart.WITHIN)
    form = effect_form("point")
    sides = {told(row, teller, form).direction for row in rows} - {Direction.UNTOLD}
    if not sides:
        return []
    same = "No: all models of the same client's sessions come to the same conclusion."
    other = "Yes: the models of the same client's sessions come to different conclusions (see their table)."
    return [say("{name} {answer}", name=Strong("Another model?"), answer=same if len(sides) == 1 else other)]


def _levels(con: duckdb.DuckDBPyConnection) -> list[Words]:
    """Whether sessions and clients give the same verdict on satisfaction."""
    found = {one.level: one.verdict for one in judged(con) if one.outcome is Outcome.SATISFACTION}
    if len(found) < 2:
        return []
    name = Strong("Sessions or clients?")
    if found[Grain.SESSION] is found[Grain.CLIENT]:
        return [say("{name} Both lead to the same verdict.", name=name)]
    if Verdict.UNDECIDED in found.values():
        which = "clients" if found[Grain.CLIENT] is Verdict.UNDECIDED else "sessions"
        sentence = f" The comparison of {which} decides nothing; the verdict rests on the other one."
        return [say("{name}" + sentence, name=name)]
    return [say("{name} They lead to different verdicts: what holds for one client over time need not hold between "
                "clients.", name=name)]  # fmt: skip


SECTION = ReportSection("changes", "What would change the conclusion", _blocks)
