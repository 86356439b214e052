"""Which rows an earlier plan's sums are of: sums over rows that differ by few clients would show these clients.

A sketch has, by keyed hash of each client's id, keyed hashes of the client's rows that take part and of what they hold
in each column of the plan's table. Columns are told apart because some are computed from everybody's rows (a departure
from the grand mean): they change for all clients when one rating does, and would hide it. The sketch stays in the
study folder, and so does its key.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache, partial
from pathlib import Path

import duckdb

from outcomes.errors import DataRefused, StudyError
from outcomes.federation import earlier_changes
from outcomes.federation.combined import few_remain
from outcomes.mixed.design.data import VIEW, quoted
from outcomes.mixed.design.population import Population
from outcomes.store.files import read_json, write_json, write_text

BOUND = (
    "this site has answered round 1 already, so on this release it takes part with the same rows only: other limits "
    "need a later release, in which enough clients have changed"
)
"""What a refusal after round 1 says of its own remedy."""
_SKETCH = "sketch.json"
_FORMAT = 2
_KEYS = ("session_id", "episode_id")
"""Columns that name a row, the first that a table has; the rows of other tables are named by all they hold."""
_DIGITS = 8
"""Hexadecimal digits of the hash of a column: of 4 billion changes one would be missed."""
_NOT_DATA = ("batch_id",)


@dataclass(frozen=True)
class Sketch:
    """The rows of a plan.

    Parameters
    ----------
    release, table : str
    named_by : str
        Column that names a row; empty where all columns do.
    columns : tuple of str
    rows : dict of str to list of str
        Hashes of the rows that take part, by hash of the client.
    contents : dict of str to str
        Hashes of what these rows hold in each of `columns`, one after the other, by hash of the client.
    format : int
        Of the file that it is kept in.
    """

    release: str
    table: str
    named_by: str
    columns: tuple[str, ...]
    rows: dict[str, list[str]]
    contents: dict[str, str]
    format: int = _FORMAT

    def things(self) -> dict[str, Counter[str]]:
        """Rows of each client."""
        return {client: Counter(rows) for client, rows in self.rows.items()}

    def clients(self) -> dict[str, dict[str, int]]:
        """That a client takes part."""
        return {client: {client: 1} for client in self.rows}

    def column(self, name: str) -> dict[str, dict[str, int]]:
        """What each client's rows hold in one column."""
        start = _DIGITS * self.columns.index(name)
        return {client: {hashed[start : start + _DIGITS]: 1} for client, hashed in self.contents.items()}

    def of(self, clients: set[str]) -> Sketch:
        """The part that is of these clients."""
        rows = {client: self.rows[client] for client in clients & self.rows.keys()}
        return replace(self, rows=rows, contents={client: self.contents[client] for client in rows})


def sketch(folder: Path, population: Population, release: str, table: str) -> Sketch:
    """Hash the rows that take part in a plan.

    Parameters
    ----------
    folder : Path
        Where the key is.
    population : Population
        The plan's rows.
    release, table : str
        Where they come from.
    """
    key = _key(folder)
    salt = hmac.new(key, b"rows", hashlib.sha256).hexdigest()
    columns = [name for name in population.source.columns.types if name not in _NOT_DATA]
    named_by = next((name for name in _KEYS if name in columns), "")
    parts = [quoted(named_by)] if named_by else [quoted(name) for name in columns]
    name = f"left(md5('{salt}' || {' || '.join(map(_text, parts))}), 16)"
    with_row = "row_name || " if named_by else ""
    contents = " || ".join(
        f"left(md5('{salt}' || string_agg({with_row}{value}, '' order by {with_row}{value})), {_DIGITS})"
        for value in (_text(quoted(column)) for column in columns)
    )
    found = population.source.query(
        f"select client_id, list(row_name order by row_name) as names, {contents} as contents "
        f"from (select *, {name} as row_name from {VIEW} where {population.complete}) group by client_id"
    ).to_pylist()
    hashed = {row["client_id"]: _hashed(key, row["client_id"]) for row in found}
    return Sketch(
        release,
        table,
        named_by,
        tuple(columns),
        {hashed[row["client_id"]]: row["names"] for row in found},
        {hashed[row["client_id"]]: row["contents"] for row in found},
    )


def keep(own: Path, found: Sketch) -> None:
    """Keep a plan's sketch: from now on its rows bind other plans."""
    write_json(own / _SKETCH, asdict(found))
    (own / _SKETCH).chmod(0o600)


def is_kept(own: Path) -> bool:
    """Say whether a plan's sketch was kept in the form of today."""
    return (own / _SKETCH).exists() and read_json(own / _SKETCH).get("format") == _FORMAT


