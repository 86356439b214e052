"""Cohorts that grow and, where clients withdraw, shrink: the parts of one total from release to release."""

from __future__ import annotations

import numpy as np

from outcomes.disclosure.tables import one_way, tell


def sequence(rng, n_parts: int, n_releases: int, start: int, growth: float, withdrawals: float = 0.3) -> list[dict]:
    """Counts of each part at each release; with chance `withdrawals` some clients leave, or move to another part."""
    parts = rng.integers(0, start + 1, n_parts)
    releases = [parts]
    for _ in range(n_releases - 1):
        parts = parts + rng.poisson(growth * rng.random(n_parts))
        if rng.random() < withdrawals:
            parts = np.maximum(parts - rng.poisson(1, n_parts), 0)
        releases.append(parts)
    return [{f"part {place}": int(n) for place, n in enumerate(parts)} for parts in releases]


def told(releases, rule, with_ledger: bool = True):
    """What each release tells of its parts and total; without the ledger each is told for itself."""
    tables = []
    for counts in releases:
        tables.append(tell(counts, one_way(counts, "all"), rule, tables if with_ledger else ()))
    return tables
