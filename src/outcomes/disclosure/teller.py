"""Everything that one release tells of people and sessions passes through here, and is written down."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from outcomes.disclosure.counts import WHOLE_NUMBER, WITHHELD, Cell, Reason, Shown, share, told_cell
from outcomes.disclosure.tables import (
    PART,
    REST,
    SHARE,
    WHOLE,
    ShownCross,
    ShownTable,
    Sums,
    Table,
    one_way,
    tell,
    tell_share,
)
from outcomes.errors import UsageError
from outcomes.study.settings import Disclosure

TOTAL = "all"


@dataclass(frozen=True)
class Told:
    """All that one release told.

    Attributes
    ----------
    release_id : str
        The release.
    counts : dict of str to Cell
        Counts that stand alone, by what they are about.
    tables : dict of str to Table
        Tables and shares, by what they are about.
    """

    release_id: str
    counts: dict[str, Cell] = field(default_factory=dict)
    tables: dict[str, Table] = field(default_factory=dict)


class Teller:
    """Decide what one release may tell beside all that earlier ones told, and keep it for the ledger.

    Each method wants `about`: what the number is of, in words that stay the same from release to release ("sessions in
    model dropout"), never an id. What was told once in a release is told the same again.

    Parameters
    ----------
    rule : Disclosure
        The study's thresholds.
    earlier : sequence of Told
        What earlier releases told, oldest first.
    release_id : str
        The release that is written.
    """

    def __init__(self, rule: Disclosure, earlier: Sequence[Told] = (), release_id: str = "") -> None:
        self.rule, self.earlier = rule, tuple(earlier)
        self.told = Told(release_id)
        self._sentences: Counter[str] = Counter()
        self._texts: dict[str, str] = {}

    def count(self, about: str, count: int) -> Shown:
        """Return a count as it may be told: suppressed, rounded, or as it was told before."""
        before = [cell.value for told in self.earlier if (cell := told.counts.get(about)) and cell.value is not None]
        return self._once(self.told.counts, about, told_cell(count, self.rule, before)).shown(self.rule)

    def table(self, about: str, counts: Mapping[str, int]) -> ShownTable:
        """Return the parts of one total as they may stand beside it; `counts` by the name of each part."""
        told = self._table(about, counts, one_way(counts, TOTAL))
        shown = [cell.shown(self.rule) for cell in told.cells.values()]
        return ShownTable(tuple(shown[:-1]), shown[-1])

    def cross(
        self, about: str, rows: Sequence[str], columns: Sequence[str], counts: Sequence[Sequence[int]]
    ) -> ShownCross:
        """Return a two-way table and its margins as they may stand together; `counts` one sequence per row."""
        names = [[f"{row}, {column}" for column in columns] for row in rows]
        parts = {name: n for line, ns in zip(names, counts, strict=True) for name, n in zip(line, ns, strict=True)}
        sums = {f"{row}, {TOTAL}": dict.fromkeys(line, 1) for row, line in zip(rows, names, strict=True)}
        sums |= {
            f"{TOTAL}, {column}": dict.fromkeys(one, 1)
            for column, one in zip(columns, zip(*names, strict=True), strict=True)
        }
        told = self._table(about, parts, sums | one_way(parts, TOTAL))
        shown = {name: cell.shown(self.rule) for name, cell in told.cells.items()}
        return ShownCross(
            cells=tuple(tuple(shown[name] for name in line) for line in names),
            rows=tuple(shown[f"{row}, {TOTAL}"] for row in rows),
            columns=tuple(shown[f"{TOTAL}, {column}"] for column in columns),
            total=shown[TOTAL],
        )

    def joint(
        self,
        about: str,
        counts: Mapping[str, int],
        sums: Sums,
        unprinted: Sequence[str] = (),
        first: Sequence[str] = (),
    ) -> Table:
        """Return all that may be told of numbers that hang together, wherever they stand in the report.

        Parameters
        ----------
        about : str
            What they are of.
        counts : mapping of str to int
            Parts by name, 0 or more.
        sums : mapping of str to mapping of str to int
            Sums and differences of parts that are told, or that a reader could form, too.
        unprinted : sequence of str
            Names of which nothing is told.
        first : sequence of str
            Names that are withheld before any other, in this order.
        """
        done = self.told.tables.get(about)
        if done is not None and all(done.cells[name].count == n for name, n in counts.items() if name in done.cells):
            return done
        before = [told.tables[about] for told in self.earlier if about in told.tables]
        return self._once(self.told.tables, about, tell(counts, sums, self.rule, before, (), unprinted, first))

    def share_of(self, told: Table, part: str, whole: str) -> Shown:
        """Return a share in whole percent of two numbers of a joint table; withheld where the rest may be small."""
        if not told.cells[whole].count - told.cells[part].count >= self.rule.minimum_count:
            return Shown(None, WITHHELD.text, Reason.SMALL)
        return share(told.cells[part], told.cells[whole])

    def all_or_none(self, about: str, counts: Mapping[str, int]) -> dict[str, int] | None:
        """Return several counts as they are told; None where one of them is small.

        What is worked out from the told numbers only gives away nothing that they would not.
        """
        if not all(map(self.are_enough, counts.values())):
            return None
        return {name: self.count(f"{about}: {name}", n).value for name, n in counts.items()}

    def are_enough(self, n: int) -> bool:
        """Say whether so many people or sessions are no small number."""
        return n >= self.rule.minimum_count

    def share_or_few(self, about: str, part: int, whole: int) -> Shown:
        """Return a share in percent, or that the part is small."""
        return self.percent(f"{about}, of all", part, whole) if self.are_enough(part) else self.count(about, part)

    def percent(self, about: str, part: int, whole: int) -> Shown:
        """Return a share in whole percent; withheld where the part or the rest is small, or was told to be so."""
        told = tell_share(part, whole, self.rule, self._before(about, (PART, REST), SHARE))
        if told is None:
            return Shown(None, WITHHELD.text, Reason.SMALL)
        told = self._once(self.told.tables, about, told)
        return share(told.cells[PART], told.cells[WHOLE])

    def text(self, text: str) -> str:
        """Treat every whole number in a sentence as a count; what it is about is the sentence without its numbers.

        The same sentence told again, in another document say, is told with the same numbers.
        """
        if text in self._texts:
            return self._texts[text]
        bare = WHOLE_NUMBER.sub("#", text)
        self._sentences[bare] += 1
        about = f"sentence {sha256(bare.encode()).hexdigest()[:12]}/{self._sentences[bare]}"
        places = iter(range(1, len(text)))

        def shown(found: re.Match[str]) -> str:
            return self.count(f"{about}/{next(places)}", int(found[0].replace(",", ""))).text

        self._texts[text] = WHOLE_NUMBER.sub(shown, text)
        return self._texts[text]

    def _table(self, about: str, counts: Mapping[str, int], sums: Sums) -> Table:
        return self._once(
            self.told.tables, about, tell(counts, sums, self.rule, self._before(about, tuple(counts), sums))
        )

    def _before(self, about: str, parts: tuple[str, ...], sums: Sums) -> list[Table]:
        """The same table in earlier releases; one of other parts is another table."""
        found = [told.tables[about] for told in self.earlier if about in told.tables]
        return [
            one for one in found if tuple(one.parts) == parts and one.sums == {n: dict(of) for n, of in sums.items()}
        ]

    def _once(self, told: dict, about: str, new: Cell | Table) -> Cell | Table:
        if not about:
            raise UsageError("A report tells a number without saying what it is about", "give `about`")
        if told.setdefault(about, new) != new:
            raise UsageError(f"Two different numbers are told about the same thing: {about}", "name them apart")
        return new
