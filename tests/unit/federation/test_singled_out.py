"""Formulas that would single a few clients out in the first rounds, and those that do not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from conftest import COURSES, SITES, courses, publish, sessions, take_turns

from outcomes.errors import DataRefused, FitRefused, FormulaError
from outcomes.federation.plan import Plan, write_plan
from outcomes.federation.rounds import standing
from outcomes.federation.singled_out import HELD_BY_FEW, HELD_BY_ONE, most_held
from outcomes.federation.site import answer

TABLE = "mart_person_session"
THIRD = "is_dropout ~ session_3 + directiveness_so_far + (1 | therapist_id)"
DOCUMENTED = "is_dropout ~ session_1 + session_2 + session_3 + log_session + directiveness_so_far + (1 | therapist_id)"


def _as_the_mart_has_it(frame: pl.DataFrame) -> pl.DataFrame:
    """With the columns of the first sessions, and the logarithm from the fourth on."""
    number = pl.col("attended_number")
    return frame.with_columns(
        *((number == k).cast(pl.Int64).alias(f"session_{k}") for k in (1, 2, 3)),
        log_session=pl.when(number >= 4).then(number.log()).otherwise(0.0),
        is_other_end=pl.lit(0, pl.Int64),
    )


def _hospital(seed: int, longest: int) -> pl.DataFrame:
    return _as_the_mart_has_it(courses(seed, therapists=20, clients=35, longest=longest))


def _third_sessions_of(n: int) -> pl.DataFrame:
    """A hospital in which so many clients came a third time and nobody a fourth."""
    few = courses(0).filter(pl.col("attended_number") == 3)["client_id"].unique(maintain_order=True)[:n]
    number = pl.col("attended_number")
    return _as_the_mart_has_it(courses(0).filter((number <= 2) | ((number == 3) & pl.col("client_id").is_in(few))))


def _joins(folder, frame, plan):
    write_plan(folder, plan)
    answer(publish(folder / "study", frame, tables=COURSES), folder, "east")
    assert (folder / "keys" / "east.json").exists()


def test_the_one_client_with_a_third_session_is_not_told_by_its_column(tmp_path):
    plan = Plan(THIRD, TABLE, SITES, link="logit")
    for n in (1, 9):
        with pytest.raises(DataRefused, match="stand for nearly all that is told of session_3"):
            _joins(tmp_path / str(n), _third_sessions_of(n), plan)
        assert not (tmp_path / str(n) / "keys").exists()
    _joins(tmp_path / "many", _third_sessions_of(120), plan)


def test_few_events_where_a_column_has_one_value_are_refused(tmp_path):
    plan = Plan(THIRD, TABLE, SITES, link="logit")
    third = _third_sessions_of(120)
    spared = (pl.col("session_3") == 1) & (pl.col("client_id").rank("dense") > 12)
    few = third.with_columns(is_dropout=pl.when(spared).then(0).otherwise(pl.col("is_dropout")))
    assert 0 < few.filter(pl.col("session_3") == 1)["is_dropout"].sum() < 10
    with pytest.raises(DataRefused, match="where session_3 has one and the same value"):
        _joins(tmp_path, few, plan)


def test_a_linear_model_without_a_term_of_clients_is_looked_at_too(tmp_path):
    frame = sessions(0)
    person = frame["client_id"] == frame["client_id"][0]
    lone = frame.with_columns(directiveness_score=person.cast(pl.Float64))
    plan = Plan("satisfaction_score ~ directiveness_score + (1 | therapist_id)", "mart_session_directiveness", SITES)
    write_plan(tmp_path / "a", plan)
    with pytest.raises(DataRefused, match="told of directiveness_score"):
        answer(publish(tmp_path / "study", lone), tmp_path / "a", "east")


def test_columns_that_together_leave_one_client_are_refused(tmp_path):
    frame = courses(0)
    one = frame["client_id"] == frame["client_id"][0]
    rated = pl.Series(np.random.default_rng(1).normal(size=frame.height))
    frame = frame.with_columns(directiveness_score=rated, satisfaction_so_far=rated + one.cast(pl.Float64))
    alone = "is_dropout ~ directiveness_score + (1 | client_id)"
    both = "is_dropout ~ directiveness_score + satisfaction_so_far + (1 | client_id)"
    _joins(tmp_path / "alone", frame, Plan(alone, TABLE, SITES, link="logit"))
    with pytest.raises(DataRefused, match="can be combined so that little but the rows of fewer than 10"):
        _joins(tmp_path / "both", frame, Plan(both, TABLE, SITES, link="logit"))


def test_the_value_that_a_square_tells_apart_is_refused():
    values, clients = np.repeat([0.0, 1.0, 2.0], [60, 50, 1]), np.arange(111)
    columns = np.column_stack([np.ones(111), values])
    assert most_held(columns, clients, 1) < HELD_BY_ONE
    assert most_held(columns, clients, 9) < HELD_BY_FEW
    assert most_held(np.column_stack([columns, values**2]), clients, 1) == pytest.approx(1.0)


@pytest.mark.parametrize("n", [1, 4, 9])
def test_any_few_are_found_among_other_columns(n):
    rng = np.random.default_rng(n)
    clients = np.repeat(np.arange(200), 5)
    few = np.isin(clients, rng.choice(200, n, replace=False)).astype(float)
    others = np.column_stack([np.ones(1000), clients % 3, rng.normal(size=(1000, 4))])
    hidden = few * rng.normal(1, 0.5, 1000) + others @ rng.normal(size=6)
    assert most_held(others, clients, 9) < 0.5
    assert most_held(np.column_stack([others, hidden]), clients, 9) == pytest.approx(1.0)


@pytest.mark.parametrize("longest", [5, 24])
def test_the_formula_of_the_documentation_runs_at_hospitals_of_700_clients(tmp_path, longest):
    hospitals = {
        site: publish(tmp_path / site, _hospital(seed, longest), tables=COURSES) for seed, site in enumerate(SITES)
    }
    plan = Plan(DOCUMENTED, TABLE, SITES, link="logit")
    take_turns(hospitals, tmp_path / "shared", plan, 4)
    assert standing(tmp_path / "shared", plan).question.number == 4


@pytest.mark.parametrize(
    "inside",
    [
        "(attended_number - 1) * (attended_number - 2) * (attended_number - 3)",
        "attended_number * attended_number",
        "attended_number**2 + attended_number**2",
        "(attended_number**2 - attended_number)**2",
        "attended_number:log_session",
        "1 | attended_number",
        "attended_number**attended_number",
        "attended_number**22",
        "I(attended_number**2)**2",
    ],
)
def test_inside_a_bracket_stand_sums_and_one_square(inside):
    with pytest.raises(FormulaError):
        Plan(f"is_dropout ~ I({inside}) + (1 | client_id)", TABLE, SITES, link="logit")


@pytest.mark.parametrize(
    "formula",
    [
        "is_dropout ~ I((attended_number - 1)**2) + (1 | client_id)",
        "is_dropout ~ I(attended_number^2) + log_session:directiveness_so_far + (1 | client_id)",
        "is_dropout ~ (log_session + directiveness_so_far)**2 + (1 | client_id)",
    ],
)
def test_sums_and_one_square_may_stand_in_a_bracket(formula):
    Plan(formula, TABLE, SITES, link="logit")


def test_clients_of_a_category_that_the_plan_leaves_out_do_not_pass_for_the_reference(tmp_path):
    few = courses(0)["client_id"].unique(maintain_order=True)[:3]
    other = pl.when(pl.col("client_id").is_in(few)).then(pl.lit("diverse")).otherwise(pl.col("gender"))
    frame = courses(0).with_columns(gender=other)
    formula = "is_last ~ gender + (1 | therapist_id)"
    plan = Plan(formula, "mart_sessions", SITES, levels={"gender": ["female", "male"]}, link="logit")
    write_plan(tmp_path, plan)
    with pytest.raises(FitRefused, match=r"'gender' has other levels than the given ones in \d+ rows"):
        answer(publish(tmp_path / "study", frame, tables=COURSES), tmp_path, "east")
    assert not (tmp_path / "keys").exists()


def test_a_therapist_of_one_client_is_not_told_where_clients_have_no_term(tmp_path, hospitals):
    one = sessions(7, therapists=1, clients=1).with_columns(
        pl.lit("alone").alias("client_id"), pl.lit("alone").alias("therapist_id")
    )
    more = [one.with_columns(pl.format("{}-{}", pl.lit(i), pl.col("session_id")).alias("session_id")) for i in range(9)]
    odd = publish(tmp_path / "odd", pl.concat([sessions(0), *more]))
    plan = Plan("satisfaction_score ~ 1 + (1 | therapist_id)", "mart_session_directiveness", SITES)
    with pytest.raises(DataRefused, match="by how many sessions each therapist_id has"):
        take_turns(hospitals | {"east": odd}, tmp_path / "shared", plan, 20)
    second = replace(plan, reml=False)
    take_turns(hospitals, tmp_path / "even", second, 4)
    assert standing(tmp_path / "even", second).question.number == 4


def test_a_site_that_could_not_answer_round_2_sends_no_sums_either(tmp_path, clinics):
    kinds = {(2, 1): 15, (2, 0): 13, (7, 1): 1}  # sessions and dropout of so many clients
    people = [kind for kind, n in kinds.items() for _ in range(n)]
    rows = [
        (f"c{i}-{x}", f"t{i % 6}", f"c{i}", x, int(left and x == length))
        for i, (length, left) in enumerate(people)
        for x in range(1, length + 1)
    ]
    names = ["session_id", "therapist_id", "client_id", "attended_number", "is_dropout"]
    odd = publish(tmp_path / "odd", pl.DataFrame(rows, schema=names, orient="row"), tables=COURSES)
    plan = Plan("is_dropout ~ 1 + (1 | client_id)", TABLE, SITES, link="logit")
    with pytest.raises(DataRefused, match="would tell of fewer than 10 clients"):
        take_turns({"north": odd, **{s: clinics[s] for s in ("east", "west")}}, tmp_path / "shared", plan, 2)
    assert not (tmp_path / "shared" / "keys" / "north.json").exists()
    assert not (tmp_path / "shared" / "rounds" / "0001" / "north.json").exists()
