"""How good the data are: the audit in a report's words."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from outcomes.disclosure import Shown, shown_count, shown_percent
from outcomes.report.page.blocks import Section, paragraph, table
from outcomes.report.page.pieces import Given, say
from outcomes.report.reading.tables import table_rows
from outcomes.report.reading.words import plain
from outcomes.study.settings import Disclosure, StudySettings

_SEVERITIES = ("fatal", "warning", "info")


def section(con: duckdb.DuckDBPyConnection, settings: StudySettings, statements: Mapping[str, str]) -> Section:
    """Checks by status, and the open ones with their share; table `dq_results`.

    `statements` are the checks' rules by id: the sentences of the table hold exact counts.
    """
    rows = table_rows(con, "dq_results")
    statuses = [row["status"] for row in rows]
    open_ones = [row for row in rows if row["status"] in ("failed", "error")]
    open_ones.sort(key=lambda row: (_SEVERITIES.index(row["severity"]), row["check_id"]))
    said = say(
        "Of the automatic checks of the data, {passed} passed, {open} {need} a look, and {others} did not apply to "
        "these data.",
        passed=Given(str(statuses.count("passed"))),
        open=Given(str(len(open_ones))),
        need="needs" if len(open_ones) == 1 else "need",
        others=Given(str(statuses.count("not_applicable"))),
    )
    lines = [
        (Given(plain(statements[row["check_id"]])), row["category"], _share(row, settings.disclosure))
        for row in open_ones
    ]
    found = (table(("What should hold", "About", "Broken in"), lines, n_labels=2),) if lines else ()
    return Section("quality", "How good the data are", (paragraph(said), *found))


def _share(row: dict, rule: Disclosure) -> Shown | Given:
    """How many break a rule: a percentage, or that they are few."""
    violated, whole = row["n_violated"] or 0, row["n_denominator"] or 0
    about = f"rows that break {row['check_id']}"
    if violated < rule.minimum_count:
        return shown_count(violated, rule, about)
    return shown_percent(violated, whole, rule, f"{about}, of all")
