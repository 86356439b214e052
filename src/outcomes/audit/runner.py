"""The audit of one release: every suite by SQL inside its database, then a table, a JSON file and a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb

from outcomes.audit import compiled
from outcomes.audit.answerable import answerable, of_sources
from outcomes.audit.canary import prove_that_checks_see
from outcomes.audit.evaluation import NOT_EVALUATED, Evaluation
from outcomes.audit.page import checks_json, checks_page
from outcomes.audit.results import AuditReport, Category, CheckResult, Status
from outcomes.audit.suites import Check, read_suites
from outcomes.progress import tracked
from outcomes.store.files import read_json, write_json, write_text
from outcomes.store.warehouse import connect, insert_rows, transaction
from outcomes.study import StudyFolder, StudySettings
from outcomes.study.sealing import read_sealing

DATABASE = "outcomes.duckdb"
MEMORY_LIMIT = "1GB"

_NOT_RUN = "The build or the check, not the data, is at fault: report it with the check's id."

_DQ_RESULTS = """
create or replace table dq_results (
    check_id varchar,
    table_name varchar,
    column_name varchar,
    check_type varchar,
    category varchar,
    severity varchar,
    status varchar,
    n_violated bigint,
    n_denominator bigint,
    percent_violated double,
    sentence varchar
)
"""


def audit(folder: Path, study: StudyFolder) -> AuditReport:
    """Check a candidate release and write down what was found.

    Writes the table `dq_results` (in one transaction), `checks.json` and `checks.html` (by one rename each). Running it
    again gives the same content. No value and no id of a client is read into Python or written.

    Parameters
    ----------
    folder : Path
        The release's folder, with its `outcomes.duckdb`.
    study : StudyFolder
        The study, whose scales and settings the checks use.

    Returns
    -------
    AuditReport
        `raise_if_fatal()` stops the publication.

    Raises
    ------
    ChecksFailed
        If the checks cannot be trusted: they do not find faults that were planted for them.
    """
    suites = read_suites(study.settings)
    is_withheld = read_sealing(study).is_withheld
    if is_withheld:  # a column that is empty as a whole is no finding then; ids and keys are never withheld
        suites = {table: tuple(map(_may_be_withheld, checks)) for table, checks in suites.items()}
    with connect(folder / DATABASE, memory_limit=MEMORY_LIMIT) as con:
        report = AuditReport(
            folder, check_tables(con, study.settings, suites), () if is_withheld else answerable(con),
            of_sources(study.settings),
        )  # fmt: skip
        with transaction(con):
            _write_table(con, report.checks)
        con.execute("checkpoint")
    write_json(folder / "checks.json", checks_json(report))
    write_text(folder / "checks.html", checks_page(report, study.settings.study.name))
    return report


def _may_be_withheld(check: Check) -> Check:
    return replace(check, is_optional=check.is_optional or check.category is not Category.CONFORMANCE)


def is_passed(folder: Path) -> bool:
    """Say whether this candidate was checked to the end and nothing fatal was found: it need not be checked again."""
    if not all((folder / name).is_file() for name in ("checks.json", "checks.html")):
        return False
    with connect(folder / DATABASE, read_only=True) as con:  # a database that was built anew has no results
        there = con.execute("select count(*) from duckdb_tables() where table_name = 'dq_results'").fetchall()[0][0]
    return bool(there) and read_json(folder / "checks.json")["n_fatal"] == 0


def counts_on_file(folder: Path) -> dict[str, int]:
    """Return how many checks of a checked candidate ended in each way, without the ways in which none did."""
    return {status: n for status, n in read_json(folder / "checks.json")["n_by_status"].items() if n}


def check_tables(
    con: duckdb.DuckDBPyConnection, settings: StudySettings, suites: Mapping[str, Sequence[Check]]
) -> tuple[CheckResult, ...]:
    """Run suites on the committed tables of a connection; nothing is written."""
    types = frozenset(check.type for checks in suites.values() for check in checks)
    prove_that_checks_see(types & compiled.TYPES, compiled.evaluate)
    there = {name for (name,) in con.execute("select table_name from duckdb_tables()").fetchall()}
    results: list[CheckResult] = []
    for table, checks in tracked(suites.items(), "Checking tables", total=len(suites)):
        results += _check_table(con, table if table in there else "", checks, settings)
    return tuple(results)


def _check_table(
    con: duckdb.DuckDBPyConnection, table: str, checks: Sequence[Check], settings: StudySettings
) -> list[CheckResult]:
    """Run one table's suite; where the table is missing (its name is empty), no check of it could be run."""
    declared = {check.id: check.expectation(settings) for check in checks}
    to_run = [expectation for expectation in declared.values() if expectation]
    found = _evaluate(con, table, to_run) if table else {}
    return [_result(check, found.get(check.id, NOT_EVALUATED) if declared[check.id] else None) for check in checks]


