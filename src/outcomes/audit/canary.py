"""A check that cannot fail is worse than none: faults planted in a small table must be found before a suite is trusted.

That holds for whoever evaluates: our SQL, and Great Expectations, which without the mending in `gx_duckdb` sees nothing
on DuckDB and says that all is well. Should another version of one of the packages bring that back, the audit stops
here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from outcomes.audit.evaluation import Evaluation
from outcomes.errors import ChecksFailed
from outcomes.store.warehouse import connect

# Ten rows; each column carries two faults, of ten or (where one value is empty) nine.
_TABLE = """
create table canary as
select
    i as id,
    case when i not in (3, 7) then i end as with_gaps,
    case when i = 2 then 1 else i end as with_twins,
    case when i in (5, 6) then 99 when i <> 1 then i end as out_of_range,
    case when i in (5, 6) then 'x' when i <> 1 then 'a' end as of_other_code,
    case when i in (8, 9) then i - 1 when i <> 1 then i end as too_small
from range(10) as rows(i)
"""

_QUERY = "select count(*) filter (out_of_range > :highest), count(out_of_range) from canary"

# Type of expectation: its arguments, and the denominator that it must count (2 violations each).
_PLANTED: dict[str, tuple[dict[str, Any], int]] = {
    "expect_column_values_to_not_be_null": ({"column": "with_gaps"}, 10),
    "expect_column_values_to_be_unique": ({"column": "with_twins"}, 10),
    "expect_column_values_to_be_between": ({"column": "out_of_range", "min_value": 0, "max_value": 9}, 9),
    "expect_column_values_to_be_in_set": ({"column": "of_other_code", "value_set": ["a", "b"]}, 9),
    "expect_column_pair_values_a_to_be_greater_than_b": (
        {"column_A": "too_small", "column_B": "id", "or_equal": True, "ignore_row_if": "either_value_is_missing"},
        9,
    ),
    "expect_query_to_find_no_violations": ({"query": _QUERY, "parameters": {"highest": 9}}, 9),
}


@cache
def prove_that_checks_see(types: frozenset[str], evaluate: Callable[..., dict[str, Evaluation]]) -> None:
    """Run one expectation of each type on a table with known faults, once a process.

    Parameters
    ----------
    types : frozenset of str
        Types of expectation in use.
    evaluate : callable
        Takes connection, table and expectations: `compiled.evaluate` or `gx_duckdb.evaluate`.

    Raises
    ------
    ChecksFailed
        If a type has no planted fault, or does not find exactly what was planted.
    """
    if unproven := sorted(types - _PLANTED.keys()):
        raise _untrusted(f"no fault is planted for {', '.join(unproven)}")
    asked = [{"type": kind, "kwargs": _PLANTED[kind][0], "meta": {"id": kind}} for kind in sorted(types)]
    with connect() as con:
        con.execute(_TABLE)
        found = evaluate(con, "canary", asked)
    blind = [kind for kind in sorted(types) if found.get(kind) != Evaluation(False, 2, _PLANTED[kind][1])]
    if blind:
        raise _untrusted(f"planted faults are not found by {', '.join(blind)}")


def _untrusted(detail: str) -> ChecksFailed:
    return ChecksFailed(
        f"The data-quality checks cannot be trusted here: {detail}. Nothing was published.",
        "install the package versions that constraints.txt names, and run again",
    )
