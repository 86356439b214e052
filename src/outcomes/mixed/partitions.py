"""A table cut into files so that whoever belongs together lies in one of them: what the places of a cluster read."""

from __future__ import annotations

import heapq
import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from outcomes.errors import DataRefused, StorageError, UsageError

MANIFEST = "partitions.json"
_HALF = ".unfinished"
_PART = "outcomes_part"


@dataclass(frozen=True)
class Partitions:
    """A table in parts; of the columns `groups`, no value occurs in two parts.

    Parameters
    ----------
    folder : str
        Which all workers reach under the same path.
    by : str
        Column whose values stay together.
    groups : tuple of str
        Columns whose values stay together too.
    n_rows : tuple of int
        Rows of each part.
    n_blocks : int
        Sets of `by` that nobody links: the most parts that there can be.
    """

    folder: str
    by: str
    groups: tuple[str, ...]
    n_rows: tuple[int, ...]
    n_blocks: int

    @property
    def together(self) -> frozenset[str]:
        """Columns whose values lie in one part each."""
        return frozenset((self.by, *self.groups))

    @contextmanager
    def open(self, part: int) -> Iterator[duckdb.DuckDBPyRelation]:
        """Open one part as a relation, on a connection of one thread: each place is one.

        Raises
        ------
        StorageError
            Where the part is not there, cannot be read, or has lost rows.
        """
        files = str(Path(self.folder) / f"{_PART}={part}" / "*.parquet").replace("'", "''")
        con = duckdb.connect(config={"threads": 1})
        try:
            con.execute("set enable_progress_bar = false")
            try:
                found = con.sql(f"select * from read_parquet('{files}', hive_partitioning = false)")
                n_rows = con.sql(f"select count(*) from read_parquet('{files}')").fetchall()[0][0]
            except duckdb.Error:
                raise StorageError(f"Part {part} of {self.folder} cannot be read on this machine", _ANEW) from None
            if n_rows != self.n_rows[part]:
                raise StorageError(
                    f"Part {part} of {self.folder} has {n_rows} rows instead of {self.n_rows[part]}", _ANEW
                )
            yield found
        finally:
            con.close()


_ANEW = "all workers must reach the folder under this path; write the partitions anew where it is damaged"


def write_partitions(
    con: duckdb.DuckDBPyConnection,
    table: str,
    folder: Path | str,
    n_parts: int,
    *,
    by: str = "practice_id",
    groups: Sequence[str] = ("client_id", "therapist_id"),
) -> Partitions:
    """Cut a table into Parquet files by practice; practices that share a client or a therapist stay together.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
    table : str
        E.g. ``mart_session_directiveness`` of a release.
    folder : Path
        A new folder, which all workers reach under the same path. It holds a copy of the rows: nothing of the study
        knows of it, no withdrawal reaches it; delete it after use.
    n_parts : int
        At most so many; a few for each worker even out their sizes.
    by : str
        Column whose values stay together; rows without a value count as one more.
    groups : sequence of str
        Columns none of whose values may lie in two parts: those that random effects group by.

    Returns
    -------
    Partitions

    Raises
    ------
    UsageError
        The folder is not empty; the table lacks a column; a column has ordered levels, which files do not keep.
    DataRefused
        There is one practice only, or its clients and therapists link all practices to one another.
    """
    target, half = Path(folder).expanduser().resolve(), Path(f"{Path(folder).expanduser().resolve()}{_HALF}")
    if n_parts < 1:
        raise UsageError(f"{n_parts} parts cannot be written.", "ask for one or more")
    if target.exists() and any(target.iterdir()):
        raise UsageError(f"{target} is not empty", "choose a new folder")
    _refuse_columns(con, table, (by, *groups))
    sizes = con.sql(f'select {_value(by)} as value, count(*) as n from "{table}" group by 1 order by 1').pl()
    block = _blocks(con, table, by, groups, sizes["value"])
    n_blocks = int(block.max(initial=-1)) + 1
    if n_blocks < 2:
        reason = f"link all {sizes.height} values to one another" if sizes.height > 1 else "have one value only"
        raise DataRefused(
            f"The table cannot be cut by {by}: its rows {reason}",
            f"fit it on one machine, or cut it by another column ({', '.join(groups)})",
        )
    part = _packed(np.bincount(block, weights=sizes["n"].to_numpy()), n_parts)[block]
    shutil.rmtree(half, ignore_errors=True)  # of a run that was killed
    half.mkdir(parents=True)
    places = sizes.select("value").with_columns(pl.Series(_PART, part))
    con.register("outcomes_parts", places.to_arrow())
    try:
        path = str(half).replace("'", "''")
        con.execute(
            f'copy (select rows.*, parts.{_PART} from "{table}" as rows join outcomes_parts as parts '
            f"on {_value(by, 'rows')} = parts.value) "
            f"to '{path}' (format parquet, partition_by ({_PART}), compression zstd, overwrite_or_ignore)"
        )
    finally:
        con.unregister("outcomes_parts")
    n_rows = np.bincount(part, weights=sizes["n"].to_numpy()).astype(int).tolist()
    written = Partitions(str(target), by, tuple(groups), tuple(n_rows), n_blocks)
    (half / MANIFEST).write_text(json.dumps(asdict(written)), encoding="utf-8")
    if target.exists():
        target.rmdir()
    half.rename(target)
    return written


