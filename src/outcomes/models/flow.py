"""From the rows of a population to those that a model uses: what each empty column costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import duckdb

from outcomes.mixed.design.data import quoted
from outcomes.models.state import FlowStep


def flow_of(con: duckdb.DuckDBPyConnection, population: str, columns: Sequence[str]) -> tuple[FlowStep, ...]:
    """Count who is left after each column of a model is asked for, in the order of the formula.

    Parameters
    ----------
    con : connection
        With the population: a table or view of sessions with their episodes, clients and therapists.
    population : str
        Its name.
    columns : sequence of str
        Columns that a row must have to be used; those that leave nobody out have no step of their own.

    Returns
    -------
    tuple of FlowStep
        The population first; last those in the model, whose sessions are the rows of the fit.
    """
    conditions = ["true"]
    for column in columns:
        conditions.append(f"{conditions[-1]} and {quoted(column)} is not null")
    found = [_count(con, population, condition) for condition in conditions]
    steps = [FlowStep(f"rows of {population}", "all rows of the model's population", *found[0])]
    for column, counts in zip(columns, found[1:], strict=True):
        if counts[0] < steps[-1].n_sessions:
            step = FlowStep(f"with {column}", f"{column} is empty", *counts)
            steps.append(_after(steps[-1], step))
    last = FlowStep("in the model", "no other reason", *found[-1])
    return (*steps, _after(steps[-1], last))


def _count(con: duckdb.DuckDBPyConnection, population: str, condition: str) -> tuple[int, int, int, int]:
    ((sessions, episodes, clients, therapists),) = con.execute(
        f"select count(*), count(distinct episode_id), count(distinct client_id), count(distinct therapist_id) "
        f"from {quoted(population)} where {condition}"
    ).fetchall()
    return sessions, episodes, clients, therapists


def _after(before: FlowStep, step: FlowStep) -> FlowStep:
    return replace(
        step,
        n_sessions_excluded=before.n_sessions - step.n_sessions,
        n_clients_excluded=before.n_clients - step.n_clients,
    )