def refuse_small_change(
    con: duckdb.DuckDBPyConnection, folder: Path, own: Path, found: Sketch, population: Population, fewest: int
) -> None:
    """Refuse a plan whose sums, with those of earlier plans, could be taken apart into those of few clients.

    Parameters
    ----------
    con : connection
    folder : Path
        Where all plans' sketches are; those of plans that were answered bind.
    own : Path
        This plan's own part of it, which is left out.
    found : Sketch
    population : Population
        The plan's rows.
    fewest : int

    Raises
    ------
    DataRefused
        Where a plan on the same release and table had other rows; where rows or values differ from an earlier plan's
        for 1 to `fewest` - 1 clients, or those of several plans can be combined to so few.
    StudyError
        Where a sketch was kept by a later version.
    """
    others: dict[str, Sketch] = {}
    in_earlier_form = cache(lambda: earlier_changes.sketch(con, partial(_hashed, _key(folder)), population))
    for path in sorted(folder.glob(f"*/{_SKETCH}")):
        if path.parent == own:
            continue
        content = read_json(path)
        if not isinstance(content.get("format"), int):
            is_bound = earlier_changes.was_answered(path.parent)
            if is_bound and 0 < earlier_changes.changed(content, in_earlier_form()) < fewest:
                raise _few(fewest, path.parent.name)
        elif content["format"] != _FORMAT:
            raise StudyError(f"{path} was written by a later version of outcomes", "update outcomes at this site")
        else:
            others[path.parent.name] = Sketch(**{**content, "columns": tuple(content["columns"])})
    for name, other in others.items():
        if (other.release, other.table) == (found.release, found.table) and other.rows != found.rows:
            raise DataRefused(
                f"Other rows of {found.table} took part in the plan {name} on this release: sums over several "
                "choices of rows could be combined so that a few clients remain",
                "plan with the same --at-least and --up-to and with predictors that are missing in the same rows, or "
                "take part from a later release",
            )
    for name, other in others.items():
        if _few_remain([other, found], fewest):
            raise _few(fewest, name)
    different = list({_content(other): other for other in [*others.values(), found]}.values())
    if len(different) > 2 and _few_remain(different, fewest):
        raise DataRefused(
            f"The sums of this plan and of {len(different) - 1} earlier choices of rows could be combined so that "
            f"fewer than {fewest} clients remain",
            "plan with the limits of an earlier plan, or wait until more clients have changed",
        )


def _few(fewest: int, name: str) -> DataRefused:
    return DataRefused(
        f"Fewer than {fewest} clients differ between now and the plan {name}: the difference of the two sums would be "
        "theirs",
        f"wait until {fewest} clients have changed, or take part with the same rows: the earlier release's data, the "
        "same limits, predictors that are missing in the same sessions",
    )


def _few_remain(sketches: list[Sketch], fewest: int) -> bool:
    first, *rest = sketches
    same = {
        client
        for client, rows in first.rows.items()
        if all(one.rows.get(client) == rows and one.contents[client] == first.contents[client] for one in rest)
    }
    if all(one.columns == first.columns for one in rest):
        everybody = set().union(*(one.rows for one in sketches))
        # Who is the same in all has one and the same pattern: as many as count as many will do.
        sketches = [one.of(everybody - same | set(sorted(same)[:fewest])) for one in sketches]
    return any(few_remain(sets, fewest) for sets in _compared(sketches))


def _compared(sketches: list[Sketch]) -> Iterator[list[Mapping[str, Mapping[str, int]]]]:
    """What is compared: rows of one sort, else who takes part; and each column of those that have it."""
    sorts = {one.named_by or one.table for one in sketches}
    if len(sorts) > 1:
        yield [one.clients() for one in sketches]
    for sort in sorted(sorts):
        yield [one.things() for one in sketches if (one.named_by or one.table) == sort]
    for name in sorted({name for one in sketches for name in one.columns}):
        yield [one.column(name) for one in sketches if name in one.columns]


def _content(one: Sketch) -> str:
    return repr((one.table, one.columns, sorted(one.rows.items()), sorted(one.contents.items())))


def _text(sql: str) -> str:
    """SQL of a value as text in which a missing one and the end of one can be told."""
    return f"coalesce(length(cast({sql} as varchar)) || ':' || cast({sql} as varchar), '-')"


def _hashed(key: bytes, client: str) -> str:
    return hmac.new(key, client.encode(), hashlib.sha256).hexdigest()


def _key(folder: Path) -> bytes:
    path = folder / "sketch.key"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        write_text(path, secrets.token_hex(32))
        path.chmod(0o600)
    return bytes.fromhex(path.read_text())
