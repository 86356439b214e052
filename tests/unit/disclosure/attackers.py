"""Readers who have every release and count on their fingers: every table that fits is tried, no optimiser."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np


def is_pinned(values, threshold: int) -> bool:
    """The criterion of docs/decisions/0034: all that remains possible is small, and no zero with two more is in it."""
    values = set(values)
    return all(abs(value) < threshold for value in values) and not (0 in values and len(values) >= 3)


def ranges(tables, top: int):
    """Counts and changes that stay possible: {(name, since or None, at): set of values}, over all releases together.

    `tables` are the releases' cells and sums; parts go up to `top`. The reader knows of each two successive releases
    whether all parts only rose or only fell.
    """
    parts = tables[-1].parts
    states = np.array(list(product(range(top + 1), repeat=len(parts))))
    counts = {name: states[:, place] for place, name in enumerate(parts)}
    counts |= {name: sum(counts[part] for part in of) for name, of in tables[-1].sums.items()}
    fits = []
    for table in tables:
        inside = np.ones(len(states), dtype=bool)
        for name, cell in table.cells.items():
            inside &= (counts[name] >= cell.low) & (counts[name] <= (np.inf if cell.high is None else cell.high))
        fits.append(inside)
    links = [_link(a, b, states) for a, b in pairwise(tables)]
    forward, backward = [fits[0]], [fits[-1]]
    for link, inside in zip(links, fits[1:], strict=True):
        forward.append((forward[-1] @ link > 0) & inside)
    for link, inside in zip(reversed(links), reversed(fits[:-1]), strict=True):
        backward.append((link @ backward[-1] > 0) & inside)
    possible = [ahead & behind for ahead, behind in zip(forward, reversed(backward), strict=True)]
    found = {
        (name, None, at): set(values[possible[at]].tolist())
        for at in range(len(tables))
        for name, values in counts.items()
    }
    for since in range(len(tables) - 1):
        reach = np.diag(possible[since]).astype(float)
        for at in range(since + 1, len(tables)):
            reach = ((reach @ links[at - 1]) > 0) * possible[at]
            before, after = np.nonzero(reach)
            for name, values in counts.items():
                found[name, since, at] = set((values[after] - values[before]).tolist())
    return found


def _link(before, after, states):
    """Which tables can follow which, for who knows whether the table only rose or only fell."""
    moves = [after.cells[part].count - before.cells[part].count for part in after.parts]
    if not (all(move >= 0 for move in moves) or all(move <= 0 for move in moves)):
        return np.ones((len(states), len(states)))
    rises = (states[:, None, :] <= states[None, :, :]).all(axis=2).astype(float)
    return rises if all(move >= 0 for move in moves) else rises.T
