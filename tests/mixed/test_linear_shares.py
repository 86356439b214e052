"""Rows in several places: the sum of their shares gives the fit of all rows together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from outcomes.errors import UsageError
from outcomes.mixed import fit_linear
from outcomes.mixed.linear.gram import prepare_linear
from outcomes.mixed.linear.places.pooled import fit_shares
from outcomes.mixed.linear.places.shares import Share, evaluate
from outcomes.mixed.linear.problem import linear_frame, linear_problem

FORMULAS = (
    "y ~ x + (1 | client)",
    "y ~ x + m + (1 + x | client) + (1 | therapist)",
    "y ~ x * m + (1 + x || client) + (0 + x | therapist) + (1 | therapist)",
    "y ~ 0 + m + x + (1 | therapist/client)",
)


def _places(seed: int = 5, places: int = 3) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    rows = []
    for place in range(places):
        for therapist in range(6 + place):
            liked = rng.normal(0, 0.6)
            for client in range(8):
                usual, slope = rng.normal(0, 1), rng.normal(0.3, 0.3)
                n = int(rng.integers(3, 9))
                x = rng.normal(5 + place, 1, n)
                m = rng.choice(["a", "b", "c"] if place else ["a", "b"], n)  # no "c" in the first place
                moved = therapist if rng.random() < 0.9 else (therapist + 1) % (6 + place)
                y = 4 + liked + usual + slope * x + 0.3 * (m == "b") + rng.normal(0, 1, n)
                rows += [
                    (place, f"{place}-{moved}", f"{place}-{therapist}-{client}", *r) for r in zip(x, m, y, strict=True)
                ]
    return pl.DataFrame(rows, schema=["place", "therapist", "client", "x", "m", "y"], orient="row")


def _pooled(formula: str, frame: pl.DataFrame, *, reml: bool):
    grams = [
        prepare_linear(formula, part, levels={"m": ["a", "b", "c"]})
        for _, part in frame.group_by("place", maintain_order=True)
    ]
    together = sum(grams[1:], start=grams[0])
    design = together.design(formula)
    levels = {group: together.levels[group].n_levels for group in design.groups}
    shared = linear_frame(together, design, together.n_rows, levels)
    own = [replace(gram.recentred(together.center), scale=together.scale) for gram in grams]
    problems = [linear_problem(gram, gram.design(formula), like=shared) for gram in own]

    def summed(theta: np.ndarray) -> Share:
        shares = [Share.from_vector(evaluate(problem, theta).to_vector(), shared) for problem in problems]
        return sum(shares[1:], start=shares[0])

    return fit_shares(formula, shared, summed, n_missing=together.n_missing, reml=reml)


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("reml", [True, False])
def test_the_pooled_fit_is_the_fit_of_all_rows(formula, reml):
    frame = _places()
    whole, pooled = fit_linear(formula, frame, reml=reml), _pooled(formula, frame, reml=reml)
    assert pooled.names == whole.names
    np.testing.assert_allclose(pooled.beta, whole.beta, atol=1e-8)
    np.testing.assert_allclose(pooled.vcov, whole.vcov, atol=1e-8)
    np.testing.assert_allclose(pooled.df_denom, whole.df_denom, rtol=1e-5)
    np.testing.assert_allclose(pooled.variances[0].cov, whole.variances[0].cov, atol=1e-8)
    assert pooled.llf == pytest.approx(whole.llf, abs=1e-8)
    assert pooled.sigma == pytest.approx(whole.sigma, abs=1e-8)
    assert (pooled.nobs, pooled.n_groups, pooled.status) == (whole.nobs, whole.n_groups, whole.status)


def test_what_needs_single_levels_is_refused_by_name():
    pooled = _pooled(FORMULAS[1], _places(), reml=True)
    assert pooled.sd_conf_int().height == 4
    with pytest.raises(UsageError, match="single levels of client"):
        pooled.conditional.modes("client")
    with pytest.raises(UsageError, match="not known to a pooled fit"):
        pooled.r2()
