from __future__ import annotations

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from statsmodels.stats.weightstats import DescrStatsW

from outcomes.errors import FitRefused, UsageError
from outcomes.methods.curvature.fit_checklist import ConditionState, FitBounds, fit_checklist
from outcomes.methods.curvature.response_surface import LINEAR, response_surface, surface_of_coefficients
from outcomes.methods.curvature.surface_models import SurfaceModel, compare_by_aicc, compare_surfaces, surface_design
from outcomes.methods.inference.equivalence import EquivalenceState, equivalence_test
from outcomes.mixed import fit_linear

# Reference fits: outcome, x and y, and how R centred them.
DESIGNS = {
    "motcon.full": ("motcon", "postVA", "ePow", "iPow"),
    "rsatools_nsfit.full": ("rsatools_nsfit", "engagement", "needs", "supplies"),
    "selfother.distance": ("selfother", "distance", "VI_self", "VI_partner"),
    "selfother.harmony": ("selfother", "liking", "IQ_self", "IQ_friend"),
}
RSA_NAMES = {
    **{name: name for name in LINEAR},
    "X0": "x0",
    "Y0": "y0",
    "p10": "p10",
    "p11": "p11",
    "p20": "p20",
    "p21": "p21",
    "l1": "eigenvalue_1",
    "l2": "eigenvalue_2",
}
RSA_MODELS = {
    "null": SurfaceModel.NULL,
    "diff": SurfaceModel.DIFFERENCE,
    "additive": SurfaceModel.MAIN_EFFECTS,
    "IA": SurfaceModel.INTERACTION,
    "SQD": SurfaceModel.SQUARED_DIFFERENCE,
    "SSQD": SurfaceModel.SHIFTED_SQUARED_DIFFERENCE,
    "RR": SurfaceModel.RISING_RIDGE,
    "SRR": SurfaceModel.SHIFTED_RISING_RIDGE,
    "full": SurfaceModel.FULL,
}


@pytest.fixture(params=list(DESIGNS))
def design(request, reference_data):
    """Name, outcome, x and y of a reference fit; selfother is centred at the pooled mean of x and y."""
    data, outcome, x, y = DESIGNS[request.param]
    frame = reference_data(data)
    centre = frame[[x, y]].to_numpy().mean() if data == "selfother" else 0.0
    return request.param, frame[outcome].to_numpy(), (frame[x] - centre).to_numpy(), (frame[y] - centre).to_numpy()


def _fit(outcome, x, y, cov_type="nonrobust"):
    return sm.OLS(outcome, surface_design(SurfaceModel.FULL, x, y)).fit(cov_type=cov_type)


@pytest.mark.parametrize(("suffix", "cov_type"), [("RSA_standard", "nonrobust"), ("RSA_robust", "HC0")])
def test_the_surface_agrees_with_the_r_package_rsa(design, reference_fit, suffix, cov_type):
    name, *columns = design
    fit = _fit(*columns, cov_type=cov_type)
    # RSA fits by maximum likelihood, which divides the residual sum of squares by n and not by n - 6.
    scale = fit.df_resid / fit.nobs if cov_type == "nonrobust" else 1.0
    surface = surface_of_coefficients(fit.params[1:], fit.cov_params()[1:, 1:] * scale)
    reference = {row["label"]: row for row in reference_fit(f"{name}.{suffix}")["par"]}
    for label, ours in RSA_NAMES.items():
        estimate = getattr(surface, ours)
        # lavaan stops at about 1e-7; the stationary point of motcon magnifies that 1e3-fold.
        assert estimate.value == pytest.approx(reference[label]["est"], rel=2e-5), label
        assert estimate.std_error == pytest.approx(reference[label]["se"], rel=2e-5), label
        assert estimate.p_value == pytest.approx(reference[label]["pvalue"], rel=2e-4), label


def test_the_surface_agrees_with_ordinary_least_squares_in_r(design, reference_fit):
    name, *columns = design
    fit = _fit(*columns)
    surface = surface_of_coefficients(fit.params[1:], fit.cov_params()[1:, 1:], df=fit.df_resid)
    reference = reference_fit(name)["rsa"]
    names = {**RSA_NAMES, "lambda1": "eigenvalue_1", "lambda2": "eigenvalue_2"}
    for label, row in reference.items():
        if label.startswith("joint"):
            continue
        estimate = getattr(surface, names[label])
        assert estimate.value == pytest.approx(row["est"], rel=1e-5), label
        assert estimate.std_error == pytest.approx(row["se"], rel=1e-5), label
        if "p_t" in row:
            assert estimate.p_value == pytest.approx(row["p_t"], rel=1e-5), label


