"""Contrasts of guidance against closed forms, refits of resampled studies, and the simulator's own truth."""

from __future__ import annotations

from dataclasses import replace

import duckdb
import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from answer_cohorts import (
    SETTINGS,
    database,
    every_estimate_has_its_interval_and_state,
    is_described,
    only,
)
from plain_satisfaction import keen_on_guidance, session_table, sessions, usual_fit
from scipy.special import expit

from outcomes.answers.certainty.grounds import Release
from outcomes.answers.certainty.rule import Agreement
from outcomes.answers.contrasts import run as contrasts
from outcomes.answers.contrasts.hazard import fit_hazard
from outcomes.answers.contrasts.satisfaction import cross_products, satisfaction_model
from outcomes.answers.contrasts.surface import RATED, WITH_PREFERENCE, Scale, levels_of
from outcomes.answers.contrasts.tables import ContrastBy, ContrastLevel, ContrastQuantity
from outcomes.answers.contrasts.therapist_bootstrap import Bootstrapped, therapist_draws
from outcomes.errors import FitRefused
from outcomes.simulate import CohortParameters, DropoutTruth, Truth, with_dropout_truth, with_truth
from outcomes.simulate import contrasts as true_contrasts

PARAMETERS = CohortParameters(clients=1_500, therapists=60)
DROPOUT, SATISFACTION = (table.name for table in contrasts.TABLES)
TOLD = (3, 8, 12)
HELD = ContrastQuantity.HELD.value


@pytest.fixture(scope="module")
def answered():
    with database(PARAMETERS) as con:
        yield contrasts.run(con, SETTINGS)


@pytest.fixture(scope="module")
def truth():
    """By contrast and points."""
    by = {"distance": "distance from the preference", "amount": "amount of guidance"}
    return {(by[one.by], one.points): one for one in true_contrasts(PARAMETERS)}


def plain_study(n_clients: int, n_therapists: int, risk_per_point: float, seed: int) -> duckdb.DuckDBPyConnection:
    """Tables that the analysis reads, drawn by nothing but numpy: a hazard that rises with the distance only.

    logit h = -3.5 + risk_per_point |d - p|; every other session that goes on ends as planned with probability 0.03;
    satisfaction is 8 - |d - p| / 2 and a residual.
    """
    rng = np.random.default_rng(seed)
    p = rng.normal(5, 1.5, n_clients).clip(0, 10)
    rows = []
    for i in range(n_clients):
        for t in range(1, 13):
            d = float(np.clip(p[i] + rng.normal(0, 2.2), 0, 10))
            drops = bool(rng.random() < expit(-3.5 + risk_per_point * abs(d - p[i])))
            ends = not drops and bool(rng.random() < 0.03)
            rows.append(
                (f"c{i}", f"t{i % n_therapists}", t, d, p[i], 8 - abs(d - p[i]) / 2 + rng.normal(), drops, ends)
            )
            if drops or ends:
                break
    return study_of(rows)


