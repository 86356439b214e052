"""Two-by-two tables behind a printed agreement: every table of the sizes that are possible is tried."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from rules import Printed
from scipy import stats

MOST_TRIED = 60_000_000  # tables; the attacker gives up beyond
_HALF = float(stats.norm.ppf(0.975))


def fitting(
    ac1: Printed | None,
    kappa: Printed | None,
    dropouts: tuple[int, int],
    planned: tuple[int, int],
    only_other: tuple[int, int] = (0, 10**6),
    other: tuple[int, int] = (0, 10**6),
) -> np.ndarray | None:
    """Return all (both, only own, only other, neither) that print these numbers; None where they are too many to try.

    Parameters
    ----------
    ac1, kappa : Printed or None
        Gwet's AC1 and Cohen's kappa with their 95% intervals.
    dropouts, planned : (int, int)
        Episodes that end so under the study's own definition, least and most.
    only_other : (int, int)
        Of those that ended as planned, how many another definition calls dropouts.
    other : (int, int)
        Dropouts under the other definition.
    """
    work = sum((d + 1) * (min(p, only_other[1]) + 1) for d, p in _sizes(dropouts, planned))
    if work > MOST_TRIED:
        return None
    found = []
    for d, p in _sizes(dropouts, planned):
        both, only = np.meshgrid(np.arange(d + 1), np.arange(only_other[0], min(p, only_other[1]) + 1), indexing="ij")
        both, only = both.ravel(), only.ravel()
        keep = (both + only >= other[0]) & (both + only <= other[1])
        both, only = both[keep], only[keep]
        table = np.stack([both, d - both, only, p - only], axis=1).astype(float)
        if len(table):
            found.append(table[_prints(table, ac1, kappa)])
    return np.concatenate(found).astype(int) if found else np.zeros((0, 4), dtype=int)


def _sizes(dropouts: tuple[int, int], planned: tuple[int, int]) -> Iterator[tuple[int, int]]:
    return ((d, p) for d in range(dropouts[0], dropouts[1] + 1) for p in range(planned[0], planned[1] + 1) if d + p > 1)


def _prints(table: np.ndarray, ac1: Printed | None, kappa: Printed | None) -> np.ndarray:
    keep = np.ones(len(table), dtype=bool)
    if ac1:
        value, half = gwet(table)
        keep &= _within(value, ac1.value) & _within(value - half, ac1.low)
        keep &= _within(np.minimum(value + half, 1.0), ac1.high)
    if kappa:
        value, half = cohen(table)
        keep &= _within(value, kappa.value) & _within(value - half, kappa.low)
        keep &= _within(np.minimum(value + half, 1.0), kappa.high)
    return keep


def _within(values: np.ndarray, room: tuple[float, float]) -> np.ndarray:
    return (values >= room[0]) & (values <= room[1])


def gwet(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Gwet's AC1 of two-by-two tables, shape (k, 4), and the half width of its interval (Gwet 2008, equation 8)."""
    n = table.sum(axis=1)
    a, b, c, d = (table / n[:, None]).T
    pi = np.stack([a + (b + c) / 2, d + (b + c) / 2])
    observed, chance = a + d, 2 * pi[0] * pi[1]
    value = (observed - chance) / (1 - chance)
    diagonal = a * (1 - pi[0]) + d * (1 - pi[1])
    pairs = a * (1 - pi[0]) ** 2 + d * (1 - pi[1]) ** 2 + (b + c) / 4
    spread = observed * (1 - observed) - 4 * (1 - value) * (diagonal - observed * chance)
    spread = spread + 4 * (1 - value) ** 2 * (pairs - chance**2)
    error = np.sqrt(np.maximum(spread, 0) / (n * (1 - chance) ** 2))
    return value, stats.t.ppf(0.975, n - 1) * error


def cohen(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cohen's kappa of two-by-two tables and the half width of its interval (Fleiss, Cohen & Everitt 1969)."""
    n = table.sum(axis=1)
    a, b, c, d = (table / n[:, None]).T
    rows, columns = np.stack([a + b, c + d]), np.stack([a + c, b + d])
    observed, chance = a + d, (rows * columns).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = (observed - chance) / (1 - chance)
        same = sum(p * (1 - (rows[k] + columns[k]) * (1 - value)) ** 2 for k, p in enumerate((a, d)))
        apart = (1 - value) ** 2 * sum(p * (columns[i] + rows[j]) ** 2 for p, i, j in ((b, 0, 1), (c, 1, 0)))
        spread = (same + apart - (value - chance * (1 - value)) ** 2) / ((1 - chance) ** 2 * n)
    return np.nan_to_num(value, nan=-9), _HALF * np.sqrt(np.maximum(np.nan_to_num(spread), 0))
