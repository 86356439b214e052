"""For whom guidance works: a known interaction is recovered, the region is told in words, refusals are words."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from answer_cohorts import SETTINGS, database, every_estimate_has_its_interval_and_state, is_described, only

from outcomes.answers.balance.reactance import reactance_rows
from outcomes.answers.balance.tables import REACTANCE, ReactanceQuantity
from outcomes.answers.common.words import Outcome
from outcomes.simulate import CohortParameters

TRUE = -0.1  # points of satisfaction per point of guidance and point of reactance
DEFAULT = CohortParameters(clients=600, therapists=30)
WORLD = replace(DEFAULT, satisfaction=replace(DEFAULT.satisfaction, mean=5.0, reactance=TRUE))  # far from the ceiling


@pytest.fixture(scope="module")
def cohorts():
    found = []
    for seed in range(1, 7):
        with database(WORLD, seed) as con:
            found.append(reactance_rows(con, SETTINGS))
    return found


def test_the_simulated_interaction_is_recovered(cohorts):
    rows = [only(table, outcome="satisfaction", quantity=ReactanceQuantity.CHANGE) for table in cohorts]
    estimates = np.array([row["estimate"] for row in rows])
    error = np.mean([row["std_error"] for row in rows]) / np.sqrt(len(rows))
    assert abs(estimates.mean() - TRUE) < 3 * error < 0.02
    assert sum(row["conf_low"] <= TRUE <= row["conf_high"] for row in rows) >= 5  # 95%: 5 or 6 in 97 of 100 runs


def test_dropout_which_does_not_depend_on_reactance_shows_nothing(cohorts):
    tables = pl.concat(cohorts).filter(pl.col("outcome") == "dropout", pl.col("quantity") == ReactanceQuantity.CHANGE)
    holds_zero = (tables["conf_low"] <= 0) & (tables["conf_high"] >= 0)
    assert tables.height == 12
    assert holds_zero.sum() >= 10


def test_the_table_is_described_and_every_estimate_has_its_interval_and_state(cohorts):
    for table in cohorts:
        assert is_described(REACTANCE.name, table)
        assert every_estimate_has_its_interval_and_state(table)


def test_simple_slopes_lie_one_standard_deviation_apart_on_one_line(cohorts):
    table = cohorts[0].filter(pl.col("outcome") == "satisfaction")
    slopes = table.filter(pl.col("quantity").str.starts_with("slope where")).sort("reactance_low")
    change = only(table, quantity=ReactanceQuantity.CHANGE)["estimate"]
    steps = np.diff(slopes["estimate"]) / np.diff(slopes["reactance_low"])
    assert steps == pytest.approx([change, change])


def test_the_region_ends_between_slopes_that_differ_from_zero_and_slopes_that_do_not(cohorts):
    for table in cohorts:
        own = table.filter(pl.col("outcome") == "satisfaction")
        region = only(own, quantity=ReactanceQuantity.REGION)
        assert region["region"] == "outside the bounds"
        assert 0 < region["share_of_clients"] < 1
        for row in own.filter(pl.col("quantity").str.starts_with("slope where")).iter_rows(named=True):
            differs = row["conf_low"] > 0 or row["conf_high"] < 0
            at, low, high = row["reactance_low"], region["reactance_low"], region["reactance_high"]
            is_inside = (low is None or at > low) and (high is None or at < high)
            assert differs != is_inside


def test_a_study_without_a_reactance_scale_is_refused_in_words():
    with database(DEFAULT) as con:
        con.execute("update mart_clients set reactance_score = null")
        table = reactance_rows(con, SETTINGS)
    assert table["status"].to_list() == ["refused", "refused"]
    assert table["estimate"].null_count() == 2
    assert is_described(REACTANCE.name, table)
    assert all("reactance was not asked" in reason for reason in table["reason"])


def test_few_therapists_are_refused_in_words():
    with database(CohortParameters(clients=300, therapists=6)) as con:
        table = reactance_rows(con, SETTINGS)
    assert table["status"].to_list() == ["refused", "refused"]
    assert "too few therapists" in table["reason"][0]


def test_where_reactance_is_all_that_slopes_differ_by_the_answer_is_told_and_not_called_singular():
    with database(DEFAULT) as con:
        con.execute("select setseed(0.3)")
        con.execute(
            """update mart_session_directiveness set satisfaction_score =
                5 - 0.3 * directiveness_within * (reactance_score - 5) + (random() + random() + random() - 1.5)
                + hash(client_id) % 1000 / 500.0 + hash(therapist_id) % 1000 / 1000.0"""
        )
        table = reactance_rows(con, SETTINGS, [Outcome.SATISFACTION])
    row = only(table, quantity=ReactanceQuantity.CHANGE)
    assert row["status"] == "converged"
    assert row["conf_low"] <= -0.3 <= row["conf_high"]
