"""Data-quality checks of a candidate release: `expectations/<table>.json`, run by SQL inside DuckDB."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outcomes.on_demand import on_demand

if TYPE_CHECKING:
    from outcomes.audit.results import AuditReport, Category, CheckResult, Severity, Status
    from outcomes.audit.runner import audit, counts_on_file, is_passed

__all__ = ["AuditReport", "Category", "CheckResult", "Severity", "Status", "audit", "counts_on_file", "is_passed"]

_RESULTS = ("AuditReport", "Category", "CheckResult", "Severity", "Status")
__getattr__, __dir__ = on_demand(
    __name__, {name: (f"{__name__}.{'results' if name in _RESULTS else 'runner'}", name) for name in __all__}
)
