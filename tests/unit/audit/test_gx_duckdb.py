"""The door to Great Expectations: mended, silent, and proven before it is trusted."""

import subprocess
import sys

import pytest
from duckdb_engine import ConnectionWrapper

from outcomes.audit import canary, compiled, gx_duckdb
from outcomes.audit.evaluation import Evaluation
from outcomes.audit.gx_duckdb import DuckDBExecutionEngine, Evaluator, gx
from outcomes.audit.suites import read_suites
from outcomes.errors import ChecksFailed
from outcomes.store.warehouse import connect

NOT_NULL = {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "score"}, "meta": {"id": "filled"}}
TYPES = frozenset(check.type for checks in read_suites().values() for check in checks)


@pytest.fixture
def con():
    with connect() as connection:
        connection.execute(
            "create table ratings as select * from (values (1, 5), (2, null), (3, null)) as t(id, score)"
        )
        yield connection


@pytest.mark.filterwarnings("ignore")  # it warns that it does not know DuckDB
def test_unmended_great_expectations_sees_no_violation_on_duckdb(con):
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    source = context.data_sources.add_sql(
        "unmended",
        connection_string="duckdb:///:memory:",
        kwargs={"creator": lambda: ConnectionWrapper(con.cursor())},
    )
    batch = source.add_table_asset("ratings", table_name="ratings").add_batch_definition_whole_table("all").get_batch()
    suite = gx.ExpectationSuite(name="ratings", expectations=[NOT_NULL])
    (result,) = batch.validate(suite, result_format={"result_format": "BASIC"}).results
    assert result.result.get("unexpected_count") != 2


def test_the_mended_door_counts_every_violation(con):
    evaluator = Evaluator(con)
    assert evaluator.evaluate("ratings", [NOT_NULL]) == {"filled": Evaluation(False, 2, 3)}
    evaluator.close()


def test_a_share_of_violations_is_accepted_where_the_check_says_so(con):
    query = {"query": "select count(*) filter (score is null), count(*) from ratings"}
    asked = [
        {
            "type": "expect_query_to_find_no_violations",
            "kwargs": {**query, "mostly": mostly},
            "meta": {"id": str(mostly)},
        }
        for mostly in (0.3, 0.4)
    ]
    evaluator = Evaluator(con)
    found = evaluator.evaluate("ratings", asked)
    evaluator.close()
    assert {name: result.success for name, result in found.items()} == {"0.3": True, "0.4": False}


def test_a_check_of_an_empty_table_counts_nothing_of_nothing(con):
    con.execute("delete from ratings")
    evaluator = Evaluator(con)
    assert evaluator.evaluate("ratings", [NOT_NULL]) == {"filled": Evaluation(True, 0, 0)}
    evaluator.close()


@pytest.mark.parametrize(
    "broken",
    [
        {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "no_such_column"}},
        {"type": "expect_query_to_find_no_violations", "kwargs": {"query": "select 1, 2 from no_such_table"}},
        {"type": "expect_query_to_find_no_violations", "kwargs": {"query": "select cast('c0012' as integer), 2"}},
    ],
    ids=["missing column", "missing table", "failing query"],
)
def test_a_check_that_cannot_run_is_told_from_one_that_passes_and_carries_no_message(con, broken):
    evaluator = Evaluator(con)
    found = evaluator.evaluate("ratings", [{**broken, "meta": {"id": "broken"}}, NOT_NULL])
    evaluator.close()
    assert found == {"broken": Evaluation(False, None, None), "filled": Evaluation(False, 2, 3)}


@pytest.mark.parametrize("evaluate", [compiled.evaluate, gx_duckdb.evaluate])
def test_every_type_in_use_proves_itself_on_planted_faults(evaluate):
    canary.prove_that_checks_see.cache_clear()
    canary.prove_that_checks_see(TYPES, evaluate)


def test_checks_that_see_nothing_are_refused(monkeypatch):
    canary.prove_that_checks_see.cache_clear()
    unmended = DuckDBExecutionEngine.__mro__[1].execute_query
    monkeypatch.setattr(DuckDBExecutionEngine, "execute_query", unmended)
    with pytest.raises(ChecksFailed, match=r"planted faults are not found by .*expect_column_values_to_not_be_null"):
        canary.prove_that_checks_see(TYPES, gx_duckdb.evaluate)


def test_a_type_without_a_planted_fault_is_refused():
    with pytest.raises(ChecksFailed, match="no fault is planted for expect_column_to_exist"):
        canary.prove_that_checks_see(frozenset({"expect_column_to_exist"}), gx_duckdb.evaluate)


def test_nothing_is_printed_logged_or_left_in_the_home_folder(tmp_path):
    program = (
        "import logging; logging.basicConfig(level=logging.DEBUG)\n"
        "from outcomes.audit import gx_duckdb\n"
        "from outcomes.audit.canary import prove_that_checks_see\n"
        f"prove_that_checks_see(frozenset({sorted(TYPES)!r}), gx_duckdb.evaluate)\n"
        "import os; assert os.environ['GX_ANALYTICS_ENABLED'] == 'false'\n"
    )
    home = tmp_path / "home"
    home.mkdir()
    run = subprocess.run(
        [sys.executable, "-c", program],
        cwd=home,
        env={"HOME": str(home), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=1200,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout == ""
    assert "great_expectations" not in run.stderr
    assert list(home.iterdir()) == []


def test_great_expectations_is_loaded_late():
    program = "import sys, outcomes.audit; sys.exit('great_expectations' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], timeout=1200).returncode == 0
