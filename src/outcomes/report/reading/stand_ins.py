"""What guidance and satisfaction stand for in a study whose scales measure something else."""

from __future__ import annotations

from outcomes.languages import later, spoken
from outcomes.study import StudySettings

GUIDANCE, SATISFACTION = "directiveness", "satisfaction"
_SAID = {
    GUIDANCE: later("In this study, guidance stands for {what}."),
    SATISFACTION: later("In this study, satisfaction stands for {what}."),
}


def stands_for(settings: StudySettings, scale: str) -> str:
    """Return what a scale measures; empty where it measures what its name says."""
    declared = settings.scales.get(scale)
    return declared.measures if declared and declared.measures != scale else ""


def stand_ins(settings: StudySettings) -> str:
    """Say what the documents' own words stand for; empty where they mean what they say."""
    found = {scale: stands_for(settings, scale) for scale in _SAID}
    return " ".join(spoken(_SAID[scale], what=what) for scale, what in found.items() if what)
