"""What a model would be fitted to, counted before it is fitted, and the reasons not to."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from outcomes.models.specs import columns_read, grouping_columns
from outcomes.study.settings import Disclosure, ModelSpec

MINIMUM_CLIENTS = 50
"""Fewest clients of a mixed model: below it the standard errors of client-level effects are too small (Maas & Hox
2005, doi 10.1027/1614-2241.1.3.86)."""

EVENTS_PER_TERM = 5
"""Fewest dropouts, and fewest sessions without dropout, per fixed effect of a hazard (Vittinghoff & McCulloch 2007,
doi 10.1093/aje/kwk052)."""

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


def reason_to_refuse(spec: ModelSpec, found: Population, rule: Disclosure) -> str:
    """Say in plain words why a model cannot be fitted without misleading; empty where it can.

    The sentences hold no counts, so that they may stand in a report.
    """
    if found.n_population == 0:
        return "No session of the cohort can take part in this model."
    if spec.kind == "hazard" and found.n_outcomes == 0:
        return "No endings are recorded in these data, so nothing can be said about dropout."
    if found.empty:
        return "The data hold no values for: " + ", ".join(found.empty) + "."
    if spec.kind == "hazard" and found.n_events == 0:
        return "No dropout is recorded in these data under the study's definition, so nothing can be said about it."
    if "therapist_id" in grouping_columns(spec) and found.n_therapists < rule.minimum_therapists:
        return (
            "There are too few therapists. With so few, differences between therapists cannot be told from chance, and "
            "the model's other results would look more certain than they are."
        )
    if found.n_clients < MINIMUM_CLIENTS:
        return "There are too few clients with complete data for this model."
    if not found.has_spread:
        return f"All sessions have the same value of {_KINDS[spec.kind]}, so nothing can explain differences in it."
    fewest = min(found.n_events, found.n_rows - found.n_events)
    if spec.kind == "hazard" and fewest < EVENTS_PER_TERM * (len(spec.fixed) + 1):
        return "There are too few dropouts for the number of terms in this model."
    return ""
