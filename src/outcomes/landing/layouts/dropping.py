"""Which columns of an export the study leaves: by name or by a pattern such as `pmq*`."""

from __future__ import annotations

from fnmatch import fnmatchcase

from outcomes.contract import Kind
from outcomes.landing.layouts.base import Export
from outcomes.landing.rules.columns import normal
from outcomes.landing.rules.items import item_names
from outcomes.study.settings import StudySettings


def mapped_names(kinds: tuple[Kind, ...], settings: StudySettings) -> frozenset[str]:
    """Return the normal names of the columns that the study maps by name for some kinds; items of scores are mapped."""
    named = frozenset(normal(name) for kind in kinds for name in settings.sources[kind].columns.values())
    return named.union(*(item_names(kind, settings) for kind in kinds))


def is_dropped(name: str, export: Export) -> bool:
    """Say whether any source of the file drops a column and none maps it by name."""
    if normal(name) in mapped_names(export.kinds, export.settings):
        return False
    patterns = (normal(one) for kind in export.kinds for one in export.source(kind).drop)
    return any(fnmatchcase(normal(name), pattern) for pattern in patterns)