def read_partitions(folder: Path | str) -> Partitions:
    """Read what `write_partitions` wrote into a folder, wherever it was moved.

    Raises
    ------
    StorageError
        Where the folder holds no partitions, or they were not finished.
    """
    target = Path(folder).expanduser().resolve()
    try:
        content = json.loads((target / MANIFEST).read_text(encoding="utf-8"))
        lists = {name: tuple(content[name]) for name in ("groups", "n_rows")}
        return Partitions(**{**content, **lists, "folder": str(target)})
    except (OSError, ValueError, TypeError, KeyError):
        raise StorageError(f"{target} holds no partitions", "write them with `write_partitions`") from None


def _value(column: str, of: str = "") -> str:
    """SQL of a column's value as text; missing ones are one value."""
    return f"coalesce(cast({of and of + '.'}\"{column}\" as varchar), '')"


def _refuse_columns(con: duckdb.DuckDBPyConnection, table: str, wanted: Sequence[str]) -> None:
    described = con.sql(f'describe "{table}"').fetchall()
    types = {name: str(kind) for name, kind, *_ in described}
    if missing := [name for name in wanted if name not in types]:
        raise UsageError(f"{table} has no column {', '.join(missing)}.", f"it has {', '.join(types)}")
    if ordered := [name for name, kind in types.items() if kind.startswith("ENUM")]:
        raise UsageError(
            f"{table} has ordered levels in {', '.join(ordered)}, which Parquet files do not keep.",
            "cast them to text, and give `levels` when fitting",
        )


def _blocks(
    con: duckdb.DuckDBPyConnection, table: str, by: str, groups: Sequence[str], values: pl.Series
) -> np.ndarray:
    """Number of the block of each value: values that a level of any group links are in one."""
    position = pl.DataFrame({"value": values, "at": np.arange(len(values))})
    ends: list[np.ndarray] = [np.empty((0, 2), dtype=int)]
    for group in groups:
        links = con.sql(
            f'with pairs as (select distinct "{group}" as level, {_value(by)} as value from "{table}" '
            f'where "{group}" is not null), '
            "firsts as (select level, min(value) as first from pairs group by level having count(*) > 1) "
            "select distinct first, value from firsts join pairs using (level) where value <> first"
        ).pl()
        found = links.join(position.rename({"at": "one"}), left_on="first", right_on="value", how="left").join(
            position.rename({"at": "two"}), on="value", how="left"
        )
        ends.append(found.select("one", "two").to_numpy())
    one, two = np.concatenate(ends).astype(int).T
    graph = sp.coo_array((np.ones(len(one)), (one, two)), shape=(len(values),) * 2)
    return connected_components(graph, directed=False)[1]


def _packed(sizes: np.ndarray, n_parts: int) -> np.ndarray:
    """Part of each block: the largest first, each into the part that is smallest so far."""
    heap = [(0.0, part) for part in range(min(n_parts, len(sizes)))]
    placed = np.empty(len(sizes), dtype=np.int64)
    for block in np.argsort(-sizes, kind="stable"):
        rows, part = heapq.heappop(heap)
        placed[block] = part
        heapq.heappush(heap, (rows + sizes[block], part))
    return placed
