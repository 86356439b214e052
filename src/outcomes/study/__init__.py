"""The study folder and what its `study.toml` declares."""

from outcomes.study.folder import StudyFolder, create_study
from outcomes.study.lock import writer_lock
from outcomes.study.reading import read_settings
from outcomes.study.settings import StudySettings

__all__ = ["StudyFolder", "StudySettings", "create_study", "read_settings", "writer_lock"]
