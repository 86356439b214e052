"""All counts of sessions, clients and courses of the report as one table, so that no number gives another away.

The second branch of the flow starts inside the first; a declared model's sessions are those at a branch's end without
some; courses whose ending is not known leave the flow; every definition of dropout counts the same courses again. Told
apart, a number that is kept back in one place could be worked out from the others.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import duckdb

from outcomes.disclosure import Reason, Shown, Table, Teller
from outcomes.report.reading.endings import ALL, UNKNOWN, Linked, endings
from outcomes.report.reading.rows import table_rows

TITLES = ("For the questions on satisfaction", "For the questions on dropout")
_COHORT_STEP = 6  # of mart_participant_flow: where the second branch starts
_MODELS = {"linear": 0, "hazard": 1}
"""Kind of a declared model: the branch whose end its sessions are taken from."""
SESSIONS, CLIENTS = "n_sessions", "n_clients"
ABOUT = "sessions, clients and courses"
"""Name of the table of all counts, in the ledger."""


@dataclass(frozen=True)
class Flow:
    """One branch of the flow: its title and its rows of `mart_participant_flow`."""

    title: str
    rows: tuple[dict, ...]

    def start(self, column: str) -> str:
        """Name of who was there at first."""
        return f"{column}, {self.title}: {self.rows[0]['step']}"

    def end(self, column: str) -> str:
        """Name of who is left at last."""
        return f"{column}, {self.title}: {self.rows[-1]['step']}"

    def left_out(self, column: str, row: dict) -> str:
        """Name of who was left out at a step."""
        return f"{column}, left out before {row['step']}"

    def parts(self, column: str) -> dict[str, int]:
        """Who was left out at each step, and who stayed; steps at which rows are not yet people have none."""
        rows = [row for row in self.rows if row[column] is not None]
        steps = itertools.pairwise(rows)
        left = {self.left_out(column, after): before[column] - after[column] for before, after in steps}
        return left | {self.end(column): rows[-1][column]}


@dataclass(frozen=True)
class PeopleTold:
    """What is told of sessions, clients and courses.

    Attributes
    ----------
    branches : tuple of Flow
    judged : dict of str to (str, str)
        Dropouts, and courses that ended, under each definition: names in the table.
    """

    branches: tuple[Flow, ...]
    judged: dict[str, tuple[str, str]]
    table: Table
    teller: Teller

    def shown(self, name: str) -> Shown | str:
        """A number by name, as it is told; empty where there is none."""
        cell = self.table.cells.get(name)
        return cell.shown(self.teller.rule) if cell else ""

    def share(self, part: str, whole: str = ALL) -> Shown:
        """A share in whole percent, of all courses where nothing else is said."""
        return self.teller.share_of(self.table, part, whole)

    def dropouts(self, definition: str) -> tuple[int, int] | None:
        """Dropouts and courses that ended, under a definition, from told numbers alone; None where they do not do.

        Few endings by other causes count as half of the threshold: how many ended at all is not told by itself, because
        with the other endings it would give them away.
        """
        if definition not in self.judged:
            return None
        part, ended = self.judged[definition]
        told = [self.table.cells[name] for name in self.table.sums[ended]]
        values = [self.teller.rule.minimum_count // 2 if cell.reason is Reason.SMALL else cell.value for cell in told]
        n = self.table.cells[part].value
        if n is None or None in values or not self.teller.are_enough(sum(values) - n):
            return None
        return n, sum(values)


def in_model(column: str, model: str) -> str:
    """Name of the sessions, or clients, in a declared model."""
    return f"{column}, model {model}"


def out_of_model(column: str, model: str) -> str:
    """Name of the sessions, or clients, that lack something that a declared model needs."""
    return f"{column}, model {model}: left out"


def people_told(con: duckdb.DuckDBPyConnection, own: str, teller: Teller) -> PeopleTold:
    """Tell all counts of sessions, clients and courses; asked again, the same.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
        A release; tables `mart_participant_flow`, `mart_person_session`, `model_specs`, `model_fits`, `dropout_rates`.
    own : str
        The study's own definition of dropout.
    teller : Teller
    """
    rows = table_rows(con, "mart_participant_flow")
    starts = [place for place, row in enumerate(rows) if row["n_sessions_excluded"] is None]
    places = zip(TITLES, starts, [*starts[1:], len(rows)], strict=False)
    branches = tuple(Flow(title, tuple(rows[low:high])) for title, low, high in places)
    linked = Linked({}, {})
    for column in (SESSIONS, CLIENTS):
        _add_flow(linked, branches, column)
    kinds = {row["model"]: row["kind"] for row in table_rows(con, "model_specs")}
    for fit in table_rows(con, "model_fits"):
        if fit["n_rows"] and kinds.get(fit["model"]) in _MODELS:
            branch = branches[_MODELS[kinds[fit["model"]]]]
            _add_model(linked, branch, SESSIONS, fit["model"], fit["n_rows"])
            _add_model(linked, branch, CLIENTS, fit["model"], fit["n_clients"])
    courses = endings(con, own)
    if courses.judged or courses.linked.counts:
        linked.counts.update(courses.linked.counts)
        linked.sums.update(courses.linked.sums)
        _link_courses(linked, branches)
    printed = [*courses.printed, *(name for name in (*linked.counts, *linked.sums) if name not in courses.names)]
    unprinted = [name for name in (*linked.counts, *linked.sums) if name not in printed]
    table = teller.joint(ABOUT, linked.counts, linked.sums, unprinted, courses.kept_back_first)
    return PeopleTold(branches, courses.judged, table, teller)


def _add_flow(linked: Linked, branches: tuple[Flow, ...], column: str) -> None:
    """Parts of the first branch; the second one's end is what its start leaves."""
    first = branches[0].parts(column)
    linked.counts.update(first)
    if branches[0].rows[0][column] is not None:
        linked.sums[branches[0].start(column)] = dict.fromkeys(first, 1)
    for second in branches[1:]:
        late = [row for row in branches[0].rows if row["step_number"] > _COHORT_STEP]
        start = dict.fromkeys([branches[0].left_out(column, row) for row in late], 1) | {branches[0].end(column): 1}
        left = {name: n for name, n in second.parts(column).items() if name != second.end(column)}
        linked.counts.update(left)
        linked.sums[second.start(column)] = start
        linked.sums[second.end(column)] = start | dict.fromkeys(left, -1)


def _add_model(linked: Linked, branch: Flow, column: str, model: str, n: int) -> None:
    """A model's sessions are those at its branch's end without those that lack something else; else its own number."""
    name, lacking = in_model(column, model), out_of_model(column, model)
    end = linked.sums.get(branch.end(column), {branch.end(column): 1})
    there = linked.value(end)
    if n <= there:
        linked.counts[lacking] = there - n
        linked.sums[name] = end | {lacking: -1}
    else:
        linked.counts[name] = n


def _link_courses(linked: Linked, branches: tuple[Flow, ...]) -> None:
    """Courses of unknown ending leave the second branch, and each client has one course, where the numbers say so."""
    for second in branches[1:]:
        leaving = dict.fromkeys([name for name in second.parts(SESSIONS) if name != second.end(SESSIONS)], 1)
        if linked.value(leaving) == linked.counts[UNKNOWN]:
            linked.replace(UNKNOWN, leaving)
        start, end = linked.sums[second.start(CLIENTS)], branches[0].end(CLIENTS)
        if linked.value(start) == linked.value(linked.sums[ALL]):
            others = {name: -times for name, times in start.items() if name != end}
            linked.replace(end, linked.sums[ALL] | others)
