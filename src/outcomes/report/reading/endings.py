"""How courses of therapy ended, and who dropped out under every definition: counts and what links them."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import duckdb

from outcomes.answers.dropout.tables import RATES
from outcomes.disclosure import Teller
from outcomes.methods.dropout.agreement import agreement
from outcomes.report.reading.plain_words import ENDINGS
from outcomes.report.reading.rows import answer_rows
from outcomes.study.settings import DropoutDefinition

ALL = "all courses"
DROPOUT, PLANNED, OTHER, UNKNOWN = ENDINGS
_ENDED = (DROPOUT, PLANNED, OTHER)
_NESTED = (DropoutDefinition.COUNT_2, DropoutDefinition.COUNT_3, DropoutDefinition.COUNT_4)
_SAME, _PARTLY = 0.8, 0.4
"""Gwet's AC1 from which two definitions count almost the same clients, and from which they do in part."""


@dataclass(frozen=True)
class Linked:
    """Counts that hang together: parts by name, and sums and differences of them."""

    counts: dict[str, int]
    sums: dict[str, dict[str, int]]

    def value(self, of: Mapping[str, int]) -> int:
        """Number that a sum has."""
        return sum(times * self.counts[part] for part, times in of.items())

    def replace(self, part: str, by: Mapping[str, int]) -> None:
        """Make a part a sum of other parts, wherever it counts; their values are the same."""
        del self.counts[part]
        for name, of in self.sums.items():
            if part in of:
                made = {one: times for one, times in of.items() if one != part}
                for one, times in by.items():
                    made[one] = made.get(one, 0) + of[part] * times
                self.sums[name] = {one: times for one, times in made.items() if times}
        self.sums[part] = dict(by)


@dataclass(frozen=True)
class Courses:
    """Courses by ending and definition.

    Attributes
    ----------
    linked : Linked
        Empty where no ending is known.
    judged : dict of str to (str, str)
        Dropouts, and courses that ended, under each definition: names in `linked`.
    """

    linked: Linked
    judged: dict[str, tuple[str, str]]

    @property
    def names(self) -> tuple[str, ...]:
        """All names."""
        return (*self.linked.counts, *self.linked.sums)

    @property
    def printed(self) -> tuple[str, ...]:
        """Names of numbers that a report prints, or works out shares from; how many ended at all is none of them."""
        parts = [name for of in (self.linked.sums[ended] for _, ended in self.judged.values()) for name in of]
        return (*ENDINGS, ALL, *self.others, *parts) if self.names else ()

    @property
    def others(self) -> tuple[str, ...]:
        """Names of dropouts under definitions that are not the study's own."""
        return tuple(part for part, _ in self.judged.values() if part != DROPOUT)

    @property
    def kept_back_first(self) -> tuple[str, ...]:
        """Names of what a reader can do without, before the study's own dropouts are kept back."""
        return (UNKNOWN, *self.others)


def endings(con: duckdb.DuckDBPyConnection, own: str) -> Courses:
    """Count courses by ending and definition; nothing where no ending is known.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
        A release; tables `mart_person_session` and `dropout_rates`.
    own : str
        The study's own definition.
    """
    sql = "select ending_state, count(distinct episode_id) from mart_person_session where is_last group by all"
    found = dict(con.execute(sql).fetchall())
    linked, judged = Linked({name: found.get(name, 0) for name in ENDINGS}, {}), {}
    if not any(linked.counts[name] for name in _ENDED):
        return Courses(Linked({}, {}), {})
    ended = dict.fromkeys(_ENDED, 1)
    linked.sums[ALL] = dict.fromkeys(ENDINGS, 1)
    linked.sums["ended"] = ended
    for row in answer_rows(con, RATES):
        if row["n_episodes"] and row["estimate"] is not None:
            judged[row["definition"]] = _judge(linked, row, ended, own)
    _nest(linked, {definition: part for definition, (part, _) in judged.items()})
    return Courses(linked, judged)


def _judge(linked: Linked, row: dict, ended: dict[str, int], own: str) -> tuple[str, str]:
    """Add one definition: its dropouts, and the courses that ended, mostly those that ended under all."""
    n, whole = round(row["estimate"] * row["n_episodes"]), row["n_episodes"]
    if row["definition"] == own and n == linked.counts[DROPOUT] and whole == linked.value(ended):
        return DROPOUT, "ended"
    part, rest, total = (f"{what} by {row['definition']}" for what in ("dropout", "no dropout", "ended"))
    linked.counts[part] = n
    if whole != linked.value(ended):
        linked.counts[rest] = whole - n
        linked.sums[total] = {part: 1, rest: 1}
        return part, total
    linked.sums[rest] = ended | {part: -1}
    if n <= linked.counts[DROPOUT] + linked.counts[PLANNED]:
        linked.sums[f"planned by {row['definition']}"] = {DROPOUT: 1, PLANNED: 1, part: -1}
    return part, "ended"


def _nest(linked: Linked, parts: Mapping[str, str]) -> None:
    """Who came to fewer than two sessions also came to fewer than three; who was judged to leave early also left."""
    pairs = list(itertools.pairwise([one for one in _NESTED if one in parts]))
    if parts.get(DropoutDefinition.UNILATERAL) == DROPOUT and DropoutDefinition.THERAPIST_JUDGED in parts:
        pairs.append((DropoutDefinition.THERAPIST_JUDGED, DropoutDefinition.UNILATERAL))
    for few, more in pairs:
        if linked.counts[parts[more]] >= linked.counts[parts[few]]:
            linked.sums[f"dropout by {more} and not by {few}"] = {parts[more]: 1, parts[few]: -1}


def likeness(con: duckdb.DuckDBPyConnection, own: str, teller: Teller) -> dict[str, str]:
    """How far each other definition counts the same clients as the study's own, in a word; empty where not told.

    The word comes from told counts of who is a dropout under both, one or none, so it gives away no more than they do;
    the agreement itself would: a table of whole numbers can be worked out from two decimals of it.
    """
    rows = con.execute(
        """select other.definition,
            count(*) filter (own.state = 'dropout' and other.state = 'dropout'),
            count(*) filter (own.state = 'dropout' and other.state = 'planned'),
            count(*) filter (own.state = 'planned' and other.state = 'dropout'),
            count(*) filter (own.state = 'planned' and other.state = 'planned')
        from core_dropout_labels as own
        inner join core_dropout_labels as other on own.episode_id = other.episode_id
        where own.definition = $own and other.definition <> $own
        group by other.definition order by other.definition""",
        {"own": own},
    ).fetchall()
    names = ("both", "own only", "other only", "neither")
    return {
        definition: _word(
            teller.all_or_none(f"dropout by {own} and by {definition}", dict(zip(names, cells, strict=True)))
        )
        for definition, *cells in rows
    }


def _word(told: dict[str, int] | None) -> str:
    if told is None:
        return ""
    both, own, other, neither = told.values()
    found = agreement([[both, own], [other, neither]]).ac1
    return (
        "almost the same clients"
        if found >= _SAME
        else "partly the same clients"
        if found >= _PARTLY
        else "other clients"
    )
