from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import outcomes.methods

MODULES = [f"outcomes.methods.{module.name}" for module in pkgutil.iter_modules(outcomes.methods.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_in_docstrings_give_what_they_print(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_there_are_examples_to_run():
    assert sum(doctest.testmod(importlib.import_module(name)).attempted for name in MODULES) > 10
