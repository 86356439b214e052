"""Errors that say what there is instead."""

from outcomes.errors import no_such


def test_a_name_that_nothing_has_is_answered_with_the_nearest_one_and_with_all():
    error = no_such("grouping factor of the model", "clinet_id", ("client_id", "therapist_id"))
    assert str(error) == (
        "There is no grouping factor of the model 'clinet_id'.\n  Try: 'client_id', or one of: client_id, therapist_id"
    )


def test_a_name_like_no_other_gets_no_guess():
    assert no_such("engine", "x", ("outcomes", "statsmodels")).hint == "one of: outcomes, statsmodels"