def test_nested_models_have_rsas_log_likelihoods_and_aicc(design, reference_fit):
    name, *columns = design
    rows = {RSA_MODELS.get(row["Modnames"]): row for row in reference_fit(f"{name}.RSA_standard")["aictab"]}
    ours = compare_surfaces(*columns, tuple(SurfaceModel))
    for model, n_parameters, log_likelihood, aicc in zip(
        ours.models, ours.n_parameters, ours.log_likelihood, ours.aicc, strict=True
    ):
        assert n_parameters == rows[model]["K"], model
        assert log_likelihood == pytest.approx(rows[model]["LL"], abs=1e-4), model
        assert aicc == pytest.approx(rows[model]["AICc"], abs=2e-4), model


def test_akaike_weights_sum_to_one_and_follow_the_best():
    comparison = compare_by_aicc(("a", "b"), [-100.0, -98.0], [3, 4], 80)
    assert comparison.weight.sum() == pytest.approx(1.0)
    assert comparison.weight[0] / comparison.weight[1] == pytest.approx(np.exp(-comparison.delta[0] / 2))
    assert comparison.best == "b"


def test_a_model_with_as_many_parameters_as_rows_is_refused():
    with pytest.raises(FitRefused, match="cannot carry"):
        compare_by_aicc(("full",), [-10.0], [7], 8)


def test_rows_that_miss_one_value_are_left_out_of_all_models():
    rng = np.random.default_rng(1)
    x, y, z = rng.normal(size=(3, 60))
    holes = x.copy()
    holes[:5] = np.nan
    assert compare_surfaces(z, holes, y).aicc == pytest.approx(compare_surfaces(z[5:], x[5:], y[5:]).aicc)


def test_a_perfect_congruence_surface_has_the_ridge_on_the_line_of_congruence():
    # z = -(x - y)^2: curvature -4 along x = -y, none along x = y; it has a ridge and no single stationary point.
    surface = surface_of_coefficients([0, 0, -1, 2, -1], np.eye(5) * 1e-4)
    assert (surface.a2.value, surface.a4.value, surface.a5.value) == (0, -4, 0)
    assert surface.x0 is None
    assert surface.p11 is None


def test_a_surface_without_interaction_has_no_oblique_axes():
    surface = surface_of_coefficients([0.1, 0.2, -1, 0, -2], np.eye(5) * 1e-4)
    assert surface.p11 is None
    assert (surface.x0.value, surface.y0.value) == pytest.approx((0.05, 0.05))


def test_a_surface_needs_five_coefficients():
    with pytest.raises(UsageError, match="5 coefficients"):
        surface_of_coefficients([1, 2, 3], np.eye(3))


def test_equivalence_agrees_with_the_tost_of_statsmodels():
    values = np.random.default_rng(2).normal(0.1, 1, 120)
    described = DescrStatsW(values)
    p_value, (_, p_low, df), (_, p_high, _) = described.ttost_mean(-0.3, 0.3)
    ours = equivalence_test(values.mean(), described.std_mean, 0.3, df=df)
    assert (ours.p_value, ours.p_low, ours.p_high) == pytest.approx((p_value, p_low, p_high), rel=1e-10)


def test_equivalence_has_three_states():
    assert equivalence_test(0.01, 0.05, 0.2).state is EquivalenceState.EQUIVALENT
    assert equivalence_test(0.5, 0.05, 0.2).state is EquivalenceState.DIFFERENT
    assert equivalence_test(0.1, 0.2, 0.2).state is EquivalenceState.UNDECIDED


@pytest.mark.parametrize("value", np.linspace(-0.3, 0.3, 25))
def test_equivalence_means_that_the_interval_lies_within_the_bounds(value):
    test = equivalence_test(value, 0.06, 0.2)
    assert (test.state is EquivalenceState.EQUIVALENT) == (test.conf_low > -0.2 and test.conf_high < 0.2)


