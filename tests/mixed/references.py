"""Where reference results come from: R on data that the project simulates, and classic data sets beside the project."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared" / "reference"
RESULTS = ROOT / "tests" / "reference" / "results"


def simulated(name: str) -> tuple[pl.DataFrame, dict]:
    """Data and stored R results of one of the project's own designs."""
    specification = importlib.util.spec_from_file_location("reference_designs", RESULTS.parent / "designs.py")
    module = importlib.util.module_from_spec(specification)
    sys.modules["reference_designs"] = module
    specification.loader.exec_module(module)
    return module.load(name)


def stored_fits(kind: str) -> list[tuple[str, str]]:
    """(design, fit id) of every stored fit of a kind."""
    pairs = []
    for path in sorted(RESULTS.glob(f"{kind}_*.json")):
        stored = json.loads(path.read_text(encoding="utf-8"))
        pairs += [(stored["design"], fit["id"]) for fit in stored["fits"] if fit["kind"] == kind]
    return pairs


def classic_data(name: str) -> pl.DataFrame:
    """A classic data set; skips the test when the folder beside the project is absent."""
    path = SHARED / f"{name}.csv"
    if not path.exists():
        pytest.skip("the reference data sets are not beside the project (../shared/reference)")
    return pl.read_csv(path, null_values=["NA", ""], infer_schema_length=None)


def classic_fit(tag: str) -> dict:
    """Reference results of one fit to a classic data set."""
    path = SHARED / f"{tag}.json"
    if not path.exists():
        pytest.skip("the reference data sets are not beside the project (../shared/reference)")
    return json.loads(path.read_text(encoding="utf-8"))


def close(ours, theirs, relative: float, absolute: float = 0.0) -> None:
    """Assert agreement element by element."""
    np.testing.assert_allclose(np.asarray(ours, float), np.asarray(theirs, float), rtol=relative, atol=absolute)
