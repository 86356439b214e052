"""Estimates of a hazard drawn anew, for intervals of what follows from them."""

from __future__ import annotations

from outcomes.mixed import BinomialFit, GeneralisedDraws, NormalDraws, are_far_from_zero

MANY_ROWS = 50_000
"""Sessions at risk from which estimates are as good as normal; with 100,000 of 500 therapists both ways agree within
the chance of their draws (docs/decisions/0089-answers-that-scale.md)."""


def hazard_draws(fit: BinomialFit) -> GeneralisedDraws | NormalDraws:
    """Prepare draws of a hazard's estimates.

    By a parametric bootstrap; of many rows, with standard deviations far from zero, from the estimates' normal
    approximation, which the bootstrap comes to.
    """
    is_normal = fit.nobs >= MANY_ROWS and are_far_from_zero(fit)
    return NormalDraws.of(fit) if is_normal else GeneralisedDraws.of(fit)
