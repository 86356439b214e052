"""Intervals cover the truth as often as they say, in a small version of benchmarks/coverage.py."""

from __future__ import annotations

import importlib.util
import sys

import numpy as np
from references import ROOT
from scipy import stats

COHORTS = 60


def _study():
    specification = importlib.util.spec_from_file_location("coverage_study", ROOT / "benchmarks" / "coverage.py")
    module = importlib.util.module_from_spec(specification)
    sys.modules["coverage_study"] = module
    specification.loader.exec_module(module)
    return module


def test_intervals_cover_the_truth_as_often_as_they_say():
    study = _study()
    outcomes = [study.one(seed) for seed in range(COHORTS)]
    # a true coverage of 95% falls below this count in one run of ten thousand
    least = stats.binom.ppf(1e-4, COHORTS, 0.95)
    kept = [key for key in outcomes[0].found if key[1] in ("Satterthwaite", "profile")]
    assert len(kept) == 8
    for key in kept:
        assert sum(outcome.found[key][0] for outcome in outcomes) >= least, key
    # normal intervals of a therapist's effect are narrower than Satterthwaite's: the study must see the difference
    widths = [[o.found["directive", kind][1] for o in outcomes] for kind in ("normal", "Satterthwaite")]
    assert np.mean(widths[0]) < 0.95 * np.mean(widths[1])
