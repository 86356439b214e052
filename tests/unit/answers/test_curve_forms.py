"""Each verdict's surface satisfies its own restrictions and no other's."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from outcomes.answers.balance.curve_forms import PARAMETERS, SURFACE, TERMS, CurveForm, project

COVARIANCE = np.diag(np.arange(1.0, 10.0)) * 1e-4 + 1e-5


def coefficients(surface) -> np.ndarray:
    """The nine coefficients of a quadratic function of w, m and p, by least squares without error."""
    rng = np.random.default_rng(1)
    w, m, p = rng.normal(size=(3, 60))
    columns = np.column_stack([np.ones(60), w, m, p, w**2, w * m, m**2, w * p, m * p, p**2])
    return np.linalg.lstsq(columns, surface(w, m, p), rcond=None)[0][1:]


SURFACES = {
    CurveForm.STRAIGHT: lambda w, m, p: 0.3 * w + 0.1 * m + 0.2 * p,
    CurveForm.BEST_LEVEL: lambda w, m, p: -0.2 * (w + m - 1.5) ** 2,
    CurveForm.RELATIVE: lambda w, m, p: 0.1 * m - 0.2 * (w - 0.5) ** 2,
    CurveForm.FIT: lambda w, m, p: -0.2 * (w + m - p) ** 2,
    CurveForm.FIT_PLUS_MAIN: lambda w, m, p: 0.3 * (w + m) - 0.2 * (w + m - p) ** 2,
}
NESTED = {
    (CurveForm.FIT, CurveForm.FIT_PLUS_MAIN),
    (CurveForm.STRAIGHT, CurveForm.FIT_PLUS_MAIN),
    (CurveForm.STRAIGHT, CurveForm.RELATIVE),
}  # the first is a case of the second


@pytest.mark.parametrize("truth", SURFACES)
@pytest.mark.parametrize("form", SURFACES)
def test_only_the_true_form_lies_at_no_distance(truth, form):
    distance = project(TERMS, coefficients(SURFACES[truth]), COVARIANCE, PARAMETERS[form]).distance
    if form is truth or (truth, form) in NESTED:
        assert distance == pytest.approx(0, abs=1e-9)
    else:
        assert distance > 5


def test_the_distance_of_dropped_terms_is_their_wald_statistic():
    beta = np.array([0.1, -0.2, 0.05])
    covariance = np.array([[0.01, 0.002, 0], [0.002, 0.02, 0.001], [0, 0.001, 0.03]])
    found = project(("w", "m", "p"), beta, covariance, ({"p": 1},))
    kept = beta[:2] @ np.linalg.solve(covariance[:2, :2], beta[:2])
    assert found.distance == pytest.approx(kept)


def test_parameters_of_terms_that_a_model_lacks_are_left_out():
    terms = ("m", "m2")
    found = project(terms, np.array([0.1, -0.3]), np.eye(2), PARAMETERS[CurveForm.BEST_LEVEL])
    assert_allclose(found.theta, [0.1, -0.3])


def test_the_surface_of_guidance_and_preference_is_read_from_any_split_of_guidance():
    found = project(TERMS, coefficients(SURFACES[CurveForm.FIT_PLUS_MAIN]), COVARIANCE, SURFACE)
    assert_allclose(found.theta, [0.3, 0, -0.2, 0.4, -0.2], atol=1e-12)
