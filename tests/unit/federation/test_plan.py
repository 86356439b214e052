"""What a plan cannot be is said when it is written, and plans under way stay what they are."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from conftest import DROPOUT, FORMULA, SITES, TABLE

from outcomes.errors import StudyError, UsageError
from outcomes.federation.plan import Plan, read_plan, write_plan

PLAN = Plan(FORMULA, TABLE, SITES)


@pytest.mark.parametrize("table", ["mart_reliable_change", "mart_clients", "mart_therapists"])
def test_a_table_without_clients_therapists_and_practices_is_refused(table):
    with pytest.raises(UsageError, match="no site could count") as refused:
        Plan("n_sessions ~ 1 + (1 | client_id)", table, SITES)
    assert "mart_person_session" in str(refused.value)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"fewest_rows": 0}, "--at-least is a whole number"),
        ({"fewest_rows": -3}, "--at-least is a whole number"),
        ({"fewest_rows": 2.5}, "--at-least is a whole number"),
        ({"fewest_rows": "3"}, "--at-least is a whole number"),
        ({"up_to": -1}, "--up-to is a whole number"),
        ({"up_to": 1.5}, "--up-to is a whole number"),
        ({"sites": ("east", "East", "west")}, "differs by capital letters only"),
        ({"sites": ("east", "north", "west", "WEST")}, "differs by capital letters only"),
        ({"sites": ("straße", "STRASSE", "west")}, "differs by capital letters only"),
    ],
)
def test_numbers_and_names_that_no_site_can_use_are_refused(wrong, says):
    with pytest.raises(UsageError, match=says):
        replace(PLAN, **wrong)


@pytest.mark.parametrize("term", ["gender", "directiveness_so_far:gender", "gender * directiveness_so_far"])
def test_a_category_without_levels_is_refused_with_what_to_add(term):
    formula = f"satisfaction_score ~ {term.replace('directiveness_so_far', 'directiveness_score')} + (1 | client_id)"
    with pytest.raises(UsageError, match="which levels gender has") as refused:
        Plan(formula, "mart_sessions", SITES)
    assert "--levels gender=A,B" in str(refused.value)
    Plan(formula, "mart_sessions", SITES, levels={"gender": ["female", "male"]})


def test_a_plan_keeps_its_id_and_its_file(tmp_path):
    plan = replace(PLAN, fewest_rows=3)
    assert plan.id.startswith("c06dfd6eb736")  # before there were binomial plans
    assert len(plan.id) == 64  # shorter ones can be made to meet: 48 bits took three minutes
    write_plan(tmp_path, plan)
    written = json.loads((tmp_path / "plan.json").read_text())
    assert set(written) == {"formula", "table", "sites", "reml", "levels", "fewest_rows"}
    assert read_plan(tmp_path) == plan
    assert replace(plan, formula=DROPOUT, table="mart_person_session", link="logit", up_to=3).content["up_to"] == 3


def test_a_plan_of_a_newer_version_says_so(tmp_path):
    write_plan(tmp_path, PLAN)
    content = json.loads((tmp_path / "plan.json").read_text())
    (tmp_path / "plan.json").write_text(json.dumps(content | {"something_new": 1}))
    with pytest.raises(StudyError, match="written by a newer version of outcomes"):
        read_plan(tmp_path)
