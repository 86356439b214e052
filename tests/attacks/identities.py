"""What the printed numbers of releases have to do with each other: the attacker's system of equations.

A quantity is a tuple of words: ("ending", "dropped out"), ("definition", "the client came to fewer than two sessions"),
("sessions", branch, reason), ("clients", branch, reason), ("check", statement). An unknown is (release, quantity).
"""

from __future__ import annotations

import calendar
import itertools
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

from agreements import fitting
from delivered import Delivered, Table
from rules import Rule, estimate, whole
from tables_that_fit import Unknowns

DROPPED, PLANNED, OTHER, UNKNOWN, ALL = "dropped out", "ended as planned", "ended for another", "not known", "all"
ENDINGS = (DROPPED, PLANNED, OTHER, UNKNOWN)
OWN = " (this study)"
JUDGED = "the therapist judged the ending to be premature"
NESTED = tuple(f"the client came to fewer than {n} sessions" for n in ("two", "three", "four"))
PARTIAL = "the client came to fewer sessions than were planned"  # not every episode has a plan
SLACK_FIRST, SLACK_LATER = 2, 10  # how far a told count is from the truth when it is new, and when it is repeated
Quantity = tuple[str, ...]


class Move(Enum):
    """What the attacker knows of the step from one release to the next."""

    GREW = 1  # nobody left a table
    SHRANK = -1
    EITHER = 0


@dataclass
class Attack:
    """Everything that follows from releases, oldest first.

    Attributes
    ----------
    unknowns : Unknowns
    hidden, open : list of (int, Quantity)
        Counts that were not printed, and those that were.
    gave_up : int
        Agreements whose tables were too many to try.
    one_course : bool
        Whether the attacker knows that nobody came back for a second course.
    """

    unknowns: Unknowns = field(default_factory=Unknowns)
    hidden: list[tuple[int, Quantity]] = field(default_factory=list)
    open: list[tuple[int, Quantity]] = field(default_factory=list)
    gave_up: int = 0
    one_course: bool = True
    rule: Rule = field(default_factory=Rule)
    _before: dict[Quantity, list[int]] = field(default_factory=dict)

    def learn(self, releases: Sequence[Delivered], moves: Sequence[Move] = ()) -> Attack:
        """Read all releases; `moves` says what is known of each step between two."""
        for at, one in enumerate(releases):
            _flow(self, at, one)
            _endings(self, at, one)
            _definitions(self, at, one)
        _checks(self, releases)
        for at, move in enumerate(moves):
            self._link(at, move)
        return self

    def _link(self, at: int, move: Move) -> None:
        of = {place: {q for where, q in (*self.hidden, *self.open) if where == place} for place in (at, at + 1)}
        for quantity in of[at] & of[at + 1] if move is not Move.EITHER else ():
            self.unknowns.link({(at + 1, quantity): move.value, (at, quantity): -move.value}, 0, math.inf)

    def read(self, at: int, quantity: Quantity, printed: str) -> None:
        """Learn one printed count."""
        before = self._before.setdefault(quantity, [])
        self.unknowns.about((at, quantity), *self.rule.behind(printed, before))
        value = whole(printed)
        (self.hidden if value is None else self.open).append((at, quantity))
        if value is not None:
            before.append(value)


BEFORE_PEOPLE = ("rows with mistakes in them", "rows that a later file replaced")
"""Steps at which rows are not yet people."""
_RATED = ("guidance not rated", "satisfaction not rated")


def _flow(attack: Attack, at: int, one: Delivered) -> None:
    """Who was left out, step by step, sums up to who was there; the second branch starts inside the first."""
    part = one.parts.get("flow")
    for column, what in ((1, "sessions"), (2, "clients")):
        branches = [_branch(attack, at, table, column, what) for table in (part.tables if part else ())]
        for start, steps in branches:
            if start:
                attack.unknowns.equal({(at, start): 1} | {(at, step): -1 for step in steps})
        if len(branches) == 2 and branches[1][0]:
            (_, first), (start, _) = branches
            inside = [step for step in first if step[2] in _RATED or step is first[-1]]
            attack.unknowns.equal({(at, start): 1} | {(at, step): -1 for step in inside})


