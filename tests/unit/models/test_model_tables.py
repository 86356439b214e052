"""What a release keeps of its fits."""

import dataclasses

import duckdb
import numpy as np
import pytest
from polars.testing import assert_frame_equal
from synthetic_release import Cohort, make_release, make_study

from outcomes.mixed import FitStatus, fit_linear
from outcomes.models import fit_models, fitting, run
from outcomes.release.codebook.tables import TABLES
from outcomes.store.files import file_sha256, read_json
from outcomes.store.warehouse import connect


@pytest.fixture(scope="module")
def con(fitted_release):
    with connect(fitted_release / "outcomes.duckdb", read_only=True) as connection:
        yield connection


def test_the_planted_slope_lies_in_its_interval_and_the_estimate_is_near(con):
    estimate, low, high = con.sql(
        "select estimate, conf_low, conf_high from model_estimates "
        "where model = 'satisfaction' and term = 'directiveness_within'"
    ).fetchall()[0]
    assert low < 0.3 < high
    assert abs(estimate - 0.3) < 0.06


def test_every_estimate_variance_and_curve_carries_the_state_of_its_fit(con):
    states = dict(con.sql("select model, status from model_fits").fetchall())
    for table in ("model_estimates", "model_variances", "model_curves"):
        for model, status in con.sql(f"select distinct model, status from {table} where status <> ''").fetchall():
            assert status == states[model]
        assert con.sql(f"select count(*) from {table} where status is null").fetchall() == [(0,)]


def test_beside_the_hazards_mixed_model_stands_a_cluster_robust_one_with_the_same_terms(con):
    terms = con.sql(
        "select variant, list(term) from model_estimates where model = 'dropout' group by variant"
    ).fetchall()
    assert {variant for variant, _ in terms} == {"main", "cluster_robust"}
    assert terms[0][1] == terms[1][1]


def test_the_covariances_are_symmetric_and_their_diagonal_is_the_squared_standard_error(con):
    pairs = con.sql("select term, term_2, covariance from model_covariances where model = 'dropout'").fetchall()
    cov = {(a, b): value for a, b, value in pairs}
    assert all(np.isclose(cov[a, b], cov[b, a]) for a, b in cov)
    errors = con.sql(
        "select term, std_error from model_estimates where model = 'dropout' and variant = 'main'"
    ).fetchall()
    assert all(np.isclose(cov[term, term], error**2) for term, error in errors)


def test_a_linear_model_has_its_residual_and_each_random_effect_as_standard_deviations(con):
    rows = con.sql(
        "select group_name, term from model_variances where model = 'satisfaction' and term_2 = ''"
    ).fetchall()
    assert rows == [
        ("client_id", "(Intercept)"),
        ("client_id", "directiveness_within"),
        ("therapist_id", "(Intercept)"),
        ("therapist_id", "directiveness_within"),
        ("residual", ""),
    ]


def test_every_model_table_is_described_in_the_codebook(con):
    described = {name for (name,) in con.sql("select distinct table_name from codebook").fetchall()}
    assert {"model_specs", "model_fits", "model_estimates", "model_variances", "model_covariances"} <= described
    assert con.sql(
        "select count(*) from duckdb_columns() where table_name like 'model_%' and comment is null"
    ).fetchall() == [(0,)]


def test_fits_json_holds_specifications_and_states(fitted_release):
    kept = read_json(fitted_release / "fits.json")
    assert [spec["name"] for spec in kept["specs"]] == [state["model"] for state in kept["states"]]
    assert kept["specs"][0]["formula"].startswith("satisfaction_score ~ directiveness_within")


def test_a_second_run_touches_nothing_and_returns_the_same_states(fitted_release, template_study):
    before = {path.name: file_sha256(path) for path in fitted_release.iterdir()}
    first = fit_models(fitted_release, template_study)
    assert first == fit_models(fitted_release, template_study)
    assert {path.name: file_sha256(path) for path in fitted_release.iterdir()} == before