def _evaluate(
    con: duckdb.DuckDBPyConnection, table: str, expectations: Sequence[Mapping[str, Any]]
) -> dict[str, Evaluation]:
    """Evaluate by our SQL what has a form there, and the rest by the library, once it has proved itself."""
    found = compiled.evaluate(con, table, [one for one in expectations if compiled.is_compiled(one)])
    if theirs := [one for one in expectations if not compiled.is_compiled(one)]:
        from outcomes.audit import gx_duckdb  # late: it takes seconds to load

        prove_that_checks_see(frozenset(one["type"] for one in theirs), gx_duckdb.evaluate)
        found |= gx_duckdb.evaluate(con, table, theirs)
    return found


def _result(check: Check, found: Evaluation | None) -> CheckResult:
    """Judge one evaluation; None stands for a scale that the study does not declare."""
    if found is None or found.n_denominator == 0 or (check.is_optional and found.n_violated == found.n_denominator):
        status, violated, among = Status.NOT_APPLICABLE, 0, 0
    elif found.n_violated is None:
        status, violated, among = Status.ERROR, None, None
    else:
        status = Status.PASSED if found.success else Status.FAILED
        violated, among = found.n_violated, found.n_denominator
    return CheckResult(
        check_id=check.id,
        table_name=check.table,
        column_name=check.column,
        check_type=check.type,
        category=check.category,
        severity=check.severity,
        status=status,
        n_violated=violated,
        n_denominator=among,
        counted=check.counted,
        tolerated_prop=check.tolerated_prop,
        statement=check.sentence,
        outcome=_outcome(check, status, violated, among),
        remedy=_NOT_RUN if status is Status.ERROR else check.remedy,
    )


def _outcome(check: Check, status: Status, violated: int | None, among: int | None) -> str:
    """Say in words what was found."""
    if status is Status.NOT_APPLICABLE:
        return "There was nothing to check: this was not collected, or no such case occurs."
    if status is Status.ERROR or violated is None or among is None:
        return "This could not be checked: a table or column is missing, or the query failed."
    if not violated:
        return f"True of all {among:,} {check.counted}."
    tolerated = f"; up to {check.tolerated_prop:.0%} is accepted" if check.tolerated_prop else ""
    return f"Not so for {violated:,} of {among:,} {check.counted} ({_percent(violated / among)}{tolerated})."


def _percent(prop: float) -> str:
    return "under 0.1%" if prop < 0.001 else f"{prop:.1%}"


def _write_table(con: duckdb.DuckDBPyConnection, checks: Sequence[CheckResult]) -> None:
    con.execute(_DQ_RESULTS)
    insert_rows(
        con,
        "dq_results",
        [
            [
                check.check_id,
                check.table_name,
                check.column_name or None,
                check.check_type,
                check.category.value,
                check.severity.value,
                check.status.value,
                check.n_violated,
                check.n_denominator,
                check.percent_violated,
                check.sentence,
            ]
            for check in checks
        ],
    )