def _branch(attack: Attack, at: int, table: Table, column: int, what: str) -> tuple[Quantity | None, list[Quantity]]:
    """Read one branch; return its start, where it was printed, and its parts, who stayed last."""
    branch, start, steps = table.head[0], None, []
    for row in table.rows:
        few = re.match(r"left out, each (.*?): (.*)", row[0])
        name = re.sub(r" \(with .*", "", row[0].removeprefix("left out: "))
        names = few[2].split("; ") if few else [name]
        for reason in names:
            if (what == "clients" and reason in BEFORE_PEOPLE) or not (few or row[column]):
                continue
            # Rows that share a line are few, or not shown: who knows the rule does not believe "fewer than" there.
            attack.read(at, (what, branch, reason), "not shown" if few else row[column])
            if row is table.rows[0]:
                start = (what, branch, reason)
            else:
                steps.append((what, branch, reason))
    return start, steps


_DROPOUT_BRANCH = "For the questions on dropout"
NO_ENDING = tuple(
    ("sessions", _DROPOUT_BRANCH, f"last session of an episode {what}")
    for what in ("without a recorded ending", "that is open")
)
AT_RISK = ("clients", _DROPOUT_BRANCH, "At risk of dropout")


def _endings(attack: Attack, at: int, one: Delivered) -> None:
    """Four endings and their sum."""
    table = _dropout_table(one, "How courses of therapy ended")
    if table is None:
        return
    for row in table.rows:
        name = next(name for name in (*ENDINGS, ALL) if row[0].startswith(name))
        attack.read(at, ("ending", name), row[1])
    attack.unknowns.equal({(at, ("ending", ALL)): 1} | {(at, ("ending", name)): -1 for name in ENDINGS})
    leaving = [q for q in (*NO_ENDING,) if (at, q) in attack.unknowns]
    if len(leaving) == len(NO_ENDING):
        attack.unknowns.equal({(at, ("ending", UNKNOWN)): 1} | {(at, q): -1 for q in leaving})
    if attack.one_course and (at, AT_RISK) in attack.unknowns:
        attack.unknowns.equal({(at, ("ending", ALL)): 1, (at, AT_RISK): -1})


def _definitions(attack: Attack, at: int, one: Delivered) -> None:
    """Dropouts under each definition, from the shares; then from how far the definitions agree."""
    table, know = _dropout_table(one, "A client dropped out if", "Share"), attack.unknowns
    if table is None:
        return
    names = []
    for row in table.rows:
        name, is_own = row[0].removesuffix(OWN), row[0].endswith(OWN)
        quantity = ("definition", name)
        low, high = _behind_share(attack, at, row[1], is_own)
        know.about((at, quantity), low, high)
        (attack.hidden if estimate(row[1]) is None else attack.open).append((at, quantity))
        names.append(name)
        if is_own:
            know.equal({(at, quantity): 1, (at, ("ending", DROPPED)): -1})
        else:
            judged = {(at, ("ending", DROPPED)): 1, (at, ("ending", PLANNED)): 1, (at, quantity): -1}
            know.link(judged, 0, math.inf)
    for few, more in itertools.pairwise([name for name in NESTED if name in names]):
        know.link({(at, ("definition", more)): 1, (at, ("definition", few)): -1}, 0, math.inf)
    if JUDGED in names:
        know.link({(at, ("ending", DROPPED)): 1, (at, ("definition", JUDGED)): -1}, 0, math.inf)
    _agreement(attack, at, _dropout_table(one, "A client dropped out if", "Gwet"))


