"""What is kept of rejected rows and refused files: where, which rule, a plain reason."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from outcomes.contract import RULE_REASONS, Rule
from outcomes.store.formula_cells import neutral_cell

HEADER = ("file", "line", "rule", "other_rules", "column", "reason", "row")


@dataclass(frozen=True)
class RejectedRow:
    """One rejected row: its physical line, its rules in the contract's order, the columns meant, its cells.

    `cells` are by column where the row fits the header, a list where it does not, and None where they may not be kept.
    """

    line: int
    rules: tuple[Rule, ...]
    columns: tuple[str, ...]
    cells: dict[str, str] | list[str] | None


def quarantine_text(file_name: str, rejected: Iterable[RejectedRow]) -> str:
    """Write the quarantine CSV of one file."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADER)
    for row in rejected:
        others = " ".join(row.rules[1:])
        reason = RULE_REASONS[row.rules[0]]
        columns = " ".join(dict.fromkeys(filter(None, row.columns)))
        writer.writerow(
            [
                neutral_cell(file_name),
                row.line,
                row.rules[0],
                others,
                neutral_cell(columns),
                reason,
                _cells_text(row.cells),
            ]
        )
    return out.getvalue()


def _cells_text(cells: dict[str, str] | list[str] | None) -> str:
    if cells is None:
        return ""
    if isinstance(cells, dict):
        return json.dumps({neutral_cell(name): neutral_cell(cell) for name, cell in cells.items()}, ensure_ascii=False)
    return json.dumps([neutral_cell(cell) for cell in cells], ensure_ascii=False)


def count_by_rule(rejected: Iterable[RejectedRow]) -> dict[Rule, int]:
    """Count rows by the first rule that they break, in the contract's order."""
    counts = Counter(row.rules[0] for row in rejected)
    return {rule: counts[rule] for rule in Rule if counts[rule]}
