"""Keys of earlier study files that do nothing any more: read and left out, so that an old study stays readable."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

RETIRED: Mapping[tuple[str, str], str] = {
    ("disclosure", "dominance_n"): "no raw mean or sum is told that it would guard",
    ("disclosure", "dominance_share"): "no raw mean or sum is told that it would guard",
    ("disclosure", "p_ratio"): "no raw mean or sum is told that it would guard",
}
"""Table and key, and why it went."""


def without_retired(declared: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a study file declares without its retired keys.

    >>> without_retired({"disclosure": {"p_ratio": 0.1, "k": 5}})
    {'disclosure': {'k': 5}}
    """
    return {
        table: {key: value for key, value in content.items() if (table, key) not in RETIRED}
        if isinstance(content, dict)
        else content
        for table, content in declared.items()
    }
