"""Data frames that nobody would make on purpose, for counts, ordered categories and residual structures."""

from __future__ import annotations

import functools
import warnings

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_fuzzed_frames import FORMULAS, _try, frames

from outcomes.mixed import fit_count, fit_linear, fit_ordinal

FITS = {
    "poisson": fit_count,
    "negative binomial": functools.partial(fit_count, family="negative_binomial"),
    "ordinal": fit_ordinal,
    "equidistant probit by quadrature": functools.partial(fit_ordinal, link="probit", thresholds="equidistant", nagq=3),
    "residual structure": functools.partial(fit_linear, variance_by="x", ar1="X"),
}
QUIET = {
    "deadline": None,
    "derandomize": True,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
}


@pytest.mark.parametrize("name", FITS)
@settings(max_examples=12, **QUIET)
@given(data=frames(), formula=st.sampled_from(FORMULAS))
def test_no_frame_ends_a_fit_in_a_traceback(name, data, formula):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _try(FITS[name], formula, data)


@st.composite
def small_cohorts(draw):
    """A plausible frame of few rows: counts or categories, often without variation."""
    n = draw(st.integers(8, 30))
    return pl.DataFrame(
        {
            "y": draw(st.lists(st.sampled_from([0, 0, 1, 2, 3, 40]), min_size=n, max_size=n)),
            "x": draw(st.lists(st.sampled_from([-1.0, 0.0, 0.5, 2.0]), min_size=n, max_size=n)),
            "X": list(range(n)),
            "g": draw(st.lists(st.sampled_from(["a", "b", "c", "d"]), min_size=n, max_size=n)),
        }
    )


@pytest.mark.parametrize("name", FITS)
@settings(max_examples=12, **QUIET)
@given(data=small_cohorts(), formula=st.sampled_from(["y ~ x + (1 | g)", "y ~ x + (1 + x | g)", "y ~ 1 + (0 + x | g)"]))
def test_no_small_cohort_ends_a_fit_in_a_traceback(name, data, formula):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _try(FITS[name], formula, data)
