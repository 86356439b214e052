"""What a model would be fitted to, counted before it is fitted, and the reasons not to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import duckdb

from outcomes.models.refusals import LEAST_VALUES, Refusal, RefusalRule, few_events, few_people, first_that_holds
from outcomes.models.specs import columns_read, grouping_columns
from outcomes.study.settings import Disclosure, ModelSpec

_KINDS = {"linear": "the outcome", "hazard": "dropout"}


@dataclass(frozen=True)
class Population:
    """Counts over the rows of a population that are complete in a model's columns.

    Attributes
    ----------
    n_population, n_rows : int
        All rows; complete ones.
    n_clients, n_therapists : int
        Behind the complete rows.
    n_outcomes, n_events : int
        Rows that have the outcome at all; complete rows whose outcome is over zero.
    has_spread : bool
        Whether the outcome takes more than one value among the complete rows.
    empty : tuple of str
        Columns of the model that are empty in every row.
    """

    n_population: int
    n_rows: int
    n_clients: int
    n_therapists: int
    n_outcomes: int
    n_events: int
    has_spread: bool
    empty: tuple[str, ...]


def count_population(con: duckdb.DuckDBPyConnection, spec: ModelSpec) -> Population:
    """Count what a model would be fitted to, in one pass."""
    columns = columns_read(spec, tuple(con.table(spec.population).columns))
    complete = " and ".join(f'"{name}" is not null' for name in columns) or "true"
    filled = ", ".join(f'count("{name}")' for name in columns)
    outcome = f'cast("{spec.outcome}" as double)' if spec.outcome in columns else "cast(null as double)"
    (row,) = con.execute(
        f"""select count(*), count(*) filter ({complete}),
            count(distinct client_id) filter ({complete}), count(distinct therapist_id) filter ({complete}),
            count({outcome}), count(*) filter ({complete} and {outcome} > 0),
            coalesce(min({outcome}) filter ({complete}) < max({outcome}) filter ({complete}), false), [{filled}]
            from {spec.population}"""
    ).fetchall()
    empty = tuple(name for name, n in zip(columns, row[7], strict=True) if n == 0)
    return Population(*row[:7], empty=empty)


def refusal_of(spec: ModelSpec, found: Population, rule: Disclosure) -> Refusal | None:
    """Why a model cannot be fitted without misleading; None where it can."""
    return first_that_holds(_reasons(spec, found, rule))


def _reasons(spec: ModelSpec, found: Population, rule: Disclosure) -> Iterator[Refusal]:
    is_hazard = spec.kind == "hazard"
    therapists, clients = few_people(found.n_clients, found.n_therapists, rule)
    yield Refusal(RefusalRule.COHORT, found.n_population)
    if is_hazard:
        yield Refusal(RefusalRule.ENDINGS, found.n_outcomes)
    yield Refusal(RefusalRule.COLUMNS, int(not found.empty), about=", ".join(found.empty))
    if is_hazard:
        yield Refusal(RefusalRule.DROPOUTS, found.n_events)
    if "therapist_id" in grouping_columns(spec):
        yield therapists
    yield clients
    yield Refusal(RefusalRule.SPREAD, 1 + found.has_spread, LEAST_VALUES, _KINDS[spec.kind])
    if is_hazard:
        yield few_events(found.n_events, found.n_rows, len(spec.fixed) + 1, "dropouts")
