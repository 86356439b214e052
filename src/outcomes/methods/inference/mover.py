"""The interval of a difference from the intervals of its two sides, where nothing else of them is known."""

from __future__ import annotations

import math


def difference_interval(
    first: tuple[float, float, float], second: tuple[float, float, float]
) -> tuple[float, float, float]:
    r"""Return the difference of two independent estimates with its interval (MOVER).

    .. math:: L = d - \\sqrt{(x_1 - l_1)^2 + (u_2 - x_2)^2}, \\quad U = d + \\sqrt{(u_1 - x_1)^2 + (x_2 - l_2)^2}

    Where the two share people whose values go together, the interval is wider than it need be. Zou & Donner 2008,
    doi:10.1002/sim.3095, equations 3 and 4.

    Parameters
    ----------
    first, second : (float, float, float)
        Estimate x, low end l, high end u; each interval holds its estimate, both have the same level.

    Returns
    -------
    (float, float, float)
        First less second, and both ends.

    Raises
    ------
    ValueError
        If an interval does not hold its estimate.

    Examples
    --------
    >>> difference_interval((7.0, 6.7, 7.3), (6.0, 5.6, 6.4))
    (1.0, 0.5, 1.5)
    """
    for value, low, high in (first, second):
        if not low <= value <= high:
            raise ValueError("an interval does not hold its estimate")
    (one, one_low, one_high), (other, other_low, other_high) = first, second
    apart = one - other
    down, up = math.hypot(one - one_low, other_high - other), math.hypot(one_high - one, other - other_low)
    return apart, round(apart - down, 12), round(apart + up, 12)
