"""Estimates of a hazard drawn anew, for intervals of what follows from them."""

from __future__ import annotations

from outcomes.mixed import BinomialFit, Bootstrap, are_far_from_zero, bootstrap_binomial, draw_estimates

MANY_ROWS = 50_000
"""Sessions at risk from which estimates are as good as normal; with 100,000 of 500 therapists both ways agree within
the chance of their draws (docs/decisions/0089-answers-that-scale.md)."""


def draw_hazard(fit: BinomialFit, draws: int, seed: int) -> Bootstrap:
    """Draw a hazard's estimates.

    By a parametric bootstrap; of many rows, with standard deviations far from zero, from the estimates' normal
    approximation, which the bootstrap comes to.
    """
    if fit.nobs >= MANY_ROWS and are_far_from_zero(fit):
        return draw_estimates(fit, draws, seed)
    return bootstrap_binomial(fit, draws, seed, show_progress=False)
