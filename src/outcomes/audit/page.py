"""The findings for machines (`checks.json`) and for people (`checks.html`)."""

from __future__ import annotations

from importlib.resources import files
from itertools import groupby
from typing import Any

from jinja2 import Environment, StrictUndefined

from outcomes.audit.results import AuditReport, Category, CheckResult, Severity, Status
from outcomes.study.answerable import Answerable

# A symbol and a word each, so that nothing hangs on colour.
_STATUS_MARKS = {
    Status.PASSED: ("✔", "passed"),
    Status.FAILED: ("✖", "failed"),
    Status.NOT_APPLICABLE: ("–", "not applicable"),
    Status.ERROR: ("?", "not run"),
}
_SEVERITY_MARKS = {
    Severity.FATAL: ("✖", "fatal"),
    Severity.WARNING: ("▲", "look before you rely on it"),
    Severity.INFO: ("●", "worth knowing"),
}
_ANSWERABLE_MARKS = {
    Answerable.FULLY: ("✔", "fully"),
    Answerable.PARTLY: ("◐", "partly"),
    Answerable.NOT: ("✖", "not"),
}
_FORMAT = 1


def checks_json(report: AuditReport) -> dict[str, Any]:
    """Return the findings as JSON content: counts, a summary, and every check."""
    return {
        "format": _FORMAT,
        "summary": report.summary(),
        "n_checks": len(report.checks),
        "n_fatal": len(report.fatal),
        "n_by_status": {status.value: report.count(status) for status in Status},
        "checks": [_as_json(check) for check in report.checks],
        "answerable": [
            {"analysis": one.analysis, "question": one.question, "answerable": one.answerable, "lacking": one.lacking}
            for one in report.answers
        ],
        "sources": list(report.sources),
    }


def _as_json(check: CheckResult) -> dict[str, Any]:
    return {
        "check_id": check.check_id,
        "table": check.table_name,
        "column": check.column_name or None,
        "type": check.check_type,
        "category": check.category.value,
        "severity": check.severity.value,
        "status": check.status.value,
        "n_violated": check.n_violated,
        "n_denominator": check.n_denominator,
        "percent_violated": check.percent_violated,
        "tolerated_percent": 100 * check.tolerated_prop,
        "statement": check.statement,
        "outcome": check.outcome,
        "remedy": check.remedy,
    }


def checks_page(report: AuditReport, study_name: str) -> str:
    """Return the findings as one self-contained HTML page: no network, no script; open findings first."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string((files("outcomes.audit") / "checks.html").read_text(encoding="utf-8"))
    return template.render(
        study_name=study_name,
        report=report,
        verdict=_verdict(report),
        status_marks=_STATUS_MARKS,
        severity_marks=_SEVERITY_MARKS,
        answerable_marks=_ANSWERABLE_MARKS,
        by_category=[(category, _counts(report, category)) for category in Category],
        by_table=[
            (table, list(checks)) for table, checks in groupby(report.checks, key=lambda check: check.table_name)
        ],
    )


def _verdict(report: AuditReport) -> str:
    if report.fatal:
        noun = "fatal finding stops" if len(report.fatal) == 1 else "fatal findings stop"
        return f"{len(report.fatal)} {noun} the publication. The last release stays in place."
    if report.open:
        noun = "finding" if len(report.open) == 1 else "findings"
        return f"Nothing stops the publication; {len(report.open)} {noun} to read."
    return "All is well: no check found anything."


def _counts(report: AuditReport, category: Category) -> dict[Status, int]:
    return {
        status: sum(check.status is status and check.category is category for check in report.checks)
        for status in Status
    }
