"""Great Expectations' suites as SQL: all checks of a table's columns in one statement, each query of a check as it is.

The library takes seconds to load and to keep its books, for counts that DuckDB has in milliseconds. The forms below say
the same as the library does; tests hold every check of every suite against its own run, on clean tables and on tables
with planted faults (docs/decisions/0088). Whatever has no form here goes to the library.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any

import duckdb

from outcomes.audit.evaluation import NOT_EVALUATED, Evaluation
from outcomes.store.warehouse import quoted

_QUERY = "expect_query_to_find_no_violations"
_PLACE = re.compile(r"(?<![:\w\\]):(\w+)(?!:)")
"""A named place in a query, as SQLAlchemy's `text` has it; DuckDB writes `$name`."""
_EITHER = "either_value_is_missing"
_ROUNDING = 1e-9

Values = tuple[Any, ...]
Expectation = Mapping[str, Any]
Columns = Callable[[str, Expectation], tuple[str, str, Values]]
"""Gives violations and what they are counted among, as aggregates over the table, and the values of their `?`."""


def _not_null(_table: str, kwargs: Expectation) -> tuple[str, str, Values]:
    return f"count(*) - count({quoted(kwargs['column'])})", "count(*)", ()


def _in_set(_table: str, kwargs: Expectation) -> tuple[str, str, Values]:
    column = quoted(kwargs["column"])
    return (
        f"count(*) filter (not list_contains(?, {column}))",
        f"count({column})",
        ([*map(_plain, kwargs["value_set"])],),
    )


def _between(_table: str, kwargs: Expectation) -> tuple[str, str, Values]:
    column = quoted(kwargs["column"])
    ends = [
        (sign, kwargs[name]) for sign, name in (("<", "min_value"), (">", "max_value")) if kwargs.get(name) is not None
    ]
    outside = " or ".join(f"{column} {sign} ?" for sign, _ in ends) or "false"
    return f"count(*) filter ({outside})", f"count({column})", tuple(value for _, value in ends)


def _unique(table: str, kwargs: Expectation) -> tuple[str, str, Values]:
    column = quoted(kwargs["column"])
    twins = (
        f"select count(*) as n from {quoted(table)} where {column} is not null group by {column} having count(*) > 1"
    )
    return f"(select coalesce(sum(n), 0)::bigint from ({twins}))", f"count({column})", ()


def _greater(_table: str, kwargs: Expectation) -> tuple[str, str, Values]:
    first, second = quoted(kwargs["column_A"]), quoted(kwargs["column_B"])
    beyond = "<" if kwargs.get("or_equal") else "<="
    both = f"count(*) filter ({first} is not null and {second} is not null)"
    return f"count(*) filter ({first} {beyond} {second})", both, ()


_FORMS: dict[str, tuple[Columns, frozenset[str]]] = {
    "expect_column_values_to_not_be_null": (_not_null, frozenset({"column"})),
    "expect_column_values_to_be_in_set": (_in_set, frozenset({"column", "value_set"})),
    "expect_column_values_to_be_between": (_between, frozenset({"column", "min_value", "max_value"})),
    "expect_column_values_to_be_unique": (_unique, frozenset({"column"})),
    "expect_column_pair_values_a_to_be_greater_than_b": (
        _greater,
        frozenset({"column_A", "column_B", "or_equal", "ignore_row_if"}),
    ),
}

TYPES = frozenset({_QUERY, *_FORMS})
"""Types of expectation that have a form here."""


def is_compiled(expectation: Expectation) -> bool:
    """Whether an expectation has a form here, with all its arguments."""
    kwargs = {name for name in expectation["kwargs"] if name != "mostly"}
    if expectation["type"] == _QUERY:
        return kwargs <= {"query", "parameters"}
    if expectation["type"] not in _FORMS or not kwargs <= _FORMS[expectation["type"]][1]:
        return False
    # The library's own default looks at rows with one value, too.
    return expectation["kwargs"].get("ignore_row_if") == _EITHER or "column_A" not in kwargs


def evaluate(con: duckdb.DuckDBPyConnection, table: str, expectations: Sequence[Expectation]) -> dict[str, Evaluation]:
    """Evaluate expectations of one table that have a form here; nothing is written, no value of a client is read.

    Parameters
    ----------
    con : DuckDBPyConnection
        Connection whose tables are checked.
    table : str
        Name of the table.
    expectations : sequence of mapping
        Great Expectations' own form: type, kwargs, meta; `meta["id"]` names the result.
    """
    queries = [one for one in expectations if one["type"] == _QUERY]
    found = {one["meta"]["id"]: _of_query(con, one["kwargs"]) for one in queries}
    return found | _of_columns(con, table, [one for one in expectations if one["type"] != _QUERY])


def _of_query(con: duckdb.DuckDBPyConnection, kwargs: Expectation) -> Evaluation:
    """The one row that a query returns: violations, and what they are counted among."""
    values = {name: _plain(value) for name, value in kwargs.get("parameters", {}).items()}
    try:
        rows = con.execute(_PLACE.sub(r"$\1", kwargs["query"]), values).fetchall()
    except duckdb.Error:
        return NOT_EVALUATED
    if len(rows) != 1 or len(rows[0]) != 2 or None in rows[0]:
        return NOT_EVALUATED
    violated, among = map(int, rows[0])
    return Evaluation(violated <= (1 - kwargs.get("mostly", 1.0)) * among + _ROUNDING, violated, among)


def _of_columns(
    con: duckdb.DuckDBPyConnection, table: str, expectations: Sequence[Expectation]
) -> dict[str, Evaluation]:
    """All in one statement; where that fails, one by one, so that only the broken one is not evaluated."""
    if not expectations:
        return {}
    forms = [_FORMS[one["type"]][0](table, one["kwargs"]) for one in expectations]
    sql = ", ".join(f"{violated}, {among}" for violated, among, _ in forms)
    values = [value for _, _, places in forms for value in places]
    try:
        counts = con.execute(f"select {sql} from {quoted(table)}", values).fetchall()[0]
    except duckdb.Error:
        if len(expectations) == 1:
            return {expectations[0]["meta"]["id"]: NOT_EVALUATED}
        return {name: one for each in expectations for name, one in _of_columns(con, table, [each]).items()}
    pairs = zip(expectations, counts[::2], counts[1::2], strict=True)
    return {one["meta"]["id"]: _judged(violated, among, one["kwargs"]) for one, violated, among in pairs}


def _judged(violated: int, among: int, kwargs: Expectation) -> Evaluation:
    return Evaluation(not among or (among - violated) / among >= kwargs.get("mostly", 1.0), violated, among)


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value
