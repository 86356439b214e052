"""Tables with margins: what may stand together, in one release and beside all earlier ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from outcomes.disclosure.counts import Cell, Reason, Shown, told_cell
from outcomes.disclosure.reader import View, first_revealed
from outcomes.study.settings import Disclosure

Sums = Mapping[str, Mapping[str, int]]
"""Name of a sum: how often each part counts in it; -1 takes a part away."""

PART, REST, WHOLE = "part", "rest", "whole"
SHARE: Sums = {WHOLE: {PART: 1, REST: 1}}


@dataclass(frozen=True)
class Table:
    """Parts and their sums as one release told them.

    Attributes
    ----------
    cells : dict of str to Cell
        By name: parts first, then sums.
    sums : dict of str to dict of str to int
        The parts of each sum, and how often each counts.
    """

    cells: dict[str, Cell]
    sums: dict[str, dict[str, int]]

    @property
    def parts(self) -> list[str]:
        """Names of the parts."""
        return [name for name in self.cells if name not in self.sums]


@dataclass(frozen=True)
class ShownTable:
    """The parts of a total, and the total, safe to stand beside each other."""

    parts: tuple[Shown, ...]
    total: Shown


@dataclass(frozen=True)
class ShownCross:
    """A two-way table with its margins, safe to stand beside each other.

    Attributes
    ----------
    cells : tuple of tuple of Shown
        One tuple a row.
    rows, columns : tuple of Shown
        Sums of the rows and of the columns.
    total : Shown
        Sum of all.
    """

    cells: tuple[tuple[Shown, ...], ...]
    rows: tuple[Shown, ...]
    columns: tuple[Shown, ...]
    total: Shown


def tell(
    counts: Mapping[str, int],
    sums: Sums,
    rule: Disclosure,
    earlier: Sequence[Table] = (),
    untold: Sequence[str] = (),
    unprinted: Sequence[str] = (),
    first: Sequence[str] = (),
) -> Table:
    """Decide what may be told of a table beside all that earlier releases told of it.

    Each count on its own follows `told_cell`. Where a reader of everything could still work out a small count or a
    small change (`reader.Ranges`), the smallest number that would be told is withheld too, and so on, sums last.

    Parameters
    ----------
    counts : mapping of str to int
        The parts.
    sums : mapping of str to mapping of str to int
        The parts of each sum that is told beside them; a sum is never below 0, and a reader knows that.
    rule : Disclosure
        The study's thresholds.
    earlier : sequence of Table
        The same table in earlier releases, oldest first; parts and sums that one of them lacks were not told then.
    untold : sequence of str
        Parts of which nothing is told but that they are not small.
    unprinted : sequence of str
        Parts and sums of which nothing is told, which a reader could still work out from the others.
    first : sequence of str
        Parts and sums that are withheld before any other, in this order.
    """
    lost = {part: 0 for table in earlier for part in table.parts if part not in counts and part not in sums}
    counts = dict(counts) | lost  # parts that this release no longer has are still there, with nobody in them
    values = dict(counts) | {name: sum(times * counts[part] for part, times in of.items()) for name, of in sums.items()}
    cells = {}
    for name, count in values.items():
        if name in untold:
            cells[name] = Cell(None, Reason.REVEALING, rule.minimum_count, None, count)
        elif name in unprinted or name in lost:
            cells[name] = Cell(None, Reason.REVEALING, 0, None, count)
        else:
            cells[name] = told_cell(count, rule, told_before(earlier, name))
    history = _turning_points([_in_shape(table, cells, sums) for table in earlier])
    found: list[np.ndarray] = []
    while True:
        table = Table(cells, {name: dict(of) for name, of in sums.items()})
        view, truth = _view([*history, table])
        revealed = first_revealed(view, rule.minimum_count, [*found] if truth is None else [truth, *found], found)
        if revealed is None:
            return table
        is_open = {name: cell for name, cell in cells.items() if cell.value is not None}
        if is_open:
            # By the number that would be told: a choice by the true one would tell about it.
            touching = _touching(list(cells)[revealed.key], is_open, sums) or list(is_open)
            name = min(
                touching,
                key=lambda one: (
                    first.index(one) if one in first else len(first),
                    one in sums,
                    is_open[one].value,
                    list(cells).index(one),
                ),
            )
            cells = cells | {name: cells[name].withheld()}
        else:  # not even that they are few
            return Table({name: cell.withheld() for name, cell in cells.items()}, table.sums)


def _touching(name: str, is_open: Mapping[str, Cell], sums: Sums) -> list[str]:
    """Numbers that would be told and that stand in one sum with the named one, or are made of its parts."""

    def parts(one: str) -> set[str]:
        return set(sums.get(one, {one: 1}))

    near = parts(name).union(*(of for of in sums.values() if not parts(name).isdisjoint(of)))
    return [one for one in is_open if not near.isdisjoint(parts(one))]


def told_before(earlier: Sequence[Table], name: str) -> list[int]:
    """Numbers that earlier releases told of one part or sum, oldest first."""
    cells = [table.cells[name] for table in earlier if name in table.cells]
    return [cell.value for cell in cells if cell.value is not None]


def _in_shape(table: Table, cells: Mapping[str, Cell], sums: Sums) -> Table:
    """An earlier table with today's parts and sums; what it did not tell is open, and so is a number that it told by
    itself and that is a sum today: its parts of then are others."""
    nobody = Cell(None, Reason.REVEALING, 0, None, 0)
    by_itself = set(table.parts) & set(sums)
    of_then = {name: cell for name, cell in table.cells.items() if name not in by_itself}
    return Table({name: of_then.get(name, nobody) for name in cells}, {name: dict(of) for name, of in sums.items()})


def tell_share(part: int, whole: int, rule: Disclosure, earlier: Sequence[Table] = ()) -> Table | None:
    """Decide what may be told of a part and its whole; None where the part or the rest is small: nothing then."""
    if min(part, whole - part) < rule.minimum_count:
        return None
    return tell({PART: part, REST: whole - part}, SHARE, rule, earlier, untold=(REST,))


def one_way(counts: Mapping[str, int], total: str) -> Sums:
    """Return the only sum of a one-way table."""
    return {total: dict.fromkeys(counts, 1)}


def view_of(tables: Sequence[Table]) -> View:
    """Return what a reader knows of a table from all releases, oldest first."""
    return _view(tables)[0]


def _view(tables: Sequence[Table]) -> tuple[View, np.ndarray | None]:
    """Return the view, and the true parts where all releases' are known."""
    parts, names = tables[-1].parts, list(tables[-1].cells)
    sums = np.array([[of.get(part, 0) for part in parts] for of in tables[-1].sums.values()], dtype=int)
    low = np.array([[table.cells[name].low for name in names] for table in tables], dtype=float)
    high = np.array(
        [[np.inf if (top := table.cells[name].high) is None else top for name in names] for table in tables]
    )
    truth = np.array([[table.cells[part].count for part in parts] for table in tables])
    view = View(sums.reshape(-1, len(parts)), low, high, np.zeros((len(tables) - 1, len(names)), dtype=int))
    is_whole = _is_whole(view, truth)
    grew = _growth(truth @ view.all_counts.T, len(parts), is_whole)
    return replace(view, grew=grew), truth if is_whole.all() else None


