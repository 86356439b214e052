"""Releases: what they are called, how they are built, described and published."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outcomes.on_demand import on_demand

if TYPE_CHECKING:
    from outcomes.release.building import build
    from outcomes.release.codebook.comments import describe
    from outcomes.release.folders import built_candidate, candidate_folder, is_finished, published_id, release_folder
    from outcomes.release.identity import candidate_id, code_version
    from outcomes.release.manifest import summary_markdown
    from outcomes.release.publishing import publish
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

_MODULES = {
    "outcomes.release.building": ("build",),
    "outcomes.release.codebook.comments": ("describe",),
    "outcomes.release.folders": (
        "built_candidate",
        "candidate_folder",
        "is_finished",
        "published_id",
        "release_folder",
    ),
    "outcomes.release.identity": ("candidate_id", "code_version"),
    "outcomes.release.manifest": ("summary_markdown",),
    "outcomes.release.publishing": ("publish",),
    "outcomes.release.timings": ("read_timings", "record_timing", "timed"),
}
__getattr__, __dir__ = on_demand(
    __name__, {name: (module, name) for module, names in _MODULES.items() for name in names}
)
