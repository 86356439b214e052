"""Numbers that a formula needs of the data before it has columns: means, standard deviations, knots.

They are taken over all rows in which the expression is not missing, as R does, and kept: predictions use the numbers of
the data that the model was fitted to.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from outcomes.errors import FitRefused, FormulaError
from outcomes.mixed.design.data import VIEW, Source


class NotYetKnown(FormulaError):
    """A number of the data is needed that has not been read."""


@dataclass(frozen=True)
class Statistics:
    """Numbers by the SQL that computes them, and those that were asked for in vain."""

    known: dict[str, float] = field(default_factory=dict)
    wanted: dict[str, None] = field(default_factory=dict)

    def number(self, sql: str) -> float:
        """The number of an aggregate over the data.

        Raises
        ------
        NotYetKnown
            When it was not read; it is then in `wanted`.
        """
        if sql not in self.known:
            self.wanted[sql] = None
            raise NotYetKnown(
                "A transformation in the formula needs numbers of the data that were not read.",
                "prepare the data with this formula as well",
            )
        return self.known[sql]


def read_statistics(source: Source, compile_all: Callable[[Statistics], object]) -> dict[str, float]:
    """Read every number that compiling asks for, in as many passes as they depend on one another."""
    known: dict[str, float] = {}
    while True:
        statistics = Statistics(known)
        compile_all(statistics)
        if not statistics.wanted:
            return known
        wanted = list(statistics.wanted)
        selected = ", ".join(f"cast({sql} as double) as s{i}" for i, sql in enumerate(wanted))
        row = source.query(f"select {selected} from {VIEW}").to_pylist()[0]
        for i, sql in enumerate(wanted):
            if row[f"s{i}"] is None:
                raise FitRefused("No row has a value of a transformed column.", "look at which columns are missing")
            known[sql] = row[f"s{i}"]
