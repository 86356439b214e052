"""A table in parts: who reads them, and the model's columns that all of them share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Protocol

from outcomes.errors import FitRefused, FormulaError
from outcomes.mixed.design.coding import Design
from outcomes.mixed.design.population import look_at_part, open_population
from outcomes.mixed.partitions import Partitions

Levels = dict[str, list]


class Places(Protocol):
    """Where parts are read and evaluated: threads of this process (`outcomes.workers.in_threads`) or Dask workers
    (`outcomes.workers.on_cluster`). Institutions answer the same two questions by files (`outcomes.federation`)."""

    def keep(self, function: Callable[..., Any], jobs: Sequence[tuple]) -> list[Any]:
        """Call `function(*job)` for each job, one a place; the results stay there."""

    def ask(self, function: Callable[..., Any], kept: Sequence[Any], *arguments: Any) -> list[Any]:
        """Call `function(one, *arguments)` on what each place keeps, and bring the results here, in order."""


@dataclass(frozen=True)
class Part:
    """One part of a table, and what is asked of it."""

    partitions: Partitions
    number: int
    formula: str
    weights: str | None
    levels: Levels | None = None

    @contextmanager
    def open(self, *, with_rows: bool = True) -> Iterator[Design]:
        """The model's columns over the part's rows, or over none of them."""
        with self.partitions.open(self.number) as relation:
            rows = relation if with_rows else relation.limit(0)
            yield open_population([self.formula], rows, self.weights, self.levels).design(self.formula)


def look_at_all(
    formula: str, partitions: Partitions, places: Places, weights: str | None, levels: Levels | None
) -> tuple[Design, list[Part], int]:
    """The model's columns, the parts that have complete rows, and how many rows are not complete in all parts.

    Raises
    ------
    FormulaError
        A random term whose levels may lie in two parts; a transformation that must know all rows.
    FitRefused
        No row is complete.
    StorageError
        A part that a place cannot read.
    """
    parts, n_complete = with_levels_of_all(formula, partitions, places, weights, levels)
    filled = [part for part, n in zip(parts, n_complete, strict=True) if n]
    if not filled:
        raise FitRefused("No row is complete in the model's columns.", "look at which columns are missing")
    with filled[0].open(with_rows=False) as design:
        refuse_split_levels(design.groups, partitions)
    return design, filled, sum(partitions.n_rows) - sum(n_complete)


def with_levels_of_all(
    formula: str, partitions: Partitions, places: Places, weights: str | None, levels: Levels | None
) -> tuple[list[Part], list[int]]:
    """All parts with the levels that the categorical predictors have in any, and how many complete rows each has.

    Raises
    ------
    FormulaError
        A transformation that must know all rows.
    StorageError
        A part that a place cannot read.
    """
    asked = [Part(partitions, number, formula, weights, levels) for number in range(len(partitions.n_rows))]
    facts = places.ask(_look, asked)
    levels = _all_levels([found for _, found in facts]) | (levels or {})
    return [replace(part, levels=levels) for part in asked], [n_complete for n_complete, _ in facts]


def _look(part: Part) -> tuple[int, Levels]:
    """Complete rows of a part, and the levels of its categorical predictors."""
    with part.partitions.open(part.number) as relation:
        return look_at_part(part.formula, relation, part.weights)


def _all_levels(found: list[Levels]) -> Levels:
    return {
        name: sorted({level for one in found for level in one.get(name, ())})
        for name in dict.fromkeys(name for one in found for name in one)
    }


def refuse_split_levels(groups: Iterable[tuple[str, ...]], partitions: Partitions) -> None:
    """Refuse grouping factors whose levels may lie in two parts.

    Raises
    ------
    FormulaError
    """
    for group in groups:
        if not partitions.together.intersection(group):
            raise FormulaError(
                f"The model groups by {':'.join(group)}, whose levels may lie in two parts.",
                f"write the partitions with it among `groups`; these keep {', '.join(sorted(partitions.together))}",
            )
