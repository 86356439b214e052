"""How good the data are: the audit in a report's words.

A check that few rows break and one that none breaks read the same: a line that comes and goes would tell of one client.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from outcomes.audit.results import Severity, Status
from outcomes.disclosure import Shown, Teller
from outcomes.report.page.blocks import Block, note, paragraph, table
from outcomes.report.page.pieces import Given, Kind, Piece, Words, say
from outcomes.report.reading.plain_words import plain
from outcomes.report.reading.rows import table_rows
from outcomes.report.sections.report_section import ReportSection, Source

_SEVERITIES = (Severity.FATAL, Severity.WARNING, Severity.INFO)
CARRIED_OUT = (Status.PASSED, Status.FAILED)
"""The others found nothing to check, or ended in an error."""
_SHARES = ((0.01, "hardly any"), (0.1, "some"), (0.5, "many"), (1.0, "most"))
"""Largest share of the rows, and its word; coarse, because the same rows are counted elsewhere in the report."""


def _blocks(source: Source) -> tuple[Block, ...]:
    """Checks that enough rows break, and those that could not be carried out; table `dq_results`.

    `statements` are the checks' rules by id: the sentences of the table hold exact counts.
    """
    con, teller, statements = source.con, source.teller, source.statements
    rows = sorted(
        table_rows(con, "dq_results"), key=lambda row: (_SEVERITIES.index(Severity(row["severity"])), row["check_id"])
    )
    found = {row["check_id"]: broken_in(row, teller) for row in rows}
    n_carried_out = sum(Status(row["status"]) in CARRIED_OUT for row in rows)
    lines: list[tuple[Piece | Words, ...]] = [
        (Given(plain(statements[row["check_id"]])), row["category"], found[row["check_id"]])
        for row in rows
        if found[row["check_id"]]
    ]
    least = Given(str(teller.rule.minimum_count))
    sentence = (
        "{open} of {all} automatic checks that these data allow {verb} broken in {least} rows or more."
        if lines
        else "None of {all} automatic checks that these data allow is known to be broken in {least} rows or more."
    )
    opened = {"open": Given(str(len(lines))), "verb": "is" if len(lines) == 1 else "are"} if lines else {}
    said = say(sentence, all=Given(f"{n_carried_out:,}"), least=least, **opened)
    blocks: list[Block] = [paragraph(said)]
    if lines:
        small = say(
            "Every other check is broken in fewer than {least} rows or in none, or does not apply to these data.",
            least=least,
        )
        blocks += [table(("What should hold", "About", "Broken in"), lines, n_labels=3), note(small)]
    return (*blocks, *_not_carried_out(rows, statements))


def broken_in(row: dict, teller: Teller) -> Given | str:
    """In which share of the rows, in a word; empty where few or none break it."""
    if Status(row["status"]) is not Status.FAILED:
        return ""
    told: Shown = teller.count(f"rows that break {row['check_id']}", row["n_violated"] or 0)
    if told.value is None:
        return ""
    share = told.value / max(row["n_denominator"] or 0, told.value)
    return next(word for most, word in _SHARES if share <= most)


def _not_carried_out(rows: Sequence[dict], statements: Mapping[str, str]) -> tuple[Block, ...]:
    """Checks that ended in an error have found nothing, neither good nor bad."""
    wrong = [plain(statements[row["check_id"]]) for row in rows if Status(row["status"]) is Status.ERROR]
    said = f"Not checked, because the check itself ended in an error: {' '.join(wrong)}"
    return (note(Given(said, Kind.REASON)),) if wrong else ()


SECTION = ReportSection("quality", "How good the data are", _blocks)
