"""What a reader learns of the one client who joined from estimates: the row that explains the change.

The reader sees a slope and its interval of two releases, the second with one client more. With w = 1/SE^2 the joiner's
own information is w2 - w1, and the joiner's own slope (b2 w2 - b1 w1) / (w2 - w1): on which side of the others it lies
is the sign of b2 - b1, for sure where all digits are told, and less often where they are rounded.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Z = 1.959963984540054


@dataclass(frozen=True)
class Slope:
    """A slope over clients' sessions, as least squares within clients gives it."""

    value: float
    error: float


def slope(x: list[np.ndarray], y: list[np.ndarray]) -> Slope:
    """Fit the slope within clients; `x` and `y` have one array a client."""
    dx, dy = (np.concatenate([values - values.mean() for values in one]) for one in (x, y))
    value = float(dx @ dy / (dx @ dx))
    rest = dy - value * dx
    return Slope(value, float(np.sqrt(rest @ rest / (len(dx) - len(x) - 1) / (dx @ dx))))


def printed(one: Slope, digits: int) -> tuple[float, float, float]:
    """Value and both ends of the interval as they are printed."""
    return tuple(round(number, digits) for number in (one.value, one.value - Z * one.error, one.value + Z * one.error))


def digits_of(one: Slope, significant: int, most: int) -> int:
    """Decimals up to so many significant digits of the standard error, and no more than `most`."""
    return min(most, significant - 1 - int(np.floor(np.log10(one.error))))


def possible(before: tuple, after: tuple, digits: tuple[int, int], draws: int, rng: np.random.Generator) -> np.ndarray:
    """Draw how far the joiner moved the slope, b2 - b1, over all that the printed digits leave open.

    Returns
    -------
    ndarray, shape (draws,)
        In units of the second release's SE: how far the joiner moved the slope.
    """
    moved = []
    for told, places in ((before, digits[0]), (after, digits[1])):
        half = 0.5 * 10.0**-places
        value = told[0] + rng.uniform(-half, half, draws)
        width = told[2] - told[1] + rng.uniform(-2 * half, 2 * half, draws)
        moved.append((value, np.maximum(width, 1e-12) / (2 * Z)))
    (b1, _), (b2, e2) = moved
    return (b2 - b1) / e2


def learned(n_clients: int, significant: int | None, most: int, n_studies: int, seed: int) -> float:
    """Share of studies in which the reader knows for sure whether the joiner's own slope is above or below all others'.

    Parameters
    ----------
    significant : int or None
        Digits of the standard error that are told; None for a fixed number of decimals.
    most : int
        Most decimals.
    """
    rng, known = np.random.default_rng(seed), 0
    for _ in range(n_studies):
        x = [rng.normal(0, 1, int(k)) for k in rng.integers(3, 15, n_clients + 1)]
        own = rng.normal(0.3, 0.3, n_clients + 1)
        y = [b * one + rng.normal(0, 1, len(one)) for b, one in zip(own, x, strict=True)]
        fits = [slope(x[:n], y[:n]) for n in (n_clients, n_clients + 1)]
        digits = tuple(digits_of(one, significant, most) if significant else most for one in fits)
        told = [printed(one, places) for one, places in zip(fits, digits, strict=True)]
        moved = possible(*told, digits, 400, rng)
        known += bool((moved > 0).all() or (moved < 0).all())
    return known / n_studies
