"""The verdict on simulated cohorts whose truth is known, and what is refused."""

import numpy as np
import polars as pl
import pytest
from answer_cohorts import SETTINGS, database, is_described
from scipy import stats

from outcomes.answers.balance import run as balance
from outcomes.answers.balance.curve_forms import CurveForm
from outcomes.answers.balance.evidence import find_evidence
from outcomes.answers.balance.rows import verdict_sessions
from outcomes.answers.balance.tables import TABLES, VERDICT_SENTENCES, Verdict
from outcomes.answers.balance.verdict import decide
from outcomes.errors import FitRefused
from outcomes.simulate import CohortParameters, Truth, with_truth

SEED = 9_001  # of the seeds on which the rules were set; those of docs/verdicts.md start at 1


def world(truth: Truth, clients: int = 1_500, therapists: int = 100) -> CohortParameters:
    return with_truth(truth, CohortParameters(clients=clients, therapists=therapists))


@pytest.fixture(scope="module")
def fit_tables():
    with database(world(Truth.FIT), SEED) as con:
        yield balance.run(con, SETTINGS)


@pytest.mark.parametrize("truth", [truth for truth in Truth if truth is not Truth.LOG])
def test_the_verdict_is_the_truth(truth):
    with database(world(truth), SEED) as con:
        assert decide(find_evidence(verdict_sessions(con, SETTINGS)).evidence).verdict == truth


def test_a_logarithm_is_monotone_although_lind_mehlum_alone_finds_a_best_level():
    with database(world(Truth.LOG), SEED) as con:
        found = find_evidence(verdict_sessions(con, SETTINGS))
    assert found.turns[CurveForm.BEST_LEVEL].lind_mehlum.p_value < 1e-6
    assert not found.turns[CurveForm.BEST_LEVEL].two_lines.is_supported
    assert decide(found.evidence).verdict is Verdict.MONOTONE


def test_fit_looks_like_one_best_level_where_nobody_asked_for_preferences():
    with database(world(Truth.FIT), SEED) as con:
        con.execute("update mart_session_directiveness set directiveness_preferred_score = null")
        found = find_evidence(verdict_sessions(con, SETTINGS))
    assert found.evidence.is_balance[CurveForm.BEST_LEVEL]
    assert decide(found.evidence).verdict is Verdict.UNDECIDED


def test_tables_are_described(fit_tables):
    assert set(fit_tables) == {table.name for table in TABLES}
    assert all(is_described(name, table) for name, table in fit_tables.items())


def test_every_outcome_and_level_has_a_verdict_with_its_trace(fit_tables):
    verdicts = fit_tables["verdicts"]
    assert verdicts.select("outcome", "level").rows() == [
        ("satisfaction", "session"), ("satisfaction", "client"), ("dropout", "session"),
    ]  # fmt: skip
    assert verdicts["verdict"][0] == "fit"
    assert verdicts["trace"].str.len_chars().min() > 20
    assert VERDICT_SENTENCES.keys() == set(Verdict)


def test_the_surface_that_was_simulated_is_in_the_evidence(fit_tables):
    rows = {
        row["quantity"]: row
        for row in fit_tables["balance_evidence"].iter_rows(named=True)
        if (row["outcome"], row["level"]) == ("satisfaction", "session")
    }
    a4 = rows["response surface: a4"]  # -4 times the cost of misfit, 0.15, shrunken by the ceiling
    assert -0.6 < a4["conf_low"] < a4["estimate"] < a4["conf_high"] < -0.4
    a2 = rows["response surface: a2"]
    assert a2["conf_low"] < 0 < a2["conf_high"]
    turn = rows["quadratic alone: turning point"]
    assert turn["conf_low"] < 5 < turn["conf_high"]


def test_without_endings_dropout_is_undecided_and_satisfaction_is_answered():
    with database(world(Truth.FIT, clients=400, therapists=30), SEED) as con:
        con.execute("update mart_person_session set is_dropout = case when not is_last then 0 end")  # as in the mart
        verdicts = balance.run(con, SETTINGS)["verdicts"]
    assert verdicts.row(2)[2] == "undecided"
    assert verdicts.row(2)[3].startswith("No endings are recorded in these data")


@pytest.mark.parametrize(
    ("clients", "therapists", "reason"), [(300, 6, "too few therapists"), (40, 12, "too few clients")]
)
def test_a_small_study_is_refused_in_words(clients, therapists, reason):
    with (
        database(world(Truth.FIT, clients, therapists), SEED) as con,
        pytest.raises(FitRefused, match=reason),
    ):
        balance.run(con, SETTINGS)


def test_the_tables_of_the_surface_say_all_that_is_needed_to_draw_it(fit_tables):
    at = (pl.col("outcome") == "satisfaction") & (pl.col("level") == "session")
    terms, pairs, grid = (fit_tables[f"surface_{name}"].filter(at) for name in ("terms", "covariances", "grid"))
    centre, b = terms["centre"][0], terms["estimate"].to_numpy()
    V = pairs["covariance"].to_numpy().reshape(5, 5)
    assert np.sqrt(np.diag(V)) == pytest.approx(terms["std_error"].to_numpy())
    d, p = (grid[name].to_numpy() - centre for name in ("guidance", "preference"))
    X = np.column_stack([d, p, d**2, d * p, p**2])
    half = stats.t.ppf(0.975, terms["df_denom"][0]) * np.sqrt(np.einsum("ij,jk,ik->i", X, V, X))
    assert grid["estimate"].to_numpy() == pytest.approx(X @ b)
    assert grid["conf_high"].to_numpy() == pytest.approx(X @ b + half)
    evidence = fit_tables["balance_evidence"].filter(at, pl.col("quantity") == "response surface: a4")
    assert evidence["estimate"][0] == pytest.approx(b[2] - b[3] + b[4])


def test_every_row_of_the_fit_is_near_one_point_of_the_grid(fit_tables):
    n = fit_tables["surface_grid"].group_by("outcome", "level").agg(pl.col("n_rows").sum())
    sessions = n.filter(outcome="satisfaction", level="session")["n_rows"][0]
    clients = n.filter(outcome="satisfaction", level="client")["n_rows"][0]
    assert sessions > 5 * clients > 0
