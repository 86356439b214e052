"""Sketches as earlier versions kept them: a hash of all of a client's sessions, later also of those that take part.

They say nothing of outcomes and predictors from other tables; a plan is compared with them on what they have.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb

from outcomes.mixed.design.data import VIEW
from outcomes.mixed.design.population import Population


def was_answered(own: Path) -> bool:
    """Say whether numbers of a plan left the site: earlier versions kept a sketch before any did."""
    return any(own.glob("[0-9]*.json"))


def sketch(con: duckdb.DuckDBPyConnection, hashed: Callable[[str], str], population: Population) -> dict[str, str]:
    """Hashes of each client's sessions, all and those that take part, by keyed hash of the client."""
    rows = con.execute(
        "select client_id, md5(string_agg(md5(cast(s as varchar)), '' order by session_id)) "
        "from (select * exclude (batch_id) from core_sessions) s group by client_id"
    ).fetchall()
    part = "md5(string_agg(md5(cast(session_id as varchar)), '' order by session_id))"
    if "session_id" not in population.source.columns.types:
        part = "md5(cast(count(*) as varchar))"
    taking_part = population.source.query(
        f"select client_id, {part} as part from {VIEW} where {population.complete} group by client_id"
    ).to_pylist()
    parts = {row["client_id"]: row["part"] for row in taking_part}
    return {hashed(client): f"{content} {parts.get(client, '')}" for client, content in rows}


def changed(before: dict[str, str], now: dict[str, str]) -> int:
    """Clients that differ, by all sessions only where no more was kept."""
    if not any(" " in kept for kept in before.values()):
        now = {client: kept.split(" ")[0] for client, kept in now.items()}
    return sum(before.get(client) != now.get(client) for client in before.keys() | now.keys())
