"""What a site keeps of the rows whose sums it has told: hashes by client, under a key that never leaves the study.

A sketch has, by keyed hash of each client's id, keyed hashes of the client's rows that take part and of what they hold
in each column of the plan's table. What they hold is hashed with the rows' names and without: an export that numbers
its sessions anew would hide a joiner. Numbers count to nine digits, for the last ones may differ between builds. The
sketch stays in the study folder, and so does its key.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path

from outcomes.errors import StudyError
from outcomes.federation.plan import short
from outcomes.mixed.design.data import VIEW, quoted
from outcomes.mixed.design.population import Population
from outcomes.store.files import read_json, write_json, write_text

FORMAT = 3
SKETCH = "sketch.json"
_BEFORE = 2
"""Format whose sketches lack only fields that have a default."""
_KEY = "sketch.key"
_RESTORE = "restore the study's folder federation/ from a backup: without it nobody knows what was told"
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
    values : dict of str to str
        The same whatever the rows are called; empty in a sketch of an earlier version.
    sites : tuple of str
        Of the plan; empty in a sketch of an earlier version.
    key : str
        Hash of the key; empty in a sketch of an earlier version.
    format : int
        Of the file that it is kept in.
    """

    release: str
    table: str
    named_by: str
    columns: tuple[str, ...]
    rows: dict[str, list[str]]
    contents: dict[str, str]
    values: dict[str, str] = field(default_factory=dict)
    sites: tuple[str, ...] = ()
    key: str = ""
    format: int = FORMAT

    def things(self) -> dict[str, Counter[str]]:
        """Rows of each client."""
        return {client: Counter(rows) for client, rows in self.rows.items()}

    def clients(self) -> dict[str, dict[str, int]]:
        """That a client takes part."""
        return {client: {client: 1} for client in self.rows}

    def column(self, name: str, held: Mapping[str, str]) -> dict[str, str]:
        """What each client's rows hold in one column, of `contents` or `values`."""
        start = _DIGITS * self.columns.index(name)
        return {client: hashed[start : start + _DIGITS] for client, hashed in held.items()}

    def of(self, clients: set[str]) -> Sketch:
        """The part that is of these clients."""
        rows = {client: self.rows[client] for client in clients & self.rows.keys()}
        contents, values = ({one: held[one] for one in rows if one in held} for held in (self.contents, self.values))
        return replace(self, rows=rows, contents=contents, values=values)


def sketch(folder: Path, population: Population, release: str, table: str, sites: tuple[str, ...]) -> Sketch:
    """Hash the rows that take part in a plan.

    Parameters
    ----------
    folder : Path
        Where the key is.
    population : Population
        The plan's rows.
    release, table : str
        Where they come from.
    sites : tuple of str
        Who takes part.

    Raises
    ------
    StudyError
        Where sketches are there, and their key is gone.
    """
    key = _key(folder)
    salt = hmac.new(key, b"rows", hashlib.sha256).hexdigest()
    types = {name: type_ for name, type_ in population.source.columns.types.items() if name not in _NOT_DATA}
    named_by = next((name for name in _KEYS if name in types), "")
    texts = {name: _text(name, str(type_)) for name, type_ in types.items()}
    naming = [named_by] if named_by else list(types)
    name = f"left(md5('{salt}' || {' || '.join(texts[column] for column in naming)}), 16)"
    with_row = "row_name || " if named_by else ""
    contents, values = (
        " || ".join(
            f"left(md5('{salt}' || string_agg({by}{text}, '' order by {by}{text})), {_DIGITS})"
            for text in texts.values()
        )
        for by in (with_row, "")
    )
    found = population.source.query(
        f"select client_id, list(row_name order by row_name) as names, {contents} as contents, {values} as held "
        f"from (select *, {name} as row_name from {VIEW} where {population.complete}) group by client_id"
    ).to_pylist()
    hashed = {row["client_id"]: _hashed(key, row["client_id"]) for row in found}
    names, contents_of, values_of = (
        {hashed[row["client_id"]]: row[column] for row in found} for column in ("names", "contents", "held")
    )
    return Sketch(release, table, named_by, tuple(types), names, contents_of, values_of, sites, _fingerprint(key))


def hasher(folder: Path) -> Callable[[str], str]:
    """The keyed hash of a client's id."""
    return partial(_hashed, _key(folder))


def keep(own: Path, found: Sketch) -> None:
    """Keep a plan's sketch: from now on its rows bind other plans."""
    write_json(own / SKETCH, asdict(found))
    (own / SKETCH).chmod(0o600)


def is_kept(own: Path) -> bool:
    """Say whether a plan's sketch was kept in the form of today."""
    return (own / SKETCH).exists() and read_json(own / SKETCH).get("format") == FORMAT


def read_sketch(path: Path) -> Sketch | dict[str, str]:
    """Read a sketch; as a plain dict where it has the first form.

    Raises
    ------
    StudyError
        Where it is damaged, was kept by a later version, or was made with a key that is gone.
    """
    try:
        content = read_json(path)
        if not isinstance(content.get("format"), int):
            return content
        if content["format"] not in (_BEFORE, FORMAT):
            raise StudyError(f"{path} was written by a later version of outcomes", "update outcomes at this site")
        tuples = {name: tuple(content[name]) for name in ("columns", "sites") if name in content}
        found = Sketch(**{**content, **tuples})
    except (ValueError, TypeError, KeyError, AttributeError):
        raise StudyError(f"{path} cannot be read", _RESTORE) from None
    if found.key and found.key != _fingerprint(_key(path.parent.parent)):
        raise StudyError(f"{path} was made with another key than {_KEY}", _RESTORE)
    return found


def refuse_lost(folder: Path, answered: set[str]) -> None:
    """Refuse where the sketch of a plan that was answered is gone: what it told can be compared with nothing.

    Parameters
    ----------
    folder : Path
        Where all plans' sketches are.
    answered : set of str
        Ids of the plans that the audit trail names as answered.

    Raises
    ------
    StudyError
    """
    if lost := sorted(plan for plan in answered if not (folder / plan / SKETCH).exists()):
        raise StudyError(
            f"{len(lost)} plans were answered and their sketches are gone, the first of them {short(lost[0])}", _RESTORE
        )


def _text(column: str, type_: str) -> str:
    """SQL of a value as text in which a missing one and the end of one can be told."""
    shown = f"printf('%.9g', {quoted(column)})" if type_.upper() in ("DOUBLE", "FLOAT") else quoted(column)
    return f"coalesce(length(cast({shown} as varchar)) || ':' || cast({shown} as varchar), '-')"


def _hashed(key: bytes, client: str) -> str:
    return hmac.new(key, client.encode(), hashlib.sha256).hexdigest()


def _fingerprint(key: bytes) -> str:
    return hashlib.sha256(key).hexdigest()


def _key(folder: Path) -> bytes:
    path = folder / _KEY
    if not path.exists():
        if any(folder.glob(f"*/{SKETCH}")):
            raise StudyError(f"{path} is gone, the key of the sketches beside it", _RESTORE)
        folder.mkdir(parents=True, exist_ok=True)
        write_text(path, secrets.token_hex(32))
        path.chmod(0o600)
    try:
        return bytes.fromhex(path.read_text())
    except ValueError:
        raise StudyError(f"{path} cannot be read", _RESTORE) from None
