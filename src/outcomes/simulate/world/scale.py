"""From latent ratings to recorded ones: a visual analogue scale, or a few ordered answers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from outcomes.simulate.world.parameters import RATING_MAXIMUM, RATING_MINIMUM
from outcomes.simulate.world.people import Floats


def rate(latent: Floats) -> Floats:
    """Turn a latent 0-10 rating into the recorded one: floor, ceiling, steps of 0.1."""
    return np.round(np.clip(latent, RATING_MINIMUM, RATING_MAXIMUM), 1)


def cuts(latent: Floats, shares: Sequence[float], weights: Floats | None = None) -> Floats:
    """Return the latent values at which one answer gives way to the next, so that answers have these shares.

    Parameters
    ----------
    latent : array
        Ratings of the population that has the shares; `weights` say how much each counts.
    shares : sequence of float
        Of the answers, lowest first, sum 1.

    Returns
    -------
    array of shape (answers - 1,)
    """
    return np.quantile(latent, np.cumsum(shares)[:-1], weights=weights, method="inverted_cdf")


def answer(latent: Floats, at: Floats) -> Floats:
    """Turn latent ratings into answers cut `at` these values, at equal distances on the scale."""
    step = (RATING_MAXIMUM - RATING_MINIMUM) / len(at)
    return RATING_MINIMUM + step * np.searchsorted(at, latent)
