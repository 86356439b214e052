"""The one door to Great Expectations, mended for DuckDB: for expectations that `compiled` has no form of.

Import it late: the library takes seconds to load. Three things are done here and nowhere else.

1. Great Expectations fetches a result after its connection went back to the pool; duckdb-engine then hands out
   an empty list, so that checks see nothing and say that all is well (upstream #10738, #11579).
   `DuckDBExecutionEngine` reads the result before the connection is released.
2. `ExpectQueryToFindNoViolations` runs a query that returns two numbers, the violations and what they are counted
   among. The library's own "unexpected rows" would run the query twice and pull clients' rows into Python.
3. Silence: no progress bars, no log lines (they carry values), no analytics, no files.
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any, ClassVar, Literal

import duckdb
import sqlalchemy as sa
from duckdb_engine import ConnectionWrapper

from outcomes.audit.evaluation import NOT_EVALUATED, Evaluation

os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
logging.getLogger("great_expectations").addHandler(logging.NullHandler())
logging.getLogger("great_expectations").propagate = False
with warnings.catch_warnings():
    # The library imports sre_constants, which Python 3.11 deprecates.
    warnings.simplefilter("ignore", DeprecationWarning)
    import great_expectations as gx
    from great_expectations.datasource.fluent import SQLDatasource
    from great_expectations.execution_engine import SqlAlchemyExecutionEngine
    from great_expectations.expectations.expectation import BatchExpectation
    from great_expectations.expectations.metrics.metric_provider import metric_value
    from great_expectations.expectations.metrics.query_metric_provider import QueryMetricProvider

# Counts only: no failing value is ever fetched.
_COUNTS_ONLY = {"result_format": "BASIC", "partial_unexpected_count": 0, "exclude_unexpected_values": True}


class DuckDBExecutionEngine(SqlAlchemyExecutionEngine):
    """SQL execution that reads each result before its connection is released."""

    def execute_query(self, query: Any) -> Any:
        """Run a query and return its rows, buffered."""
        with self.get_connection() as connection:
            return _buffered(connection.execute(query))

    def execute_query_in_transaction(self, query: Any) -> Any:
        """Run a query and return its rows, buffered; DuckDB commits by itself."""
        return self.execute_query(query)


class DuckDBDatasource(SQLDatasource):
    """A data source whose queries go through `DuckDBExecutionEngine`."""

    type: Literal["duckdb"] = "duckdb"

    @property
    def execution_engine_type(self) -> type[DuckDBExecutionEngine]:
        """The engine that buffers."""
        return DuckDBExecutionEngine


def _buffered(result: sa.CursorResult) -> Any:
    return result.freeze()() if result.returns_rows else result


class QueryViolations(QueryMetricProvider):
    """The one row (violations, denominator) that a query returns."""

    metric_name = "query.violations"
    value_keys = ("query", "parameters")

    @metric_value(engine=SqlAlchemyExecutionEngine)
    def _sqlalchemy(cls, execution_engine, metric_value_kwargs, **_unused):  # noqa: N805  the library's own form
        query = sa.text(metric_value_kwargs["query"]).bindparams(**(metric_value_kwargs["parameters"] or {}))
        ((n_violated, n_denominator),) = execution_engine.execute_query(query).fetchall()
        return {"n_violated": int(n_violated), "n_denominator": int(n_denominator)}


class ExpectQueryToFindNoViolations(BatchExpectation):
    """Expect a query that returns (violations, denominator) to find at most a share `1 - mostly` of violations."""

    query: str
    parameters: dict[str, Any] = {}  # noqa: RUF012  a field of the library's model, copied per instance
    mostly: float = 1.0

    metric_dependencies: ClassVar[tuple[str, ...]] = ("query.violations",)
    success_keys: ClassVar[tuple[str, ...]] = ("query", "parameters", "mostly")
    domain_keys: ClassVar[tuple[str, ...]] = ("batch_id",)

    def _validate(self, metrics, runtime_configuration=None, execution_engine=None):
        counts = metrics["query.violations"]
        tolerated = (1 - self._get_success_kwargs()["mostly"]) * counts["n_denominator"]
        return {"success": counts["n_violated"] <= tolerated + 1e-9, "result": counts}


class Evaluator:
    """Runs expectations by SQL inside an open DuckDB connection; nothing is written, to the database or elsewhere.

    Parameters
    ----------
    con : DuckDBPyConnection
        Connection whose committed tables are checked.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = {"globally": False, "metric_calculations": False}
        self._source = context.data_sources.add_duckdb(
            "release",
            connection_string="duckdb:///:memory:",  # never opened: the creator shares the caller's database
            kwargs={"creator": lambda: ConnectionWrapper(con.cursor())},
        )

    def evaluate(self, table: str, expectations: Sequence[Mapping[str, Any]]) -> dict[str, Evaluation]:
        """Evaluate the expectations of one table.

        Parameters
        ----------
        table : str
            Name of the table.
        expectations : sequence of mapping
            Great Expectations' own form: type, kwargs, severity, meta; `meta["id"]` names the result.
        """
        asset = self._source.add_table_asset(table, table_name=table)
        batch = asset.add_batch_definition_whole_table("whole").get_batch()
        suite = gx.ExpectationSuite(name=table, expectations=[dict(each) for each in expectations])
        outcome = batch.validate(suite, result_format=_COUNTS_ONLY)
        return {result.expectation_config.meta["id"]: _evaluation(result) for result in outcome.results}

    def close(self) -> None:
        """Release the shared connection."""
        self._source.get_execution_engine().engine.dispose()


def evaluate(
    con: duckdb.DuckDBPyConnection, table: str, expectations: Sequence[Mapping[str, Any]]
) -> dict[str, Evaluation]:
    """Evaluate the expectations of one table by the library itself; see `Evaluator.evaluate`."""
    with closing(Evaluator(con)) as evaluator:
        return evaluator.evaluate(table, expectations)


def _evaluation(result: Any) -> Evaluation:
    counts = result.result
    if "n_violated" in counts:
        return Evaluation(bool(result.success), counts["n_violated"], counts["n_denominator"])
    if counts.get("element_count") == 0:
        return Evaluation(True, 0, 0)  # a sum over no rows is empty, not a failure
    if counts.get("unexpected_count") is None:
        return NOT_EVALUATED
    among = counts["element_count"] - counts.get("missing_count", 0)
    return Evaluation(bool(result.success), counts["unexpected_count"], among)
