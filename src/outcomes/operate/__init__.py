"""The state of a study at a glance, and its data-quality findings over releases."""

from outcomes.operate.findings import Findings, read_trend
from outcomes.operate.status import StudyStatus, read_status

__all__ = ["Findings", "StudyStatus", "read_status", "read_trend"]
