"""Fit a linear mixed model whose rows lie in several places; only sums of their shares are seen."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

import numpy as np

from outcomes.mixed.linear.fit import estimates, minimise_theta
from outcomes.mixed.linear.places.shares import PooledLevels, Share, pooled_objective, pooled_state
from outcomes.mixed.linear.problem import LinearFrame
from outcomes.mixed.linear.result import LinearFit


def fit_shares(
    formula: str, frame: LinearFrame, summed: Callable[[np.ndarray], Share], *, n_missing: int, reml: bool = True
) -> LinearFit:
    """Fit a linear mixed model whose rows lie in several places.

    Parameters
    ----------
    formula : str
    frame : LinearFrame
        Coordinates that all places share.
    summed : callable
        From theta, shape (m,), to the sum of all places' shares there.
    n_missing : int
        Rows left out in all places together.
    reml : bool

    Returns
    -------
    LinearFit
        As from all rows in one place; the effects of single levels are refused.
    """
    started = perf_counter()
    story = minimise_theta(frame, pooled_objective(frame, summed, reml=reml))
    share = summed(story.final)
    timings = {"optimise": perf_counter() - started}
    conditional = PooledLevels(frame, story.final, share)
    return estimates(
        formula, frame, pooled_state(share), story, conditional, n_missing=n_missing, reml=reml, timings=timings
    )