def test_a_run_that_was_killed_before_fits_json_is_done_again_the_same(tmp_path, template_study, monkeypatch):
    folder = make_release(tmp_path, Cohort(n_therapists=12))
    monkeypatch.setattr(run, "write_json", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        fit_models(folder, template_study)
    tables = _all_rows(folder)
    monkeypatch.undo()
    states = fit_models(folder, template_study)
    assert len(states) == 3
    again = _all_rows(folder)
    assert again.keys() == tables.keys()
    for name, table in tables.items():  # sums of floats may end differently in their last digits on a busy machine
        assert_frame_equal(again[name], table, rel_tol=1e-9, abs_tol=1e-12)


def test_a_database_that_was_built_anew_is_fitted_anew_though_fits_json_is_there(tmp_path, template_study):
    folder = make_release(tmp_path, Cohort(n_therapists=12))
    states = fit_models(folder, template_study)
    (folder / "outcomes.duckdb").unlink()
    make_release(folder, Cohort(n_therapists=12))
    assert fit_models(folder, template_study) == states
    assert set(_all_rows(folder)) >= {"model_fits", "model_estimates"}


@pytest.mark.parametrize(
    ("status", "has_curve"),
    [
        (FitStatus.SINGULAR, True),
        (FitStatus.NOT_CONVERGED, False),
    ],
)
def test_a_fit_that_is_not_clean_says_so_wherever_its_numbers_are(
    tmp_path, template_study, monkeypatch, status, has_curve
):
    def with_status(*args, **kwargs):
        return dataclasses.replace(fit_linear(*args, **kwargs), status=status, messages=("The slope is at zero.",))

    monkeypatch.setattr(fitting, "fit_linear", with_status)
    folder = make_release(tmp_path, Cohort(n_therapists=12))
    states = {state.model: state for state in fit_models(folder, template_study)}
    assert states["satisfaction"].status is status
    assert states["satisfaction"].reason == "The slope is at zero."
    with duckdb.connect(str(folder / "outcomes.duckdb"), read_only=True) as con:
        found = con.sql("select distinct status from model_estimates where model = 'satisfaction'").fetchall()
        assert found == [(str(status),)]
        curves = con.sql("select count(*) > 0 from model_curves where model = 'satisfaction'").fetchall()
        assert curves == [(has_curve,)]


def _all_rows(folder):
    with duckdb.connect(str(folder / "outcomes.duckdb"), read_only=True) as con:
        names = [
            name
            for (name,) in con.sql("from duckdb_tables() select table_name where table_name like 'model_%'").fetchall()
        ]
        return {name: con.sql(f"from {name}").pl() for name in sorted(names)}


def test_statsmodels_stays_selectable_and_what_it_cannot_fit_is_refused_by_name(tmp_path):
    engine = 'engine = "statsmodels"\nkind = '
    study = make_study(
        tmp_path / "study", {'kind = "linear"': f'{engine}"linear"', 'kind = "hazard"': f'{engine}"hazard"'}
    )
    folder = make_release(tmp_path / "release", Cohort(n_therapists=12))
    states = {state.model: state for state in fit_models(folder, study)}
    assert {state.engine for state in states.values()} == {"statsmodels"}
    assert states["dropout"].status is FitStatus.CONVERGED
    assert "MixedLM" in states["satisfaction"].reason


@pytest.mark.parametrize(
    "table", ["mart_session_directiveness", "mart_person_session", "mart_participant_flow", "dq_results", "release"]
)
def test_the_synthetic_release_has_no_column_that_a_real_one_lacks(con, table):
    assert set(con.table(table).columns) <= set(TABLES[table].column_names)


def test_the_last_step_of_a_models_flow_is_the_rows_of_its_fit(con):
    ends = con.sql(
        "select model, arg_max(n_sessions, step_number), arg_max(n_clients, step_number), "
        "arg_max(n_therapists, step_number), sum(n_sessions_excluded) from model_flow group by model order by model"
    ).fetchall()
    fits = con.sql("select model, n_rows, n_clients, n_therapists, n_missing from model_fits order by model").fetchall()
    assert ends == fits
    reasons = con.sql("select reason from model_flow where model = 'dropout' order by step_number").fetchall()
    assert len(reasons) > 2
    assert all(reason for (reason,) in reasons)