def study_of_the_dissatisfied(n_clients: int, n_therapists: int, seed: int) -> duckdb.DuckDBPyConnection:
    """Whoever was dissatisfied before gets more guidance and drops out more often; guidance does nothing."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(n_clients):
        p, liked, before = float(np.clip(rng.normal(5, 1), 0, 10)), rng.normal(0, 1.2), []
        for t in range(1, 13):
            low = -float(np.mean(before)) if before else 0.0
            d = float(np.clip(p + low + rng.normal(0, 1.5), 0, 10))
            drops = bool(rng.random() < expit(-3.2 + 0.9 * low))
            ends = not drops and bool(rng.random() < 0.03)
            before.append(liked + rng.normal(0, 0.7))
            rows.append((f"c{i}", f"t{i % n_therapists}", t, d, p, 6 + before[-1], drops, ends))
            if drops or ends:
                break
    return study_of(rows)


def study_of(rows: list[tuple]) -> duckdb.DuckDBPyConnection:
    names = ("client_id", "therapist_id", "t", "d", "p", "y", "drops", "ends")
    frame = pl.DataFrame(rows, schema=names, orient="row")
    con = duckdb.connect()
    con.register("drawn", frame.to_arrow())
    con.execute(
        """create table mart_person_session as select
            client_id, client_id as episode_id, client_id || t as session_id, therapist_id,
            t::bigint as attended_number,
            (t = 1)::integer as session_1, (t = 2)::integer as session_2, (t = 3)::integer as session_3,
            case when t >= 4 then ln(t) else 0 end as log_session, d as directiveness_score,
            p as directiveness_preferred_score, t = max(t) over (partition by client_id) as is_last,
            case when drops then 'dropout' when ends then 'planned' else 'continues' end as ending_state,
            drops::integer as is_dropout, ends::integer as is_planned_end, 0 as is_other_end,
            avg(y) over (partition by client_id order by t rows unbounded preceding) as satisfaction_so_far
        from drawn"""
    )
    con.execute(
        """create table core_dropout_labels as select client_id as episode_id, 'unilateral' as definition,
            case when bool_or(drops) then 'dropout' when bool_or(ends) then 'planned' else 'undetermined' end as state
        from drawn group by client_id"""
    )
    con.execute(
        "create table core_episodes as select distinct client_id as episode_id, null as ending, null as end_date, "
        "0 as days_silent from drawn"
    )
    con.execute(
        """create table mart_session_directiveness as select client_id, therapist_id, y as satisfaction_score,
            d as directiveness_score, p as directiveness_preferred_score, ln(t) as log_session,
            t::bigint as attended_number, client_id as episode_id
        from drawn"""
    )
    return con


def true_risk(distance: float, risk_per_point: float, sessions: int) -> float:
    """By hand: nobody differs from anybody."""
    h, risk, staying = expit(-3.5 + risk_per_point * abs(distance)), 0.0, 1.0
    for _ in range(sessions):
        risk += staying * h
        staying *= (1 - h) * (1 - 0.03)
    return risk


def test_risks_by_hand_are_found_where_nothing_but_the_distance_counts():
    with plain_study(4_000, 80, 0.4, seed=1) as con:
        found = contrasts.run(con, SETTINGS)[DROPOUT]
    for points in (-4.0, -2.0, 0.0, 2.0, 4.0):
        for t in TOLD:
            row = only(found, contrast="distance from the preference", points=points, session=t, quantity="risk")
            expected = true_risk(points, 0.4, t)
            assert row["estimate"] == pytest.approx(expected, abs=max(3 * row["std_error"], 0.01))
            assert row["std_error"] < 0.035


@pytest.mark.parametrize("seed", [1, 2])
def test_a_difference_that_dissatisfaction_explains_does_not_stand_where_satisfaction_is_held(seed):
    with study_of_the_dissatisfied(2_500, 60, seed) as con:
        found = contrasts.run(con, SETTINGS)[DROPOUT].filter(pl.col("session") == 8)
        told, held = (found.filter(pl.col("quantity") == quantity) for quantity in ("difference", HELD))
        told = told.filter(pl.col("contrast") == "distance from the preference")
        assert only(told, points=2.0)["conf_low"] > 0  # what is told is false
        assert held["points"].to_list() == told["points"].to_list()
        assert only(held, points=2.0)["conf_low"] < 0 < only(held, points=2.0)["conf_high"]
        assert Release(con).stands(told.rows(named=True), held.rows(named=True)) is Agreement.ANOTHER


def test_a_difference_that_guidance_makes_stands_where_satisfaction_is_held():
    with plain_study(2_500, 60, 0.4, seed=3) as con:
        found = contrasts.run(con, SETTINGS)[DROPOUT].filter(pl.col("session") == 8)
        told, held = (found.filter(pl.col("quantity") == quantity) for quantity in ("difference", HELD))
        assert Release(con).stands(told.rows(named=True), held.rows(named=True)) is Agreement.SAME


def test_without_satisfaction_nothing_is_held():
    with plain_study(2_500, 60, 0.4, seed=3) as con:
        con.execute("update mart_person_session set satisfaction_so_far = null")
        found = contrasts.run(con, SETTINGS)[DROPOUT]
        assert HELD not in found["quantity"].to_list()
        assert not found.filter(pl.col("quantity") == "difference").is_empty()
        assert Release(con).stands(found.rows(named=True), ()) is Agreement.NOT_TRIED


def test_where_guidance_does_nothing_differences_hold_zero():
    parameters = with_dropout_truth(DropoutTruth.NONE, with_truth(Truth.NO_EFFECT, PARAMETERS))
    with database(parameters, 5) as con:
        found = contrasts.run(con, SETTINGS)
    for table in found.values():
        apart = table.filter(pl.col("quantity") == "difference", pl.col("conf_low") * pl.col("conf_high") > 0)
        assert apart.height <= 0.2 * table.filter(pl.col("quantity") == "difference").height


@pytest.mark.parametrize("contrast", ["distance from the preference", "amount of guidance"])
def test_the_simulators_own_contrasts_lie_within_three_standard_errors(answered, truth, contrast):
    told = [(c, points, one) for (c, points), one in truth.items() if c == contrast]
    for _, points, one in told:
        if points in (1.0, 9.0):  # amounts that nobody asks for
            continue
        row = only(answered[SATISFACTION], contrast=contrast, points=points, quantity="mean")
        assert abs(row["estimate"] - one.satisfaction) < 3 * row["std_error"]
        assert row["scale_end_prop"] == pytest.approx(one.cut_prop, abs=0.06)
        for t in TOLD:
            row = only(answered[DROPOUT], contrast=contrast, points=points, session=t, quantity="risk")
            assert abs(row["estimate"] - one.dropout_risk[str(t)]) < 3 * row["std_error"]


def satisfaction_where_it_is_so(effect, seed: int) -> tuple[Bootstrapped, np.ndarray]:
    """Estimated means by distance, and the true ones."""
    drawn = sessions(effect, 4_000, 80, (0.0, -4.0, -2.0, 2.0, 4.0), seed)
    with duckdb.connect() as con:
        session_table(con, drawn.rows)
        model = satisfaction_model(con, SETTINGS)
    levels = levels_of(ContrastBy.DISTANCE, model.scale)
    return model.means(levels), np.array([drawn.means[level.points] for level in levels])


@pytest.mark.parametrize("seed", [1, 2])
def test_means_are_those_of_the_sessions_where_the_content_stay_longer(seed):
    found, true = satisfaction_where_it_is_so(usual_fit, seed)
    assert found.point == pytest.approx(true, abs=0.2)
    assert found.point[0] == pytest.approx(true[0], abs=0.08)  # the mean of clients with an average intercept: .25 off
    assert np.all(np.abs(found.point - true) < 3 * found.std_error)


@pytest.mark.parametrize("seed", [3, 4])
def test_too_little_that_costs_some_clients_more_is_told_apart_from_too_much_that_costs_all_the_same(seed):
    found, true = satisfaction_where_it_is_so(keen_on_guidance, seed)
    apart, true_apart = found.less(0), true - true[0]
    assert apart.point == pytest.approx(true_apart, abs=0.12)
    assert np.all(np.abs(apart.point - true_apart)[1:] < 3 * apart.std_error[1:])


def test_differences_are_taken_from_guidance_as_preferred_and_from_a_medium_amount(answered):
    for level, reference in (("far too much", "as preferred"), ("low", "medium")):
        for table, words in ((DROPOUT, {"session": 8}), (SATISFACTION, {})):
            quantity = "risk" if words else "mean"
            at, zero = (
                only(answered[table], level=name, quantity=quantity, **words)["estimate"] for name in (level, reference)
            )
            row = only(answered[table], level=level, quantity="difference", **words)
            assert row["estimate"] == pytest.approx(at - zero)
            assert 0 <= row["p_value"] <= 1


def test_a_draw_of_satisfaction_is_exactly_the_refit_of_the_resampled_study():
    rng = np.random.default_rng(3)
    client = np.repeat(np.arange(40), 5)
    therapist = client // 4
    X = np.column_stack([np.ones(200), rng.normal(size=(200, 2))])
    y = rng.normal(size=200) + rng.normal(size=40)[client]
    information, score = cross_products(X, y, therapist, client, by_client=0.8, by_therapist=0.3)
    drawn = therapist_draws(10)[0]
    fast = np.linalg.solve(np.tensordot(drawn, information, 1), drawn @ score)
    rows, blocks = [], []
    for j, times in enumerate(drawn.astype(int)):
        own = np.flatnonzero(therapist == j)
        same = (client[own, None] == client[own]).astype(float)
        rows += [own] * times
        blocks += [np.eye(len(own)) + 0.8 * same + 0.3] * times
    weights = [np.linalg.inv(block) for block in blocks]
    left = sum(X[own].T @ W @ X[own] for own, W in zip(rows, weights, strict=True))
    right = sum(X[own].T @ W @ y[own] for own, W in zip(rows, weights, strict=True))
    assert fast == pytest.approx(np.linalg.solve(left, right), abs=1e-10)


def test_one_newton_step_is_close_to_the_refit_of_the_resampled_study():
    rng = np.random.default_rng(4)
    therapist = np.repeat(np.arange(30), 100)
    x = rng.normal(size=3_000)
    y = (rng.random(3_000) < expit(-2.5 + 0.5 * x + 0.3 * rng.normal(size=30)[therapist])).astype(float)
    rows = pl.DataFrame(
        {"y": y, "weight": 1.0, "x": x, "therapist": therapist, "therapist_id": [f"t{j:02}" for j in therapist]}
    ).with_columns(attended_number=pl.lit(1))
    drawn = therapist_draws(30)[:20]
    hazard = fit_hazard(rows, ("x",), drawn, "endings")
    for n, draw in zip(drawn, hazard.draws, strict=True):
        refit = sm.GLM(y, np.column_stack([np.ones(3_000), x]), sm.families.Binomial(), freq_weights=n[therapist]).fit()
        assert draw == pytest.approx(refit.params, abs=0.02)
    assert hazard.beta == pytest.approx(sm.GLM(y, sm.add_constant(x), sm.families.Binomial()).fit().params, abs=1e-7)


@pytest.mark.parametrize("terms", [WITH_PREFERENCE, RATED])
def test_a_plain_quadratic_surface_is_inside_the_surface_that_tells_too_little_from_too_much(terms):
    rng = np.random.default_rng(5)
    d, p = rng.uniform(0, 10, (2, 300))
    found = np.column_stack([np.ones(300), *Scale(0.0, 10.0).columns(d, p, terms).values()])
    for wanted in (d, d**2, d * p, p**2, (d - p) ** 2, np.abs(d - p)):
        left = np.linalg.lstsq(found, wanted, rcond=None)[0]
        assert found @ left == pytest.approx(wanted, abs=1e-8)


def test_intervals_of_few_therapists_are_wider_than_plain_percentiles():
    draws = np.random.default_rng(6).normal(size=(4_000, 1))
    few, many = (Bootstrapped(np.zeros(1), draws, j).interval for j in (10, 10_000))
    plain = np.quantile(draws, [0.025, 0.975])
    assert few[0][0] < plain[0] - 0.2
    assert many[0][0] == pytest.approx(plain[0], abs=0.01)


def test_no_number_is_told_far_from_where_anybody_was():
    narrow = replace(
        PARAMETERS.directiveness, preferred_sd=0.3, client_sd=0.3, therapist_sd=0.2, session_sd=0.5, mean=5.0
    )
    with database(replace(PARAMETERS, directiveness=narrow)) as con:
        found = contrasts.run(con, SETTINGS)
    for table in found.values():
        far = table.filter(pl.col("level").is_in([ContrastLevel.FAR_BELOW, ContrastLevel.FAR_ABOVE]))
        assert set(far["status"]) == {"refused"}
        assert far["estimate"].null_count() == far.height
        assert far["reason"].str.contains("Too few clients had guidance near this level").all()
        near = table.filter(pl.col("level") == ContrastLevel.AT)
        assert set(near["status"]) == {"converged"}


def test_where_nobody_told_a_preference_amounts_are_answered_and_distances_say_why_not():
    with database(PARAMETERS) as con:
        con.execute("update mart_person_session set directiveness_preferred_score = null")
        con.execute("update mart_session_directiveness set directiveness_preferred_score = null")
        found = contrasts.run(con, SETTINGS)
    for table in found.values():
        distance = table.filter(pl.col("contrast") == "distance from the preference")
        assert distance.height == 1
        assert "preferences are not known" in distance["reason"][0]
        assert set(table.filter(pl.col("contrast") == "amount of guidance")["status"]) == {"converged"}


def test_forms_that_lack_more_often_where_clients_leave_do_not_make_dropout_rarer():
    with plain_study(3_000, 60, 0.3, seed=2) as con:
        whole = contrasts.run(con, SETTINGS)[DROPOUT]
        con.execute(
            "update mart_person_session set directiveness_score = null where hash(session_id) % 10 < "
            "case when is_dropout = 1 then 4 else 1 end"
        )
        holey = contrasts.run(con, SETTINGS)[DROPOUT]
    told = {"level": "as preferred", "session": 12, "quantity": "risk"}
    assert only(holey, **told)["estimate"] == pytest.approx(only(whole, **told)["estimate"], rel=0.12)


def test_without_endings_satisfaction_is_still_answered():
    with database(PARAMETERS) as con:
        con.execute("delete from core_dropout_labels")
        found = contrasts.run(con, SETTINGS)
    assert found[DROPOUT]["status"].to_list() == ["refused"]
    assert "No endings are recorded" in found[DROPOUT]["reason"][0]
    assert "converged" in set(found[SATISFACTION]["status"])


@pytest.mark.parametrize(
    ("parameters", "word"),
    [(replace(PARAMETERS, therapists=6, clients=120), "therapists"), (replace(PARAMETERS, clients=40), "clients")],
)
def test_few_therapists_or_few_clients_are_refused_in_words(parameters, word):
    with database(parameters) as con, pytest.raises(FitRefused, match=f"too few {word}"):
        contrasts.run(con, SETTINGS)


def test_every_estimate_has_an_interval_and_a_state_and_every_column_a_description(answered):
    for name, table in answered.items():
        assert every_estimate_has_its_interval_and_state(table), name
        assert is_described(name, table), name
