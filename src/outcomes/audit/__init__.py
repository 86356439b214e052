"""Data-quality checks of a candidate release: `expectations/<table>.json`, run by SQL inside DuckDB."""

from outcomes.audit.results import AuditReport, Category, CheckResult, Severity, Status
from outcomes.audit.runner import audit, counts_on_file, is_passed

__all__ = ["AuditReport", "Category", "CheckResult", "Severity", "Status", "audit", "counts_on_file", "is_passed"]
