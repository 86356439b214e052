"""Whether sums over several sets of rows can be combined so that only a few clients remain."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping

import numpy as np


def few_remain(sets: Iterable[Mapping[Hashable, Mapping[str, int]]], fewest: int) -> bool:
    """Say whether sums over the sets, each times any factor and added, could be those of fewer clients.

    A thing (a row, or what a client's rows hold) is counted in each set: its pattern over the sets. A combination of
    sums has a thing in it unless the factors are orthogonal to its pattern. So nothing is told of few where every
    pattern that few clients have lies in the span of patterns that many have, and where only one dimension is beyond
    that span, if many have something beyond it. More dimensions are taken for told: that errs on the safe side.

    Parameters
    ----------
    sets : iterable of mapping
        Of each set: things by client, each with how often it occurs.
    fewest : int
        Clients from which a sum may tell.

    Returns
    -------
    bool
    """
    found = list(sets)
    patterns: dict[tuple[int, ...], set[Hashable]] = defaultdict(set)
    for client in set().union(*found):
        own = [one.get(client, {}) for one in found]
        for thing in set().union(*own):
            patterns[tuple(each.get(thing, 0) for each in own)].add(client)
    many = [pattern for pattern, clients in patterns.items() if len(clients) >= fewest]
    inside = _rank(many)
    beyond = _rank(list(patterns)) - inside
    if beyond != 1:
        return beyond > 1
    outside = (clients for pattern, clients in patterns.items() if _rank([*many, pattern]) > inside)
    return len(set().union(*outside)) < fewest


def _rank(patterns: list[tuple[int, ...]]) -> int:
    """Dimension of the span of patterns."""
    return int(np.linalg.matrix_rank(np.array(patterns, dtype=float))) if patterns else 0
