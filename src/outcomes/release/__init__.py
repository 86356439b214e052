"""Releases: what they are called, how they are built, described and published."""

from outcomes.release.build import build
from outcomes.release.codebook.comments import describe
from outcomes.release.folders import built_candidate, candidate_folder, is_finished, published_id, release_folder
from outcomes.release.identity import candidate_id, code_version
from outcomes.release.manifest import summary_markdown
from outcomes.release.publish import publish
from outcomes.release.timings import read_timings, record_timing, timed

__all__ = [
    "build",
    "built_candidate",
    "candidate_folder",
    "candidate_id",
    "code_version",
    "describe",
    "is_finished",
    "publish",
    "published_id",
    "read_timings",
    "record_timing",
    "release_folder",
    "summary_markdown",
    "timed",
]
