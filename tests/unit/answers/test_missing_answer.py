"""The ladder of missing ratings on cohorts whose dropout is known."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest
from answer_cohorts import (
    SETTINGS,
    database,
    every_estimate_has_its_interval_and_state,
    is_described,
    only,
)

from outcomes.answers.missing import run as missing
from outcomes.answers.missing.rows import missing_rows
from outcomes.answers.missing.staying import staying_weights
from outcomes.answers.missing.tables import LADDER, LadderEffect, Rung
from outcomes.errors import FitRefused
from outcomes.simulate import CohortParameters

BASE = CohortParameters(clients=400, therapists=25)
PARAMETERS = replace(
    BASE,
    endings=replace(BASE.endings, dropout_offset=0.4, misfit=0.0, client_satisfaction=-2.0),
)


@pytest.fixture(scope="module")
def con():
    with database(PARAMETERS) as con:
        yield con


@pytest.fixture(scope="module")
def ladder(con) -> pl.DataFrame:
    return missing.ladder(con, SETTINGS, n_imputations=6)


def test_every_rung_has_both_slopes_and_the_table_is_as_described(ladder):
    assert is_described(LADDER.name, ladder)
    assert every_estimate_has_its_interval_and_state(ladder)
    for rung in (Rung.OBSERVED, Rung.WEIGHTED, Rung.IMPUTED, Rung.SHARED):
        for effect in missing.EFFECTS.values():
            assert only(ladder, rung=rung, effect=effect)["estimate"] is not None
    shifts = ladder.filter(pl.col("rung") == Rung.SHIFTED)
    assert shifts.height == len(missing.SHIFTS) * len(missing.EFFECTS)
    assert shifts["n_imputed"].min() > 0


def test_imputation_from_the_model_itself_keeps_what_was_observed(ladder):
    for effect in missing.EFFECTS.values():
        observed, imputed = (only(ladder, rung=rung, effect=effect) for rung in (Rung.OBSERVED, Rung.IMPUTED))
        assert abs(imputed["estimate"] - observed["estimate"]) < 0.5 * observed["std_error"]


def test_no_shift_is_multiple_imputation(ladder):
    for effect in missing.EFFECTS.values():
        unshifted = only(ladder, rung=Rung.SHIFTED, effect=effect, delta=0.0)
        assert unshifted["estimate"] == only(ladder, rung=Rung.IMPUTED, effect=effect)["estimate"]


def test_the_shared_parameter_model_sees_that_the_less_satisfied_leave(ladder):
    row = only(ladder, rung=Rung.SHARED, effect=missing.ASSOCIATIONS["client_id"])
    assert row["conf_high"] < 0


def test_the_models_of_leaving_stand_beside_each_other_and_the_best_of_them_gives_the_slopes(ladder):
    models = ladder.filter(pl.col("effect") == LadderEffect.MODEL)
    assert models["sharing"].to_list() == ["intercept", "intercept and slope", "current value"]
    assert models["aic"].null_count() == 0
    best = models.sort("aic")["sharing"][0]
    for effect in missing.EFFECTS.values():
        assert only(ladder, rung=Rung.SHARED, effect=effect)["sharing"] == best
    value = only(ladder, effect=LadderEffect.DROPOUT_ON_VALUE)
    assert value["sharing"] == "current value"
    assert value["conf_high"] < 0
    assert value["p_value"] < 0.05
    others = ladder.filter(pl.col("rung") != Rung.SHARED)
    assert others["sharing"].null_count() == others["aic"].null_count() == others.height


def test_shifted_ratings_of_those_who_left_move_the_slope_between_clients_more_than_the_slope_within(ladder):
    spread = {}
    for effect in missing.EFFECTS.values():
        values = ladder.filter((pl.col("rung") == Rung.SHIFTED) & (pl.col("effect") == effect))["estimate"]
        spread[effect] = values.max() - values.min()
    assert spread["between clients"] > 2 * spread["within client"]


def test_lost_sessions_are_those_of_a_course_of_typical_length(con):
    rows = missing_rows(con)
    risk = rows.risk_set.pl()
    last = risk.filter(pl.col("is_last"))
    assert rows.typical_sessions == int(last.filter(pl.col("ending_state") == "planned")["attended_number"].median())
    left = last.filter(pl.col("ending_state") == "dropout")
    assert rows.lost.height == (rows.typical_sessions - left["attended_number"]).clip(0).sum()


def test_weights_of_staying_start_at_one_and_average_about_one(con):
    rows = missing_rows(con)
    weights, summary = staying_weights(rows.risk_set)
    first = weights.join(rows.risk_set.filter("attended_number = 1").pl(), on="session_id")["weight"]
    assert first.to_numpy() == pytest.approx(1.0)
    assert summary.mean_untruncated == pytest.approx(1.0, abs=0.1)
    assert weights["weight"].max() > 1.1


def test_few_therapists_refuse_the_ladder_in_words():
    with database(CohortParameters(clients=120, therapists=6)) as con, pytest.raises(FitRefused, match="therapists"):
        missing.run(con, SETTINGS)


def test_without_known_endings_the_ladder_is_refused(con):
    con.execute("create or replace temp table mart_person_session as select * replace (null::integer as is_dropout) "
                "from memory.main.mart_person_session")  # fmt: skip
    try:
        with pytest.raises(FitRefused, match="No endings are recorded"):
            missing.run(con, SETTINGS)
    finally:
        con.execute("drop table temp.mart_person_session")


def test_where_only_dropout_is_refused_the_other_rungs_stand():
    few = replace(BASE, endings=replace(BASE.endings, dropout_offset=-4.0))
    with database(few, seed=2) as con:
        table = missing.ladder(con, SETTINGS, n_imputations=2)
    assert only(table, rung=Rung.OBSERVED, effect="between clients")["status"] == "converged"
    refused = only(table, rung=Rung.SHARED)
    assert refused["status"] == "refused"
    assert "too few endings" in refused["reason"]
