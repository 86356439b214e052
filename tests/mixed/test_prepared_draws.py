"""Draws that are prepared and made elsewhere: the same to the last digit, without names of levels and outcomes."""

from __future__ import annotations

import pickle

import numpy as np
import polars as pl
import pytest

from outcomes.mixed import (
    Bootstrap,
    GeneralisedDraws,
    LinearDraws,
    NormalDraws,
    bootstrap_binomial,
    bootstrap_linear,
    draw_estimates,
    fit_binomial,
    fit_linear,
)

SEED, DRAWS = 11, 4


def sessions() -> pl.DataFrame:
    rng = np.random.default_rng(0)
    n = 1_500
    therapist = rng.integers(0, 20, n)
    client = therapist * 10 + rng.integers(0, 10, n)
    x = rng.normal(size=n)
    level = rng.normal(0, 0.7, 200)[client] + rng.normal(0, 0.6, 20)[therapist]
    y = 1 + level + (0.3 + rng.normal(0, 0.4, 200)[client]) * x + rng.normal(size=n)
    left = (rng.random(n) < 1 / (1 + np.exp(2 - 0.3 * x - level))) * 1
    names = {"client": [f"client-{i}" for i in client], "therapist": [f"therapist-{i}" for i in therapist]}
    return pl.DataFrame(names | {"x": x, "y": y, "left": left})


def assert_equal(one: Bootstrap, other: Bootstrap) -> None:
    for part in ("beta", "sd", "corr", "converged"):
        np.testing.assert_array_equal(getattr(one, part), getattr(other, part))
    assert (one.names, one.sd_names, one.corr_names) == (other.names, other.sd_names, other.corr_names)


@pytest.mark.parametrize("formula", ["y ~ x + (1 + x | client) + (1 | therapist)", "y ~ x + (1 | client)"])
def test_draws_of_a_linear_fit_are_the_same_elsewhere(formula):
    fit = fit_linear(formula, sessions())
    crossing = pickle.dumps(LinearDraws.of(fit))
    there = pickle.loads(crossing).draw(DRAWS, SEED)
    here = bootstrap_linear(fit, DRAWS, SEED, show_progress=False)
    assert_equal(there, here)
    np.testing.assert_array_equal(there.sigma, here.sigma)
    assert here.beta.std(axis=0).min() > 0
    assert b"client-1" not in crossing
    assert b"therapist-1" not in crossing


@pytest.mark.parametrize("random", ["(1 | therapist)", "(1 + x | therapist)", "(1 | client) + (1 | therapist)"])
def test_draws_of_a_hazard_are_the_same_elsewhere(random):
    fit = fit_binomial(f"left ~ x + {random}", sessions())
    prepared = GeneralisedDraws.of(fit)
    crossing = pickle.dumps(prepared)
    assert_equal(pickle.loads(crossing).draw(DRAWS, SEED), bootstrap_binomial(fit, DRAWS, SEED, show_progress=False))
    assert b"client-1" not in crossing
    assert b"therapist-1" not in crossing
    assert not any(chunk.events.any() for chunk in prepared.model.rows.chunks)


def test_draws_of_estimates_are_the_same_elsewhere():
    fit = fit_binomial("left ~ x + (1 | therapist)", sessions())
    crossing = pickle.dumps(NormalDraws.of(fit))
    assert_equal(pickle.loads(crossing).draw(DRAWS, SEED), draw_estimates(fit, DRAWS, SEED))
    assert len(crossing) < 5_000  # no row
