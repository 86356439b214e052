"""The report for stakeholders: one HTML page that is safe to hand out."""

from outcomes.report.write import write_report

__all__ = ["write_report"]
