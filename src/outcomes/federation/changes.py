"""Who has changed since an earlier plan: two sums that differ by one client would show the client's numbers.

A sketch is a keyed hash of each client's id with a hash of all the client's sessions, and one of those that take part
in the plan: other limits or other predictors leave other sessions out. It stays in the study folder, and so does its
key; it says nothing without both.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from pathlib import Path

import duckdb

from outcomes.errors import DataRefused
from outcomes.mixed.design.data import VIEW
from outcomes.mixed.design.population import Population
from outcomes.store.files import read_json, write_json, write_text

_SKETCH = "sketch.json"


def sketch(con: duckdb.DuckDBPyConnection, folder: Path, population: Population) -> dict[str, str]:
    """Hashes of each client's sessions, all and those that take part, by keyed hash of the client.

    Parameters
    ----------
    con : connection
    folder : Path
        Where the key is.
    population : Population
        The rows of a plan.
    """
    key = _key(folder)
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
    return {
        hmac.new(key, client.encode(), hashlib.sha256).hexdigest(): f"{content} {parts.get(client, '')}"
        for client, content in rows
    }


def keep(own: Path, found: dict[str, str]) -> None:
    """Keep a plan's sketch."""
    write_json(own / _SKETCH, found)
    (own / _SKETCH).chmod(0o600)


def refuse_small_change(folder: Path, found: dict[str, str], fewest: int) -> None:
    """Refuse a plan whose rows differ from an earlier plan's by those of a few clients.

    Raises
    ------
    DataRefused
        Where 1 to `fewest` - 1 clients came, went, have other sessions, or take part with others.
    """
    for path in sorted(folder.glob(f"*/{_SKETCH}")):
        before = read_json(path)
        changed = sum(before.get(client) != found.get(client) for client in before.keys() | found.keys())
        if 0 < changed < fewest:
            raise DataRefused(
                f"Fewer than {fewest} clients differ between now and the plan {path.parent.name}: the difference of "
                "the two sums would be theirs",
                f"wait until {fewest} clients have changed, or take part with the same rows: the earlier release's "
                "data, the same limits, predictors that are missing in the same sessions",
            )


def _key(folder: Path) -> bytes:
    path = folder / "sketch.key"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        write_text(path, secrets.token_hex(32))
        path.chmod(0o600)
    return bytes.fromhex(path.read_text())
