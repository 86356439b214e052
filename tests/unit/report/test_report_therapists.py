"""How much therapists differ, in the field's own numbers."""

import dataclasses

import pytest

from outcomes.models import ModelStatus
from outcomes.report.reading import read_facts
from outcomes.report.therapists import therapist_statement, variance_shares


@pytest.fixture
def hazard(fitted_release, template_study):
    return next(m for m in read_facts(fitted_release, template_study).models if m.kind == "hazard")


@pytest.fixture
def linear(fitted_release, template_study):
    return read_facts(fitted_release, template_study).models[0]


@pytest.mark.parametrize(("variance", "share", "ratio"), [(0.199, "6%", "1.53"), (0.474, "13%", "1.93")])
def test_the_field_guides_variances_give_its_shares_and_median_odds_ratios(hazard, variance, share, ratio):
    known = dataclasses.replace(hazard, variances={("therapist_id", "(Intercept)"): variance**0.5})
    statement = therapist_statement(known)
    assert f"About {share} of the differences in dropout" in statement.headline
    assert f"typically {ratio} times" in statement.sentences[0]


def test_a_variance_of_zero_is_a_result(hazard):
    known = dataclasses.replace(hazard, variances={("therapist_id", "(Intercept)"): 0.0})
    assert therapist_statement(known).headline == "We found no measurable differences between therapists in dropout."


def test_the_shares_of_a_linear_model_add_up_to_one_with_therapists_first(linear):
    shares = variance_shares(linear)
    assert list(shares) == ["between therapists", "between clients", "from session to session"]
    assert sum(shares.values()) == pytest.approx(1)


def test_too_few_therapists_are_refused_whatever_the_model_says(linear):
    few = dataclasses.replace(linear, has_enough_therapists=False)
    assert "too few therapists" in therapist_statement(few).headline
    assert variance_shares(few) == {}


def test_a_model_that_did_not_converge_tells_no_share(linear):
    unsettled = dataclasses.replace(linear, status=ModelStatus.NOT_CONVERGED)
    assert "did not settle" in therapist_statement(unsettled).headline
    assert variance_shares(unsettled) == {}
