from __future__ import annotations

import doctest
import importlib
import pkgutil
from pathlib import Path

import pytest

import outcomes.methods
import outcomes.scoring

PACKAGES = (outcomes.methods, outcomes.scoring)
MODULES = [
    module.name
    for package in PACKAGES
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    if not module.ispkg
] + ["outcomes.landing.formats.json_leaves"]
LIBRARY = Path(__file__).parents[2] / "docs" / "library.md"


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_in_docstrings_give_what_they_print(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_there_are_examples_to_run():
    assert sum(doctest.testmod(importlib.import_module(name)).attempted for name in MODULES) > 10


def test_the_examples_of_the_library_page_give_what_they_print():
    found = doctest.testfile(str(LIBRARY), module_relative=False)
    assert found.failed == 0
    assert found.attempted > 8
