"""The risk set of dropout under one definition and one reading of the endings that are not known."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from outcomes.answers.common.words import Cause, HazardTerm, Reading
from outcomes.disclosure import is_group
from outcomes.errors import FitRefused
from outcomes.languages import later
from outcomes.methods.dropout.cumulative_incidence import REPORT_SESSIONS
from outcomes.store.warehouse import sql_table
from outcomes.study.settings import Disclosure

FIRST_SESSIONS = 3  # with hazards of their own; then a line in ln(session), as in the study template

_UNDETERMINED_AS = {Reading.AS_RECORDED: None, Reading.ALL_DROPOUT: Cause.DROPOUT.value, Reading.NONE_DROPOUT: "none"}

HAZARD_TERMS = {
    "directiveness_so_far": HazardTerm.SO_FAR,
    "directiveness_change": HazardTerm.CHANGE,
}
"""Terms whose effects are told. Both know nothing of the future."""


NO_GUIDANCE = later("These data hold no ratings of guidance, so what it means for dropout cannot be said.")


def has_guidance(rows: duckdb.DuckDBPyRelation) -> bool:
    """Say whether any session at risk has a rating of guidance."""
    return bool(rows.aggregate("count(directiveness_so_far)").fetchall()[0][0])


def definitions(con: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
    """Definitions of dropout that the data allow, in the order of their names."""
    found = con.execute("select distinct definition from core_dropout_labels order by definition").fetchall()
    return tuple(name for (name,) in found)


def risk_set(
    con: duckdb.DuckDBPyConnection, definition: str, reading: Reading, silent_days: int
) -> duckdb.DuckDBPyRelation:
    """Sessions at risk under a definition, with 0/1 columns is_dropout, is_planned, is_other, is_another (not dropout).

    The flags are empty on the last session of an undetermined episode under `AS_RECORDED`. Under the other readings
    such an episode ended by dropout, or by nothing that is told apart (all flags 0); except that one which is open and
    was seen less than `silent_days` ago goes on, and stays censored there.
    """
    return sql_table(
        con, "answers/answer_risk_set", definition=str(definition), silent_days=silent_days,
        undetermined_as=_UNDETERMINED_AS[reading],
    )  # fmt: skip


def sessions_told(reached: Mapping[int, int], rule: Disclosure) -> tuple[int, ...]:
    """Report sessions that enough episodes reach for a risk to be told, from how many reach each session.

    Raises
    ------
    FitRefused
        Where too few reach any of them.
    """
    told = tuple(t for t in REPORT_SESSIONS if is_group(reached.get(t, 0), rule))
    if not told:
        raise FitRefused("Too few episodes reach the sessions that the risk of dropout is told for.")
    return told


def baseline(rows: duckdb.DuckDBPyRelation, outcome: str) -> tuple[duckdb.DuckDBPyRelation, tuple[str, ...]]:
    """Sessions in which the event can occur at all, and the terms of the hazard's course over them.

    Some definitions let dropout happen in the first sessions only: sessions before the first event and after the last
    have a hazard of 0, which no logit can fit, and are left out.
    """
    events = rows.filter(f"{outcome} = 1").aggregate("min(attended_number), max(attended_number)").fetchall()
    first, last = events[0] if events and events[0][0] is not None else (1, 1)
    dummies = tuple(f"session_{k}" for k in range(max(first, 1), FIRST_SESSIONS + 1) if k < last)
    line = ("log_session",) if last > FIRST_SESSIONS + 1 else ()
    return rows.filter(f"attended_number between {first} and {last}"), dummies + line