def test_equivalence_needs_a_bound():
    with pytest.raises(UsageError, match="positive bound"):
        equivalence_test(0.1, 0.1, 0.0)


BOUNDS = FitBounds(slope=0.1, curvature=0.05, axis_position=0.5, axis_slope=0.35)


def _checklist(truth, n=20_000, seed=3):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(2, n))
    fit = _fit(truth(x, y) + rng.normal(size=n), x, y)
    return fit_checklist(surface_of_coefficients(fit.params[1:], fit.cov_params()[1:, 1:]), fit.f_pvalue, BOUNDS)


def test_strict_congruence_passes_the_whole_checklist():
    checklist = _checklist(lambda x, y: -0.2 * (x - y) ** 2)
    assert checklist.has_broad_fit
    assert checklist.has_strict_fit


def test_congruence_with_a_main_effect_is_broad_but_not_strict():
    checklist = _checklist(lambda x, y: -0.2 * (x - y) ** 2 + 0.2 * (x + y))
    assert not checklist.has_strict_fit
    assert {c.name: c.state for c in checklist.conditions}["a1"] is ConditionState.REFUTED


def test_one_best_level_for_all_is_not_congruence():
    assert not _checklist(lambda x, y: -0.2 * x**2).has_broad_fit


def test_no_effect_is_not_congruence():
    checklist = _checklist(lambda x, y: 0 * x, n=500)
    assert not checklist.has_broad_fit


def _exact_surface(b):
    return surface_of_coefficients(b, np.eye(5) * 1e-6)


def test_a_model_no_better_than_the_intercept_has_no_fit_whatever_its_surface():
    surface = _exact_surface([0.0, 0.0, -0.2, 0.4, -0.2001])
    assert fit_checklist(surface, 0.01, BOUNDS).has_strict_fit
    refused = fit_checklist(surface, 0.60, BOUNDS)
    assert not refused.has_broad_fit
    assert not refused.has_strict_fit


def test_flatness_along_congruence_alone_is_not_strict_fit():
    # Rising from the line of congruence instead of falling: a1 ~ 0 and a2 ~ 0, yet a4 > 0.
    checklist = fit_checklist(_exact_surface([0.0, 0.0, 0.2, -0.4, 0.2001]), 0.01, BOUNDS)
    states = {condition.name: condition.state for condition in checklist.conditions}
    assert states["a1"] is states["a2"] is ConditionState.HOLDS
    assert states["a4"] is ConditionState.REFUTED
    assert not checklist.has_strict_fit


def test_a_fit_and_two_names_give_the_surface_whatever_the_order_of_the_terms():
    rng = np.random.default_rng(5)
    n = 4_000
    d, p = rng.normal(size=(2, n))
    g = np.arange(n) % 50
    z = 0.1 * d + 0.2 * p - 0.3 * d**2 + 0.25 * d * p - 0.1 * p**2 + rng.normal(size=50)[g] + rng.normal(size=n)
    data = pl.DataFrame({"z": z, "d": d, "p": p, "g": g})
    fit = fit_linear("z ~ d + p + I(d**2) + d:p + I(p^2) + (1 | g)", data)
    surface = response_surface(fit, "d", "p")
    assert surface.a4.value == pytest.approx(-0.65, abs=0.08)
    again = response_surface(fit_linear("z ~ I(p * d) + I(p ** 2) + p + I(d^2) + d + (1 | g)", data), "d", "p")
    assert again.a4.value == pytest.approx(surface.a4.value, rel=1e-6)
    # what the fit's own order would have given: the product of a fit stands last
    assert surface_of_coefficients(fit.params[1:], fit.cov_params().iloc[1:, 1:]).a4.value != pytest.approx(
        -0.65, abs=0.1
    )
    ols = sm.OLS(z, sm.add_constant(pl.DataFrame({"d": d, "p": p}).to_pandas())).fit()
    with pytest.raises(UsageError, match=r"lacks the terms I\(d\*\*2\), d:p, I\(p\*\*2\)"):
        response_surface(ols, "d", "p")


def test_coefficients_without_names_are_refused_with_what_to_do():
    with pytest.raises(UsageError, match=r"(?s)takes a fit and two column names.*surface_of_coefficients"):
        response_surface([0.3, 0.1, -0.2, 0.25, -0.15], np.eye(5))
