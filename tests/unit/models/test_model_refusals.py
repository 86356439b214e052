"""What cannot be fitted_release without misleading is a state with a reason in plain words, never an exception."""

import duckdb
import pytest
from synthetic_release import Cohort, make_release, make_study

from outcomes.mixed import FitStatus
from outcomes.models import fit_models
from outcomes.models.population import Population, refusal_of
from outcomes.models.refusals import EVENTS_PER_TERM, MINIMUM_CLIENTS, Refusal, RefusalRule
from outcomes.models.specs import declared_specs


def _states(folder, cohort, study):
    return {state.model: state for state in fit_models(make_release(folder, cohort), study)}


def test_six_therapists_are_too_few(tmp_path, template_study):
    states = _states(tmp_path, Cohort(n_therapists=6, clients_per_therapist=60), template_study)
    assert {state.status for state in states.values()} == {FitStatus.REFUSED}
    assert all("too few therapists" in state.reason for state in states.values())


def test_a_model_without_a_therapist_term_does_not_need_many_therapists(tmp_path):
    study = make_study(tmp_path / "study", {', "1 | therapist_id", "0 + directiveness_within | therapist_id"]': "]"})
    states = _states(tmp_path / "release", Cohort(n_therapists=6, clients_per_therapist=30), study)
    assert states["satisfaction"].status is not FitStatus.REFUSED
    assert states["dropout"].status is FitStatus.REFUSED


def test_forty_clients_are_too_few(tmp_path, template_study):
    states = _states(tmp_path, Cohort(n_therapists=20, clients_per_therapist=2), template_study)
    assert all("too few clients" in state.reason for state in states.values())


def test_without_recorded_endings_dropout_is_refused_and_satisfaction_is_not(tmp_path, template_study):
    states = _states(tmp_path, Cohort(has_endings=False), template_study)
    assert states["dropout"].status is FitStatus.REFUSED
    assert "No endings are recorded" in states["dropout"].reason
    assert states["satisfaction"].status is not FitStatus.REFUSED


def test_without_satisfaction_ratings_dropout_is_fitted_and_satisfaction_is_not(tmp_path, template_study):
    states = _states(tmp_path, Cohort(has_satisfaction=False), template_study)
    assert states["satisfaction"].reason == "The data hold no values for: satisfaction_score."
    assert states["dropout"].status is FitStatus.CONVERGED


def test_a_model_that_names_an_unknown_column_is_refused_with_the_name(tmp_path):
    study = make_study(tmp_path / "study", {'"directiveness_change", "directiveness_so_far"': '"directivness"'})
    states = _states(tmp_path / "release", Cohort(), study)
    assert states["dropout"].status is FitStatus.REFUSED
    assert "directivness" in states["dropout"].reason


def test_a_refused_model_has_a_row_with_its_reason_and_no_numbers(tmp_path, template_study):
    folder = make_release(tmp_path, Cohort(has_endings=False))
    fit_models(folder, template_study)
    with duckdb.connect(str(folder / "outcomes.duckdb"), read_only=True) as con:
        assert con.sql("select status, log_likelihood from model_fits where model = 'dropout'").fetchall() == [
            ("refused", None)
        ]
        for table in ("model_estimates", "model_variances", "model_covariances", "model_curves"):
            assert con.sql(f"select count(*) from {table} where model = 'dropout'").fetchall() == [(0,)]
            assert con.sql(f"select count(*) > 0 from {table} where model = 'satisfaction'").fetchall() == [(True,)]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"n_population": 0}, "No session"),
        ({"n_outcomes": 0}, "No endings"),
        ({"n_events": 0}, "No dropout is recorded"),
        ({"n_therapists": 9}, "too few therapists"),
        ({"n_clients": MINIMUM_CLIENTS - 1}, "too few clients"),
        ({"n_events": 7 * EVENTS_PER_TERM - 1}, "too few dropouts"),
        ({"n_events": 5_000 - 7 * EVENTS_PER_TERM + 1}, "too few dropouts"),
        ({"has_spread": False}, "same value"),
        ({"empty": ("reactance_score",)}, "reactance_score"),
        ({}, ""),
    ],
)
def test_each_reason_to_refuse_a_hazard_has_its_sentence_without_counts(template_study, changes, said):
    enough = {
        "n_population": 6_000, "n_rows": 5_000, "n_clients": 600, "n_therapists": 30, "n_outcomes": 5_500,
        "n_events": 200, "has_spread": True, "empty": (),
    }  # fmt: skip
    hazard = declared_specs(template_study.settings)[2]
    refusal = refusal_of(hazard, Population(**enough | changes), template_study.settings.disclosure)
    reason = refusal.sentence if refusal else ""
    assert said in reason
    assert bool(reason) == bool(changes)
    assert not any(character.isdigit() for character in reason)


@pytest.mark.parametrize("rule", RefusalRule)
def test_every_rule_has_a_sentence_and_says_what_it_needs_and_what_there_is(rule):
    refusal = Refusal(rule, found=7, needed=100, about="satisfaction")
    assert refusal.holds
    assert not Refusal(rule, found=100, needed=100).holds
    assert refusal.error().message == refusal.sentence
    assert "7" not in refusal.sentence
