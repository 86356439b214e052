"""The study folder and what its `study.toml` declares."""

from outcomes.study.folder import StudyFolder
from outcomes.study.settings import StudySettings, read_settings

__all__ = ["StudyFolder", "StudySettings", "read_settings"]
