"""Which models a study asks for, and what they read."""

import pytest

from outcomes.models.specs import columns_read, declared_specs, grouping_columns
from outcomes.study.settings import ModelSpec


def _spec(**changes) -> ModelSpec:
    declared = {
        "name": "satisfaction", "kind": "linear", "question": "?", "population": "mart_session_directiveness",
        "outcome": "satisfaction_score",
        "fixed": ("I(directiveness_within**2)", "directiveness_client:reactance_score"),
        "random": ("1 + directiveness_within | client_id", "1 | practice_id/therapist_id"),
    }  # fmt: skip
    return ModelSpec.model_validate(declared | changes)


def test_a_study_that_declares_no_models_gets_those_of_a_new_study(template_study):
    without = template_study.settings.model_copy(update={"models": ()})
    assert declared_specs(without) == declared_specs(template_study.settings)
    assert [spec.name for spec in declared_specs(without)] == ["satisfaction", "satisfaction_curve", "dropout"]


def test_the_columns_that_a_model_reads_are_found_inside_its_terms():
    available = (
        "client_id", "therapist_id", "practice_id", "satisfaction_score", "directiveness_within",
        "directiveness_client", "reactance_score", "alliance_score",
    )  # fmt: skip
    read = columns_read(_spec(), available)
    assert read[0] == "satisfaction_score"
    assert set(read) == set(available) - {"alliance_score"}


@pytest.mark.parametrize(
    ("random", "groups"),
    [
        (("1 | therapist_id",), ("therapist_id",)),
        (("1 + x | client_id", "1 | therapist_id"), ("client_id", "therapist_id")),
        (("1 | practice_id/therapist_id",), ("practice_id", "therapist_id")),
        (("1 + x || client_id",), ("client_id",)),
    ],
)
def test_the_grouping_columns_stand_behind_the_bar(random, groups):
    assert grouping_columns(_spec(random=random)) == groups
