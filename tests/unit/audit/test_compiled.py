"""Suites as SQL say what Great Expectations says; what has no form goes to the library."""

import random
import subprocess
import sys

import pytest

from outcomes.audit import Status, compiled, gx_duckdb
from outcomes.audit.evaluation import Evaluation
from outcomes.audit.runner import check_tables
from outcomes.audit.suites import read_suites
from outcomes.store.warehouse import connect, insert_rows

NUMBERS = (None, *range(-3, 4))


def expectation(kind, **kwargs):
    return {"type": f"expect_{kind}", "kwargs": kwargs, "meta": {"id": kind}}


def asked(mostly):
    return [
        expectation("column_values_to_not_be_null", column="score", mostly=mostly),
        expectation("column_values_to_be_in_set", column="score", value_set=[-1, 0, 1], mostly=mostly),
        expectation("column_values_to_be_between", column="score", min_value=-1, max_value=2, mostly=mostly),
        expectation("column_values_to_be_unique", column="score", mostly=mostly),
        expectation(
            "column_pair_values_a_to_be_greater_than_b", column_A="score", column_B="second", or_equal=mostly < 1,
            ignore_row_if="either_value_is_missing", mostly=mostly,
        ),
    ]  # fmt: skip


def random_rows(seed):
    """Few values, many twins and gaps; the first tables are empty, or have gaps only."""
    drawn = random.Random(seed)
    n_rows = (0, 1, 2, 5, 12)[seed % 5]
    return [(None if seed == 1 else drawn.choice(NUMBERS), drawn.choice(NUMBERS)) for _ in range(n_rows)]


@pytest.mark.parametrize("seed", range(10))
def test_whatever_is_in_the_columns_the_library_counts_the_same(seed):
    with connect() as con:
        con.execute("create table ratings (score integer, second integer)")
        insert_rows(con, "ratings", random_rows(seed))
        expectations = asked((1.0, 0.9, 0.5, 1 / 3)[seed % 4])
        assert compiled.evaluate(con, "ratings", expectations) == gx_duckdb.evaluate(con, "ratings", expectations)


def test_a_column_may_have_any_name():
    with connect() as con:
        con.execute("""create table odd as select unnest([1, 1, null]) as 'odd "name"'""")
        found = compiled.evaluate(con, "odd", [expectation("column_values_to_be_unique", column='odd "name"')])
    assert found == {"column_values_to_be_unique": Evaluation(False, 2, 2)}


def test_a_missing_column_spoils_its_own_check_only():
    with connect() as con:
        con.execute("create table ratings as select 1 as score union all select null")
        found = compiled.evaluate(
            con, "ratings",
            [
                expectation("column_values_to_not_be_null", column="score"),
                expectation("column_values_to_be_unique", column="no_such_column"),
            ],
        )  # fmt: skip
    assert found == {
        "column_values_to_not_be_null": Evaluation(False, 1, 2),
        "column_values_to_be_unique": Evaluation(False, None, None),
    }


@pytest.mark.parametrize("query", ["select 1", "select 1, 2 where false", "select null, 2", "select 1, 2 from nowhere"])
def test_a_query_without_two_numbers_is_not_evaluated(query):
    with connect() as con:
        found = compiled.evaluate(con, "any", [expectation("query_to_find_no_violations", query=query)])
    assert found == {"query_to_find_no_violations": Evaluation(False, None, None)}


@pytest.mark.parametrize(
    "other",
    [
        expectation("column_value_lengths_to_be_between", column="code", max_value=3),
        expectation("column_values_to_be_between", column="score", min_value=0, strict_min=True),
        expectation("column_pair_values_a_to_be_greater_than_b", column_A="a", column_B="b", ignore_row_if="never"),
        expectation("column_pair_values_a_to_be_greater_than_b", column_A="a", column_B="b"),
    ],
    ids=["other type", "other argument", "no row left out", "rows left out by default"],
)
def test_what_has_no_form_is_left_to_the_library(other):
    assert not compiled.is_compiled(other)


def test_the_library_evaluates_an_expectation_with_an_argument_that_has_no_form(study):
    (check,) = (one for one in read_suites()["core_sessions"] if one.id == "core_sessions.session_number.from_one")
    strict = type(check)(**{**vars(check), "kwargs": {"column": "session_number", "min_value": 1, "strict_min": True}})
    with connect() as con:
        con.execute("create table core_sessions as select unnest([1, 2, 3]) as session_number")
        (found,) = check_tables(con, study.settings, {"core_sessions": [strict]})
    assert (found.status, found.n_violated, found.n_denominator) == (Status.FAILED, 1, 3)


def test_an_audit_of_our_suites_loads_no_great_expectations(tmp_path):
    program = (
        "import sys\nfrom outcomes.audit.runner import check_tables\nfrom outcomes.audit.suites import read_suites\n"
        "from outcomes.store.warehouse import connect\nfrom outcomes.study import create_study\n"
        "study = create_study(sys.argv[1])\n"
        "with connect() as con: check_tables(con, study.settings, read_suites(study.settings))\n"
        "sys.exit('great_expectations' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", program, str(tmp_path / "study")], capture_output=True, timeout=1200)
    assert run.returncode == 0, run.stderr
