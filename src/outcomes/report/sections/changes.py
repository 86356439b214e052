"""What would change the conclusion: where the answers hang on a choice, and what no choice can mend."""

from __future__ import annotations

import duckdb

from outcomes.answers.balance.verdict import Verdict
from outcomes.report.page.blocks import Section, bullets
from outcomes.report.page.pieces import Direction, Strong, Words, say
from outcomes.report.reading.dropout import SO_FAR, effects
from outcomes.report.reading.tables import refusal, table_rows, told
from outcomes.report.reading.verdicts import judged
from outcomes.report.sections.effects import effect_form
from outcomes.report.sections.risks import survival
from outcomes.study.settings import StudySettings


def section(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> Section:
    """Choices first, then the limits that hold for any study of this kind."""
    items = [*_definitions(con, settings), *_models(con, settings), *_levels(con)]
    items += [
        say("{name} Nobody was assigned to more or less guidance. A reason that nobody rated (a crisis, say) may move "
            "guidance, satisfaction and dropout together, and would change the answer.",
            name=Strong("What was not rated.")),
        say("{name} Clients who leave stop rating. Averages can look better than the therapies were; comparisons "
            "within a client suffer less.", name=Strong("Missing ratings.")),
        say("{name} Of twenty intervals, one is expected to miss the truth by chance.",
            name=Strong("Several questions at once.")),
    ]  # fmt: skip
    return Section("changes", "What would change the conclusion", (bullets(*items),))


def _definitions(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> list[Words]:
    if refusal(con, "dropout", settings.disclosure):
        return []
    found = effects(con, SO_FAR, settings.disclosure)
    name = Strong("Another definition of dropout?")
    return [Words((name, " ", *survival(found).pieces))]


def _models(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> list[Words]:
    """Whether the slope within clients says the same in every model of it."""
    rows = table_rows(con, "guidance_effects", "question = 'slope' and part = 'within client'")
    form = effect_form("point")
    sides = {told(row, settings.disclosure, form).direction for row in rows} - {Direction.UNTOLD}
    if not sides:
        return []
    same = "No: all models of the same client's sessions come to the same conclusion."
    other = "Yes: the models of the same client's sessions come to different conclusions (see their table)."
    return [say("{name} {answer}", name=Strong("Another model?"), answer=same if len(sides) == 1 else other)]


def _levels(con: duckdb.DuckDBPyConnection) -> list[Words]:
    """Whether sessions and clients give the same verdict on satisfaction."""
    found = {one.level: one.verdict for one in judged(con) if one.outcome == "satisfaction"}
    if len(found) < 2:
        return []
    name = Strong("Sessions or clients?")
    if found["session"] is found["client"]:
        return [say("{name} Both lead to the same verdict.", name=name)]
    if Verdict.UNDECIDED in found.values():
        which = "clients" if found["client"] is Verdict.UNDECIDED else "sessions"
        sentence = f" The comparison of {which} decides nothing; the verdict rests on the other one."
        return [say("{name}" + sentence, name=name)]
    return [say("{name} They lead to different verdicts: what holds for one client over time need not hold between "
                "clients.", name=name)]  # fmt: skip