def _behind_share(attack: Attack, at: int, printed: str, is_own: bool) -> tuple[float, float]:
    """Counts behind a share of told counts: multiples of the rounding base, near the truth.

    In a whole study other definitions settle courses that the study's own leaves open, of clients who fell silent.
    """
    told = estimate(printed)
    if told is None:
        return 0, math.inf
    judged = {(at, ("ending", name)): 1 for name in (DROPPED, PLANNED, OTHER)}
    low, high = attack.unknowns.ends(judged)
    if not (is_own or attack.one_course):
        high = attack.unknowns.ends({(at, ("ending", ALL)): 1})[1]
    slack, base = SLACK_LATER if at else SLACK_FIRST, attack.rule.base
    off = 2 * slack + base  # two told counts and half of the threshold for a third
    wholes = range(max(low - off, 0) // base * base, high + off + base, base)
    parts = [
        part
        for whole_ in wholes
        for part in range(0, whole_ + 1, base)
        if whole_ and told.value[0] <= 100 * part / whole_ <= told.value[1]
    ]
    return (min(parts) - slack, max(parts) + slack) if parts else (0, math.inf)


def _agreement(attack: Attack, at: int, table: Table | None) -> None:
    know = attack.unknowns
    for row in table.rows if table else ():
        other = ("definition", row[0])
        ac1, kappa = estimate(row[1]), estimate(row[2]) if len(row) > 2 else None
        if row[0] == PARTIAL:
            continue
        if ac1 is None and kappa is None:
            continue
        sizes = [know.ends({(at, quantity): 1}) for quantity in (("ending", DROPPED), ("ending", PLANNED), other)]
        found = fitting(ac1, kappa, sizes[0], sizes[1], (0, 0) if row[0] == JUDGED else (0, 10**6), sizes[2])
        if found is None:
            attack.gave_up += 1
            continue
        cells = [(at, ("cell", row[0], name)) for name in ("both", "only own", "only other", "neither")]
        if len(found) > MOST_CHOICES:
            for place, cell in enumerate(cells):
                know.about(cell, found[:, place].min(), found[:, place].max())
        else:
            know.one_of(cells, found)
        both, own, only, neither = cells
        know.equal({both: 1, own: 1, (at, ("ending", DROPPED)): -1})
        know.equal({both: 1, only: 1, (at, other): -1})
        know.equal({only: 1, neither: 1, (at, ("ending", PLANNED)): -1})


MOST_CHOICES = 3_000


def _checks(attack: Attack, releases: Sequence[Delivered]) -> None:
    """A check that is in the table is broken; one that is in another release's table and not in this one is not."""
    found: list[tuple[dict[str, str], str]] = []
    for one in releases:
        part = one.parts.get("quality")
        table = part.table("What should hold") if part else None
        found.append(
            ({row[0]: row[-1] for row in table.rows} if table else {}, " ".join(part.sentences if part else []))
        )
    known = sorted({statement for rows, _ in found for statement in rows})
    for at, (rows, said) in enumerate(found):
        may_be_none = "or in none" in said
        for statement in known:
            quantity = ("check", statement)
            if statement in rows and re.search(r"\d", rows[statement]):
                attack.read(at, quantity, rows[statement])
                if not may_be_none:
                    attack.unknowns.about((at, quantity), 1)
            elif statement in rows:  # a share or words
                attack.unknowns.about((at, quantity), attack.rule.least)
                attack.open.append((at, quantity))
            else:
                attack.unknowns.about((at, quantity), 0, attack.rule.least - 1 if may_be_none else 0)
                attack.hidden.append((at, quantity))


def days_of_last_session(one: Delivered) -> int | None:
    """How many days the last session of the data may have been on; None where the page does not say."""
    part = one.parts.get("origin")
    told = next((row[1] for table in part.tables for row in table.rows if row[0] == "Data up to"), "") if part else ""
    if found := re.fullmatch(r"(\d+) (\w+) (\d{4})", told):
        return 1
    if found := re.fullmatch(r"(\w+) (\d{4})", told):
        return calendar.monthrange(int(found[2]), list(calendar.month_name).index(found[1]))[1]
    return None


def _dropout_table(one: Delivered, head: str, second: str = "") -> Table | None:
    part = one.parts.get("dropout")
    tables = part.tables if part else []
    return next((t for t in tables if t.head[0].startswith(head) and t.head[1].startswith(second)), None)
