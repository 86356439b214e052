"""A variance at zero: the simpler model, which fits the same, speaks."""

import duckdb
import numpy as np
import polars as pl
import pytest
from answer_cohorts import SETTINGS

from outcomes.answers.common.fitting import fit_linear_answer
from outcomes.answers.common.simplify import RandomEffect, fit_simplest, simplest_row
from outcomes.mixed import FitStatus

FORMULA = "y ~ x + (1 | client_id)"
THERAPIST = RandomEffect("therapist_id")
SLOPE = RandomEffect("client_id", "x")


def sessions(therapist_sd: float) -> pl.DataFrame:
    """15 therapists with 6 clients with 8 sessions; with a sd of 0 all therapists have just the same mean."""
    rng = np.random.default_rng(3)
    client = np.repeat(np.arange(90), 8)
    therapist = client // 6
    x = rng.normal(size=client.size)
    y = 0.3 * x + rng.normal(0, 0.8, 90)[client] + rng.normal(size=client.size)
    frame = pl.DataFrame({"client_id": client, "therapist_id": therapist, "x": x, "y": y})
    frame = frame.with_columns(
        pl.col("x") - pl.col("x").mean().over("client_id"), pl.col("y") - pl.col("y").mean().over("therapist_id")
    )
    return frame.with_columns(pl.col("y") + pl.Series(rng.normal(0, therapist_sd, 15)[therapist]))


@pytest.fixture
def rows():
    con = duckdb.connect()
    yield lambda therapist_sd: con.from_arrow(sessions(therapist_sd).to_arrow())
    con.close()


def test_therapists_who_do_not_differ_are_left_out_and_the_fit_is_the_same(rows):
    full = fit_linear_answer(f"{FORMULA} + (1 | therapist_id)", rows(0.0), SETTINGS.disclosure)
    assert full.status is FitStatus.SINGULAR
    found = fit_simplest(FORMULA, (THERAPIST,), rows(0.0), SETTINGS.disclosure)
    assert found.status is FitStatus.CONVERGED
    assert found.fit.formula == FORMULA
    assert found.fit.beta == pytest.approx(full.fit.beta, abs=1e-6)


def test_therapists_who_differ_stay(rows):
    found = fit_simplest(FORMULA, (THERAPIST,), rows(0.7), SETTINGS.disclosure)
    assert "therapist_id" in found.fit.formula


def test_of_two_effects_only_the_one_at_zero_goes(rows):
    differing = rows(0.0).project("client_id, therapist_id, x, y + x * (client_id % 5 - 2) as y")
    found = fit_simplest(FORMULA, (SLOPE, THERAPIST), differing, SETTINGS.disclosure)
    assert "(0 + x | client_id)" in found.fit.formula
    assert "therapist_id" not in found.fit.formula
    assert found.status is FitStatus.CONVERGED


def test_a_row_of_a_singular_fit_gives_way_to_the_first_simpler_one_that_converged():
    singular, refused, converged = ({"status": status} for status in ("singular", "refused", "converged"))
    assert simplest_row(singular, [refused, converged]) is converged
    assert simplest_row(singular, [refused]) is singular
    assert simplest_row(converged, [singular]) is converged
