"""Compare two finished releases by what is in them: manifests, tables, codebooks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import polars as pl

from outcomes.operate.comparing.causes import causes_of
from outcomes.operate.comparing.comparison import Comparison
from outcomes.release.manifest import MANIFEST
from outcomes.release.places import KeptRelease
from outcomes.store.files import read_json
from outcomes.store.warehouse import connect

_TOLERANCE = 1e-9  # relative: what threads and machines may differ by

ROW_NAMES: dict[str, tuple[str, ...]] = {
    "model_estimates": ("model", "variant", "term"),
    "guidance_effects": ("question", "part", "model"),
    "reactance_effects": ("outcome", "guidance", "quantity"),
    "dropout_effects": ("definition", "cause", "reading", "effect"),
    "dropout_rates": ("definition",),
    "dropout_incidence": ("definition", "cause", "guidance", "session"),
    "surface_terms": ("outcome", "level", "term"),
    "contrasts_dropout": ("definition", "contrast", "level", "session", "quantity"),
    "contrasts_satisfaction": ("contrast", "level", "quantity"),
}
"""Tables of estimates that are compared, with what names a row; a release need not have them all."""


def compare_releases(before: KeptRelease, after: KeptRelease) -> Comparison:
    """Say what changed from one finished release to another, and why.

    Parameters
    ----------
    before, after : KeptRelease
        Of one study, in whatever order they were published.
    """
    manifests = [read_json(one.folder / MANIFEST) for one in (before, after)]
    with connect(before.database, read_only=True) as old, connect(after.database, read_only=True) as new:
        return Comparison(
            before.release_id,
            after.release_id,
            pl.DataFrame(list(causes_of(*manifests)), schema=["cause", "change"], orient="row"),
            _rows(manifests[0]["row_counts"], manifests[1]["row_counts"]),
            _checks(old, new),
            _verdicts(old, new),
            _estimates(old, new),
            _definitions(old, new),
        )


def _rows(old: dict[str, int], new: dict[str, int]) -> pl.DataFrame:
    changed = [
        (name, old.get(name), new.get(name), new.get(name, 0) - old.get(name, 0))
        for name in sorted(old | new)
        if old.get(name) != new.get(name)
    ]
    schema = {"table_name": pl.String, "before": pl.Int64, "after": pl.Int64, "change": pl.Int64}
    return pl.DataFrame(changed, schema=schema, orient="row")


def _checks(old: duckdb.DuckDBPyConnection, new: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    columns = ("check_id", "severity", "status", "n_violated", "sentence")
    a, b = (_keyed(_read(con, "dq_results", columns), ("check_id",)) for con in (old, new))
    changed = []
    for key in sorted(a.keys() | b.keys()):
        was, now = a.get(key, {}), b.get(key, {})
        pair = ("status", "n_violated")
        if any(was.get(name) != now.get(name) for name in pair):
            said = now or was
            changed.append(
                (key[0], said["severity"], was.get("status"), now.get("status"), was.get("n_violated"),
                 now.get("n_violated"), said["sentence"])
            )  # fmt: skip
    schema = {"check_id": pl.String, "severity": pl.String, "before": pl.String, "after": pl.String,
              "violated_before": pl.Int64, "violated_after": pl.Int64, "sentence": pl.String}  # fmt: skip
    return pl.DataFrame(changed, schema=schema, orient="row")


def _verdicts(old: duckdb.DuckDBPyConnection, new: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    key = ("outcome", "level")
    a, b = (_keyed(_read(con, "verdicts", (*key, "verdict")), key) for con in (old, new))
    changed = [
        (*at, a.get(at, {}).get("verdict"), b.get(at, {}).get("verdict"))
        for at in sorted(a.keys() | b.keys())
        if a.get(at) != b.get(at)
    ]
    return pl.DataFrame(changed, schema=dict.fromkeys((*key, "before", "after"), pl.String), orient="row")


def _estimates(old: duckdb.DuckDBPyConnection, new: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    changed: list[dict[str, Any]] = []
    for table, key in ROW_NAMES.items():
        a, b = (_estimates_of(con, table, key) for con in (old, new))
        for at in sorted(a.keys() | b.keys(), key=str):
            was, now = a.get(at, {}), b.get(at, {})
            if not _are_same(was, now):
                changed.append(_estimate_row(table, at, was, now))
    schema = {
        "table_name": pl.String, "what": pl.String, "before": pl.Float64, "after": pl.Float64,
        "interval_before": pl.String, "interval_after": pl.String, "status_before": pl.String,
        "status_after": pl.String, "is_beyond": pl.Boolean,
    }  # fmt: skip
    return pl.DataFrame(changed, schema=schema, orient="row")


def _estimates_of(con: duckdb.DuckDBPyConnection, table: str, key: tuple[str, ...]) -> dict[tuple, dict[str, Any]]:
    if table not in _tables(con):
        return {}
    return _keyed(con.table(table).pl().to_dicts(), key)


def _are_same(was: dict[str, Any], now: dict[str, Any]) -> bool:
    """Whether two rows tell the same; a row that only one release has is a change unless it tells nothing."""
    if not was or not now:
        return (was or now).get("estimate") is None
    if was.get("status") != now.get("status"):
        return False
    return all(_is_near(was.get(name), now.get(name)) for name in ("estimate", "conf_low", "conf_high"))


def _is_near(a: float | None, b: float | None) -> bool:
    if a is None or b is None:
        return a is b
    return abs(a - b) <= _TOLERANCE * max(abs(a), abs(b), 1e-300)


def _estimate_row(table: str, at: tuple, was: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    low, high, value = was.get("conf_low"), was.get("conf_high"), now.get("estimate")
    known = None not in (low, high, value)
    return {
        "table_name": table,
        "what": ", ".join(str(part) for part in at if part not in (None, "")),
        "before": was.get("estimate"),
        "after": value,
        "interval_before": _interval(was),
        "interval_after": _interval(now),
        "status_before": was.get("status"),
        "status_after": now.get("status"),
        "is_beyond": bool(value < low or value > high) if known else None,
    }


def _interval(row: dict[str, Any]) -> str | None:
    ends = row.get("conf_low"), row.get("conf_high")
    return None if None in ends else f"{ends[0]:.4g} to {ends[1]:.4g}"


def _definitions(old: duckdb.DuckDBPyConnection, new: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    changed = [*_defined_models(old, new), *_defined_columns(old, new), *_defined_answers(old, new)]
    return pl.DataFrame(changed, schema=dict.fromkeys(("what", "name", "before", "after"), pl.String), orient="row")


def _defined_models(old: duckdb.DuckDBPyConnection, new: duckdb.DuckDBPyConnection) -> Iterator[tuple]:
    words = ("formula", "population", "outcome", "link", "engine", "kind")
    a, b = (_keyed(_read(con, "model_specs", ("model", *words)), ("model",)) for con in (old, new))
    for (name,) in sorted(a.keys() | b.keys()):
        for word in words:
            pair = a.get((name,), {}).get(word), b.get((name,), {}).get(word)
            if pair[0] != pair[1]:
                yield f"model: {word}", name, *pair


def _defined_columns(old: duckdb.DuckDBPyConnection, new: duckdb.DuckDBPyConnection) -> Iterator[tuple]:
    words = ("type", "description", "unit", "range")
    key = ("table_name", "column_name")
    a, b = (_keyed(_read(con, "codebook", (*key, *words)), key) for con in (old, new))
    for at in sorted(a.keys() | b.keys(), key=str):
        table, column = at
        name = f"{table}.{column}" if column else table
        if (at in a) != (at in b):
            whole = (table, None)
            if column and (whole in a) != (whole in b):
                continue  # said of the table itself
            pair = ("", "new") if at in b else ("there", "gone")
            yield f"{'column' if column else 'table'}", name, *pair
            continue
        for word in words:
            if a[at][word] != b[at][word]:
                yield f"{'column' if column else 'table'}: {word}", name, a[at][word], b[at][word]


def _defined_answers(old: duckdb.DuckDBPyConnection, new: duckdb.DuckDBPyConnection) -> Iterator[tuple]:
    a, b = (_keyed(_read(con, "answer_states", ("analysis", "status")), ("analysis",)) for con in (old, new))
    for at in sorted(a.keys() | b.keys()):
        pair = a.get(at, {}).get("status"), b.get(at, {}).get("status")
        if pair[0] != pair[1]:
            yield "analysis", at[0], *pair


def _tables(con: duckdb.DuckDBPyConnection) -> set[str]:
    return {name for (name,) in con.execute("select table_name from duckdb_tables() where not internal").fetchall()}


def _read(con: duckdb.DuckDBPyConnection, table: str, columns: tuple[str, ...]) -> list[dict[str, Any]]:
    """Rows of a table; none where a release of another version has no such table."""
    if table not in _tables(con):
        return []
    return con.sql(f"select {', '.join(columns)} from {table}").pl().to_dicts()


def _keyed(rows: list[dict[str, Any]], key: tuple[str, ...]) -> dict[tuple, dict[str, Any]]:
    return {tuple(row.get(name) for name in key): row for row in rows}
