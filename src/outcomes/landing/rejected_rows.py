"""From broken records and rows to what the quarantine keeps of them, and how many a file may have."""

from __future__ import annotations

from dataclasses import replace

from outcomes.contract import Refusal, Rule
from outcomes.landing.formats.source_rows import SourceRows
from outcomes.landing.identifiers.door import MISALIGNED
from outcomes.landing.pseudonyms import PseudonymKey, pseudonymised_cells
from outcomes.landing.quarantine import RejectedRow
from outcomes.landing.refusal import FileRefused, counted
from outcomes.landing.rules.columns import ColumnPlan
from outcomes.landing.rules.row_rules import Breach
from outcomes.study import StudyFolder

_ALIKE = "where two practices number their clients alike, put the practice before each id, e.g. north-17"


def rejected_rows(rows: SourceRows, plan: ColumnPlan, breaches: dict[int, list[Breach]]) -> list[RejectedRow]:
    """Bring malformed records and broken rows together in file order, with their cells."""
    broken: dict[int, list[Breach]] = {record: [Breach(rule)] for record, rule in rows.malformed.items()}
    broken |= {int(rows.well_formed[row]): found for row, found in breaches.items()}
    records = sorted(broken)
    rejected = []
    for record, cells in zip(records, rows.raw_cells(records), strict=True):
        found = broken[record]
        kept: dict[str, str] | list[str] = cells
        if len(cells) == len(plan.header) and record not in rows.malformed:
            kept = {plan.header[place]: cells[place] for place in plan.places}
        rejected.append(
            RejectedRow(
                int(rows.lines[record]), tuple(dict.fromkeys(breach.rule for breach in found)),
                tuple(breach.column for breach in found), kept,
            )
        )  # fmt: skip
    return rejected


def broken_cells(rejected: list[RejectedRow]) -> dict[str, set[str]]:
    """Return the distinct texts of broken rows by column, those of rows that do not fit the header apart."""
    texts: dict[str, set[str]] = {MISALIGNED: set()}
    for row in rejected:
        if isinstance(row.cells, dict):
            for name, cell in row.cells.items():
                texts.setdefault(name, set()).add(cell.strip())
        else:
            texts[MISALIGNED].update(cell.strip() for cell in row.cells)
    return texts


def as_kept(row: RejectedRow, plan: ColumnPlan, key: PseudonymKey | None) -> RejectedRow:
    """Blank a misaligned row where columns are dropped or ids replaced: it cannot be said which cells these are."""
    if isinstance(row.cells, dict):
        return replace(row, cells=pseudonymised_cells(row.cells, plan, key)) if key else row
    return replace(row, cells=None) if plan.dropped or key else row


def refuse_too_many(study: StudyFolder, n_records: int, by_rule: dict[Rule, int]) -> None:
    """Refuse a file of which a larger share of rows is bad than the study allows.

    Raises
    ------
    FileRefused
        With counts by rule.
    """
    n_bad, most = sum(by_rule.values()), study.settings.landing.max_bad_share
    if n_bad <= most * n_records:
        return
    rules = ", ".join(f"{rule}: {n:,}" for rule, n in by_rule.items())
    alike = f"; {_ALIKE}" if Rule.CONFLICTING_ROWS in by_rule else ""
    refusal = FileRefused(
        Refusal.TOO_MANY_BAD_ROWS,
        f"{n_bad:,} of {counted(n_records, 'row')} are bad ({n_bad / n_records:.1%}, allowed {most:.1%}): {rules}",
        f"see quarantine/ for lines and reasons; mend the export, or max_bad_share in [landing] of study.toml{alike}",
    )
    refusal.rows_read, refusal.quarantined_by_rule = n_records, by_rule
    raise refusal