def _is_whole(view: View, truth: np.ndarray) -> np.ndarray:
    """Say of each release whether its true parts are known: one that had other parts (the same number was a part then
    and is a sum now) was told numbers that today's parts, counted as nobody there, do not add up to."""
    counts = truth @ view.all_counts.T
    return ((view.low <= counts) & (counts <= view.high)).all(axis=1)


def _growth(counts: np.ndarray, n_parts: int, is_whole: np.ndarray) -> np.ndarray:
    """Whether each count only grew (1), only shrank (-1) or neither (0) with all parts of its table between successive
    releases; 0 where that is not known."""
    moves = np.diff(counts, axis=0)
    parts, is_known = moves[:, :n_parts], (is_whole[1:] & is_whole[:-1])[:, None]
    rose, fell = (parts >= 0).all(axis=1, keepdims=True), (parts <= 0).all(axis=1, keepdims=True)
    return np.where(is_known & rose & (moves >= 0), 1, np.where(is_known & fell & (moves <= 0), -1, 0))


def _turning_points(tables: Sequence[Table]) -> list[Table]:
    """Leave out releases that tell a reader nothing more than the others do.

    That is a release amid two that told the same while the table moved one way, and one that told what an earlier one
    told while the table moved neither way before or after either.
    """
    if not tables:
        return []
    view, _ = _view(tables)
    told = [(tuple(low), tuple(high)) for low, high in zip(view.low, view.high, strict=True)]
    still = (0,) * view.grew.shape[1]
    grew, kept, alone = (still, *map(tuple, view.grew.tolist()), still), [], set()
    for place, table in enumerate(tables):
        before, after = grew[place], grew[place + 1]
        is_between = before != still and before == after and told[place - 1] == told[place] == told[place + 1]
        is_last = place == len(tables) - 1  # its growth to the next one is not known yet
        is_alone = before == after == still and not is_last
        if is_between or (is_alone and told[place] in alone):
            continue
        if is_alone:
            alone.add(told[place])
        kept.append(table)
    return kept
