"""A fitted synthetic release, shared by the tests of models and report; this folder is on the path for them."""

import shutil

import pytest
from planted_answers import plant_answers
from synthetic_release import Cohort, make_release, make_study

from outcomes.models import fit_models


@pytest.fixture(scope="session")
def template_study(tmp_path_factory):
    return make_study(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="session")
def fitted_release(built_once, tmp_path_factory, template_study):
    """Folder of a release with 30 therapists and 600 clients, after its fits, with planted answers."""

    def make(folder):
        made = make_release(folder, Cohort())
        fit_models(made, template_study)
        plant_answers(made)

    return shutil.copytree(built_once("fitted-release", make), tmp_path_factory.mktemp("release") / "fitted")
