"""How therapists respond to the session before: as simulated, with intervals, refused where too little is known."""

import pytest
from answer_cohorts import SETTINGS, database, every_estimate_has_its_interval_and_state, is_described, only

from outcomes.answers.responsiveness import run as responsiveness
from outcomes.answers.responsiveness.tables import RESPONSES, After, ResponseModel, ResponseQuantity
from outcomes.errors import FitRefused
from outcomes.simulate import CohortParameters, Truth, WorldName, with_truth, with_worlds

FIT = with_truth(Truth.FIT, CohortParameters(clients=700, therapists=40))
AVERAGE = {"quantity": ResponseQuantity.NEXT_GUIDANCE, "model": ResponseModel.DYNAMIC}


def answered(world, seed=2, spoil=""):
    with database(world, seed) as con:
        if spoil:
            con.execute(spoil)
        return responsiveness.run(con, SETTINGS)[RESPONSES.name]


@pytest.fixture(scope="module")
def responsive():
    return answered(with_worlds([WorldName.RESPONSIVE_WITHIN, WorldName.CARRY_OVER], FIT))


def test_the_table_is_described(responsive):
    assert is_described(RESPONSES.name, responsive)
    assert every_estimate_has_its_interval_and_state(responsive)


def test_the_response_that_was_simulated_is_found(responsive):
    row = only(responsive, after=After.SATISFACTION, **AVERAGE)
    assert 0.2 < row["conf_low"] < 0.33 < row["conf_high"] < 0.42  # 0.35 of the latent rating; a ceiling hides a part
    misfit = only(responsive, after=After.MISFIT, **AVERAGE)
    assert abs(misfit["estimate"]) < 0.1  # guidance itself does not last in this world


def test_where_therapists_do_not_respond_nothing_is_shown():
    row = only(answered(FIT), after=After.SATISFACTION, **AVERAGE)
    assert row["conf_low"] < 0 < row["conf_high"]
    assert row["conf_high"] - row["conf_low"] < 0.1


def test_a_point_nearer_pays_in_the_session_and_not_beyond(responsive):
    same = only(responsive, after=After.TOWARD, quantity=ResponseQuantity.SAME_SATISFACTION)
    assert 0.25 < same["estimate"] < 0.45  # 0.15 (4 - 1), less what the ceiling hides
    later = only(responsive, after=After.TOWARD, quantity=ResponseQuantity.NEXT_SATISFACTION)
    assert later["conf_low"] < 0 < later["conf_high"]


def test_every_response_has_its_spread_between_therapists(responsive):
    spread = responsive.filter(responsive["quantity"] == ResponseQuantity.SPREAD)
    assert spread["after"].to_list() == [After.SATISFACTION, After.OVERWHELM, After.MISFIT]
    assert (spread["estimate"] >= 0).all()
    assert (spread["conf_low"] <= spread["estimate"]).all()


def test_without_preferences_the_rest_is_answered():
    nobody = "update mart_session_directiveness set directiveness_preferred_score = null"
    found = answered(FIT, spoil=nobody)
    assert only(found, after=After.TOWARD, quantity=ResponseQuantity.ALL)["status"] == "refused"
    assert only(found, after=After.SATISFACTION, **AVERAGE)["status"] == "converged"


def test_few_therapists_are_refused_in_words():
    small = with_truth(Truth.FIT, CohortParameters(clients=200, therapists=6))
    with database(small, 1) as con, pytest.raises(FitRefused, match="too few therapists"):
        responsiveness.run(con, SETTINGS)


def test_short_series_have_no_dynamic_model_and_say_so():
    found = answered(FIT, spoil="delete from mart_session_directiveness where attended_number > 3")
    row = only(found, after=After.SATISFACTION, **AVERAGE)
    assert row["status"] == "refused"
    assert "4 or more rated sessions" in row["reason"]
