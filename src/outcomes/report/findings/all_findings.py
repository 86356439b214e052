"""All findings of a release, the most usable first."""

from __future__ import annotations

from collections.abc import Callable

from outcomes.report.findings import amount, fit, people
from outcomes.report.findings.finding import Finding
from outcomes.report.sections.report_section import Source

MAKERS: tuple[Callable[[Source], Finding | None], ...] = (
    fit.dropout_by_distance,
    fit.satisfaction_by_distance,
    people.asking,
    amount.dropout_by_amount,
    people.reactance,
    amount.satisfaction_with_more,
    people.therapists,
)
"""In the order in which documents tell them: what the question asks first, then what can be done, then for whom."""


def findings(source: Source) -> tuple[Finding, ...]:
    """Make every finding that the release's tables carry; those that decide nothing last."""
    made = [one for make in MAKERS if (one := make(source))]
    return tuple(sorted(made, key=lambda one: not one.is_told))
