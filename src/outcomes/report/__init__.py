"""The report for stakeholders: one HTML page that is safe to hand out."""

from outcomes.report.write import is_written, write_report

__all__ = ["is_written", "write_report"]
