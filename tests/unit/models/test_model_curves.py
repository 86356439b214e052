"""Curves: what the coefficients mean for clients."""

import duckdb
import numpy as np
import pytest
from scipy import integrate, stats
from scipy.special import expit

from outcomes.mixed import FitStatus
from outcomes.models.averaging import average_over_effects
from outcomes.models.curves import dropout_curves, satisfaction_curve
from outcomes.models.grid import design_rows, inner_range
from outcomes.models.specs import declared_specs
from outcomes.models.state import Estimates
from outcomes.store.warehouse import connect
from outcomes.study.settings import Disclosure

RULE = Disclosure()


@pytest.fixture(scope="module")
def con(fitted_release):
    with connect(fitted_release / "outcomes.duckdb", read_only=True) as connection:
        yield connection


@pytest.fixture
def hazard(template_study):
    return declared_specs(template_study.settings)[2]


def _estimates(**coefficients: float) -> Estimates:
    beta = np.array(list(coefficients.values()))
    none = np.full(len(beta), np.nan)
    terms = tuple(name.replace("Intercept", "(Intercept)") for name in coefficients)
    infinite = np.full(len(beta), np.inf)
    return Estimates("main", terms, beta, none, infinite, none, none, none, FitStatus.CONVERGED)


def test_typical_rows_hold_the_means_and_the_values_that_are_set(con, hazard):
    rows = design_rows(
        con,
        hazard,
        ("(Intercept)", "directiveness_so_far", "log_session"),
        {"directiveness_so_far": np.array([3.0, 4.0])},
    )
    ((mean,),) = con.sql("select avg(log_session) from mart_person_session where is_dropout is not null").fetchall()
    np.testing.assert_allclose(rows, [[1, 3, mean], [1, 4, mean]])


def test_squares_are_squares_of_the_grid_not_of_the_mean(con, template_study):
    curve = declared_specs(template_study.settings)[1]
    rows = design_rows(
        con, curve, ("I(directiveness_within ** 2)",), {"directiveness_within": np.array([-2.0, 0.0, 1.5])}
    )
    np.testing.assert_allclose(rows[:, 0], [4, 0, 2.25])


def test_the_grid_runs_from_the_5th_to_the_95th_percentile_and_never_to_the_extremes(con, hazard):
    found = inner_range(con, hazard, "directiveness_so_far")
    x = con.sql("select directiveness_so_far from mart_person_session where is_dropout is not null").fetchnumpy()
    values = x["directiveness_so_far"]
    np.testing.assert_allclose([found.low, found.high], np.quantile(values, [0.05, 0.95]))
    assert values.min() < found.low < found.high < values.max()


def _constant_hazard(con, n_late: int) -> None:
    """200 clients with constant guidance and no recorded ending; `n_late` of them come to more than 8 sessions."""
    con.sql(
        f"""create table mart_person_session as
            select client_id, 1 as therapist_id, session as attended_number, client_id % 7 as directiveness_so_far,
                0.0 as directiveness_change, (session = 1)::int as session_1, (session = 2)::int as session_2,
                (session = 3)::int as session_3, 0.0 as log_session, 0 as is_dropout, 0 as is_planned_end,
                0 as is_other_end
            from range(200) as clients(client_id), range(1, 13) as sessions(session)
            where session <= 8 or client_id < {n_late}"""
    )


def test_a_constant_hazard_without_other_endings_gives_the_geometric_law(hazard):
    with duckdb.connect() as con:
        _constant_hazard(con, n_late=200)
        estimates = _estimates(Intercept=-2.0, directiveness_so_far=0.1)
        points = dropout_curves(con, hazard, estimates, np.zeros((2, 2)), 0.0, RULE)
    for point in points:
        horizon = int(point.curve.removeprefix("dropout_by_session_"))
        expected = 1 - (1 - expit(-2.0 + 0.1 * point.x)) ** horizon
        assert point.estimate == pytest.approx(expected, abs=1e-12)
        assert point.conf_low == pytest.approx(expected, abs=1e-9)
    assert {point.curve for point in points} == {f"dropout_by_session_{n}" for n in (3, 8, 12)}


def test_the_average_over_therapist_effects_is_the_integral_over_their_distribution():
    found = average_over_effects(lambda u: np.array(expit(-2 + u)), 0.8)
    wanted, _ = integrate.quad(lambda u: expit(-2 + u) * stats.norm.pdf(u, scale=0.8**0.5), -10, 10)
    assert found == pytest.approx(wanted, abs=1e-6)


def test_dropout_rises_with_the_horizon_and_intervals_hold_the_estimate(con):
    rows = con.sql(
        "select curve, x, estimate, conf_low, conf_high from model_curves where model = 'dropout'"
    ).fetchall()
    assert all(0 < low < estimate < high < 1 for _, _, estimate, low, high in rows)
    by_curve = {name: [row[2] for row in rows if row[0] == name] for name in {row[0] for row in rows}}
    early, middle, late = (np.array(by_curve[f"dropout_by_session_{n}"]) for n in (3, 8, 12))
    assert (early < middle).all()
    assert (middle < late).all()


@pytest.mark.parametrize(("n_late", "horizons"), [(9, {3, 8}), (10, {3, 8, 12})])
def test_a_horizon_that_few_reach_is_not_drawn(hazard, n_late, horizons):
    with duckdb.connect() as con:
        _constant_hazard(con, n_late)
        estimates = _estimates(Intercept=-3.0, directiveness_so_far=0.1)
        points = dropout_curves(con, hazard, estimates, np.eye(2) * 1e-4, 0.0, RULE)
    assert {point.curve for point in points} == {f"dropout_by_session_{n}" for n in horizons}


def test_no_curve_is_drawn_where_its_ends_rest_on_few_clients(con, template_study):
    strict = Disclosure(minimum_count=5_000)
    spec = declared_specs(template_study.settings)[0]
    estimates = _estimates(Intercept=6.0, directiveness_within=0.3)
    assert satisfaction_curve(con, spec, estimates, np.eye(2), strict) == ()


def test_the_satisfaction_curve_is_the_linear_predictor_with_its_wald_interval(con, template_study):
    spec = declared_specs(template_study.settings)[0]
    estimates = _estimates(Intercept=6.0, directiveness_within=0.3)
    points = satisfaction_curve(con, spec, estimates, np.diag([0.04, 0.01]), RULE)
    for point in points:
        assert point.estimate == pytest.approx(6 + 0.3 * point.x)
        half = stats.norm.ppf(0.975) * np.sqrt(0.04 + 0.01 * point.x**2)
        assert point.conf_high - point.estimate == pytest.approx(half)
