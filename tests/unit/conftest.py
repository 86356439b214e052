"""A fitted synthetic release, shared by the tests of models and report; this folder is on the path for them."""

import pytest
from planted_answers import plant_answers
from synthetic_release import Cohort, make_release, make_study

from outcomes.models import fit_models


@pytest.fixture(scope="session")
def template_study(tmp_path_factory):
    return make_study(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="session")
def fitted_release(tmp_path_factory, template_study):
    """Folder of a release with 30 therapists and 600 clients, after its fits, with planted answers."""
    folder = make_release(tmp_path_factory.mktemp("release"), Cohort())
    fit_models(folder, template_study)
    return plant_answers(folder)
