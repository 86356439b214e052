"""The state of a study at a glance, and its data-quality findings over releases."""

from outcomes.status.findings import Findings, read_trend
from outcomes.status.reading import StudyStatus, read_status

__all__ = ["Findings", "StudyStatus", "read_status", "read_trend"]
