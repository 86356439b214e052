"""Bins for plots: their edges lie on a fixed grid, so that the bins of two releases are the same or apart.

With edges taken from the data, two releases' bins would overlap but for thin slices, and their difference would tell
who is in a slice.
"""

from __future__ import annotations

import math

_NICE = (1, 2, 5)


def even_bins(low: float, high: float, most: int) -> tuple[float, ...]:
    """Return the edges of at most `most` even bins inside a range, on multiples of 1, 2 or 5 times a power of ten.

    Parameters
    ----------
    low, high : float
        The range, `low` below `high`; bins that lie partly outside are left out.
    most : int
        Largest number of bins, 2 or more.

    Examples
    --------
    >>> even_bins(-1.93, 2.1, 12)
    (-1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0)
    """
    power = math.floor(math.log10((high - low) / most))
    for digit, exponent in ((digit, exponent) for exponent in (power, power + 1) for digit in _NICE):
        first, last = _places(low, high, digit, exponent)
        if 1 <= last - first <= most:
            break
    return tuple(_edge(place, digit, exponent) for place in range(first, last + 1))


def _places(low: float, high: float, digit: int, exponent: int) -> tuple[int, int]:
    """Multiples of the width that lie inside the range; a hair outside counts as inside."""
    width = digit * 10.0**exponent
    return math.ceil(low / width - 1e-9), math.floor(high / width + 1e-9)


def _edge(place: int, digit: int, exponent: int) -> float:
    """An exact decimal, not a sum of rounded steps."""
    return float(f"{place * digit}e{exponent}")
