"""One file for several kinds: which of its columns belong to the client or to the course of therapy."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Mapping as Mapping_
from dataclasses import replace

import duckdb

from outcomes.contract import CONTRACT, Kind, Role
from outcomes.landing.formats.source_rows import text_literal
from outcomes.preview.cells import CELLS
from outcomes.preview.columns import MISSING, FoundColumn
from outcomes.preview.guesses import ONE_COURSE, SURE, Guess, Mapping, map_columns

_MOST_CHANGING = 0.05  # share of owners of whom a column says several things; more, and it is not theirs
_KEYS = {
    kind: frozenset(column.name for column in columns if column.role is Role.KEY) for kind, columns in CONTRACT.items()
}


def further_mapping(
    con: duckdb.DuckDBPyConnection, columns: tuple[FoundColumn, ...], first: Mapping, kind: Kind,
    marked: Collection[str], *, usual: Mapping_[str, str], is_own_rows: bool = False,
) -> Mapping | None:  # fmt: skip
    """Map a table that is of one kind already as a further kind; None where it holds nothing of it.

    A column belongs to a client or a course of therapy where its name says so and (nearly) all rows of each say the
    same. In a table of sessions in which no client comes twice nobody can tell.

    Parameters
    ----------
    columns : tuple of FoundColumn
        Of the table of cells.
    first : Mapping
        As the kind that fits best.
    marked : collection of str
        Columns that must not be read.
    usual : mapping of str to str
        By the contract's name, the names of columns where the layout itself says what they are.
    is_own_rows : bool
        The table was laid out for the further kind: one row is one client or course.
    """
    if usual:
        return _by_layout(columns, kind, usual)
    by_name = {column.name: column for column in columns}
    client, episode = first.of("client_id"), first.of("episode_id")
    if client is None or client.found.name not in by_name or kind in (Kind.SESSIONS, first.kind):
        return None
    owner = episode if kind is Kind.EPISODES and episode and episode.found.name in by_name else client
    place = by_name[owner.found.name].place
    is_repeated = _repeats(con, place)
    if first.kind is Kind.SESSIONS and not (is_own_rows or is_repeated):
        return None
    sure = {guess.found.name: guess.certainty for guess in first.guesses}
    found = [
        guess
        for guess in map_columns(columns, kind).guesses
        if guess.column not in _KEYS[kind]
        and guess.certainty >= SURE
        and guess.certainty > sure.get(guess.found.name, 0.0)
        and guess.found.name not in marked
        and (not is_repeated or _changing_share(con, place, guess.found.place) <= _MOST_CHANGING)
    ]
    if not found:
        return None
    keys = [replace(client, found=by_name[client.found.name])]
    if kind is Kind.EPISODES:
        why = owner.why if owner is episode else ONE_COURSE
        keys.append(Guess(by_name[owner.found.name], "episode_id", owner.certainty, why))
    return Mapping(kind, (*keys, *found), ())


def _by_layout(columns: tuple[FoundColumn, ...], kind: Kind, usual: Mapping_[str, str]) -> Mapping | None:
    found = {column.name.lower(): column for column in columns}
    guesses = tuple(
        Guess(found[name.lower()], column, 1.0, "the data set's own name of it")
        for column, name in usual.items()
        if name.lower() in found
    )
    return Mapping(kind, guesses, ()) if guesses else None


def without(mapping: Mapping, names: Collection[str]) -> Mapping:
    """Leave some columns to another kind of the same file."""
    return Mapping(
        mapping.kind,
        tuple(guess for guess in mapping.guesses if guess.found.name not in names),
        tuple(column for column in mapping.unknown if column.name not in names),
    )


def of_owner(mapping: Mapping) -> frozenset[str]:
    """Return the names of the columns that a further kind takes from the first: all but its ids."""
    return frozenset(guess.found.name for guess in mapping.guesses if guess.column not in _KEYS[mapping.kind])


def _repeats(con: duckdb.DuckDBPyConnection, place: int) -> bool:
    said = _said(place)
    n, n_different = con.execute(f"select count({said}), count(distinct {said}) from {CELLS}").fetchall()[0]
    return n > n_different


def _changing_share(con: duckdb.DuckDBPyConnection, owner: int, place: int) -> float:
    """Return the share of owners of whom a column says more than one thing."""
    return con.execute(
        f"select coalesce(avg(cast(n > 1 as double)), 0) from (select count(distinct {_said(place)}) as n "
        f"from {CELLS} where {_said(owner)} is not null group by {_said(owner)})"
    ).fetchall()[0][0]


def _said(place: int) -> str:
    codes = ", ".join(text_literal(code) for code in MISSING)
    return f"case when lower(trim(c{place})) not in ({codes}) then trim(c{place}) end"
