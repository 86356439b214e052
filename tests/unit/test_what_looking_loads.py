"""Looking at a study loads no part of its pipeline: these commands are waited for."""

from __future__ import annotations

import subprocess
import sys

import pytest

from outcomes.link_names import LINK_NAMES
from outcomes.links import LINKS

PIPELINE = ("numpy", "scipy", "statsmodels", "pandas", "jinja2", "prefect", "great_expectations")


@pytest.mark.parametrize("module", ["outcomes.operate.status", "outcomes.operate.query"])
def test_state_and_queries_load_no_part_of_the_pipeline(module):
    program = f"import sys, {module}; print([one for one in {PIPELINE} if one in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_links_are_those_that_a_study_file_may_name():
    assert tuple(LINKS) == LINK_NAMES
