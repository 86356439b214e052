"""The state of a study at a glance, and its data-quality findings over releases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outcomes.on_demand import on_demand

if TYPE_CHECKING:
    from outcomes.operate.findings import Findings, read_trend
    from outcomes.operate.status import StudyStatus, read_status

__all__ = ["Findings", "StudyStatus", "read_status", "read_trend"]

_PLACES = {
    "Findings": ("outcomes.operate.findings", "Findings"),
    "StudyStatus": ("outcomes.operate.status", "StudyStatus"),
    "read_status": ("outcomes.operate.status", "read_status"),
    "read_trend": ("outcomes.operate.findings", "read_trend"),
}
__getattr__, __dir__ = on_demand(__name__, _PLACES)
