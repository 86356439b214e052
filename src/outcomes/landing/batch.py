"""Landed batches: immutable folders of one Parquet file and its manifest."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from outcomes.contract import CONTRACT, MEASURED, OTHER_SCORES, Kind, Rule, ValueType
from outcomes.errors import StorageError
from outcomes.landing.formats.source_rows import LaidOut, text_literal
from outcomes.landing.rules.cells import SQL_TYPES
from outcomes.landing.rules.columns import ColumnPlan
from outcomes.landing.rules.row_rules import PRACTICE
from outcomes.store.files import file_sha256, new_folder, read_json, write_json
from outcomes.study import StudyFolder

BATCH_NAME = re.compile(r"(\d{4,})-([0-9a-f]{12})")
SHORT = 12  # hexadecimal digits of a hash in names
DEFAULT_PRACTICE = "practice"


@dataclass(frozen=True)
class BatchEntry:
    """One batch as its manifest has it."""

    batch_id: str
    sequence: int
    sha256: str
    study_sha256: str
    kind: Kind
    pseudonym_key: str = ""  # fingerprint of the key of its pseudonyms
    rewritten_sha256: tuple[str, ...] = ()  # of the source file after withdrawals of consent


def read_batches(landed: Path) -> dict[str, BatchEntry]:
    """Return the landed batches by the SHA-256 of their source files.

    Raises
    ------
    StorageError
        If a batch has no readable manifest.
    """
    folders = [path for path in landed.iterdir() if BATCH_NAME.fullmatch(path.name)] if landed.is_dir() else []
    entries = [_read_entry(folder) for folder in sorted(folders)]
    return {sha256: entry for entry in entries for sha256 in (entry.sha256, *entry.rewritten_sha256)}


def _read_entry(folder: Path) -> BatchEntry:
    try:
        manifest = read_json(folder / "manifest.json")
        return BatchEntry(
            manifest["batch_id"],
            int(manifest["sequence"]),
            manifest["sha256"],
            manifest["study_sha256"],
            Kind(manifest["kind"]),
            manifest.get("pseudonym_key", ""),
            tuple(manifest.get("rewritten_sha256", ())),
        )
    except (OSError, ValueError, KeyError) as damaged:
        raise StorageError(
            f"The manifest of batch {folder.name} cannot be read", "restore landed/ from its backup"
        ) from damaged


def write_batch(
    con: duckdb.DuckDBPyConnection,
    study: StudyFolder,
    plan: ColumnPlan,
    *,
    file_name: str,
    sha256: str,
    sequence: int,
    lines: np.ndarray,
    by_rule: dict[Rule, int],
    n_rejected: int,
    pseudonym_key: str,
    laid_out: LaidOut = LaidOut(),  # noqa: B008  frozen
) -> str:
    """Write the rows that are left in `typed` as a batch; it becomes visible by one rename. Returns its id.

    Parameters
    ----------
    lines : ndarray of int64
        Physical line of each row of `typed` as it was read, by row id.
    pseudonym_key : str
        Fingerprint of the key that made the ids; '' where they are as the source has them.
    laid_out : LaidOut
        How a layout made the rows of an export's.
    """
    batch_id = f"{sequence:04d}-{sha256[:SHORT]}"
    n_landed = con.execute("select count(*) from typed").fetchall()[0][0]
    with new_folder(study.landed / batch_id) as folder:
        parquet = folder / "batch.parquet"
        con.execute(
            f"copy ({_select(con, plan, lines)}) to {text_literal(str(parquet))} (format parquet, compression zstd)"
        )
        write_json(
            folder / "manifest.json",
            {
                "batch_id": batch_id,
                "kind": plan.kind,
                "file_name": file_name,
                "sequence": sequence,
                "sha256": sha256,
                "study_sha256": study.settings_sha256,
                "landed_at": datetime.now(UTC).isoformat(timespec="seconds"),
                "rows_read": n_landed + n_rejected,
                "rows_landed": n_landed,
                "rows_quarantined": n_rejected,
                "quarantined_by_rule": by_rule,
                "columns_dropped": list(plan.dropped),
                "pseudonym_key": pseudonym_key,
                **layout_facts(laid_out),
                "parquet_sha256": file_sha256(parquet),
            },
        )
    return batch_id


def layout_facts(laid_out: LaidOut) -> dict[str, Any]:
    """Return what a manifest says of a layout: its name, rows of the export, rows left out by reason; {} without one.

    `rows_in_export` = `rows_read` + the sum of `rows_left_out`.
    """
    if not laid_out.layout:
        return {}
    return {
        "layout": laid_out.layout,
        "rows_in_export": laid_out.n_read,
        "rows_left_out": dict(laid_out.left_out),
        "notes": list(laid_out.notes),
        **({"agreement": asdict(laid_out.agreement)} if laid_out.agreement else {}),
    }


def _select(con: duckdb.DuckDBPyConnection, plan: ColumnPlan, lines: np.ndarray) -> str:
    """Write the SQL of the batch: the contract's columns in order, own scales, how scores were made, source line."""
    columns = [
        f'{_contract_value(plan, column.name, column.type)} as "{column.name}"' for column in CONTRACT[plan.kind]
    ]
    if plan.kind is Kind.SESSIONS:
        columns.append(f"{_other_scores(plan)} as {OTHER_SCORES}")
    if made := [planned.column.name for planned in plan.columns if planned.made]:
        how = ", ".join(f"m_{name}" for name in made)
        columns.append(f"map([{', '.join(map(text_literal, made))}], [{how}]) as {MEASURED}")
    listed = ", ".join(columns)
    if not lines.size or bool((np.diff(lines) == 1).all()):
        first = int(lines[0]) if lines.size else 0
        order = "order by typed.rowid" if plan.source.order == "row" else ""
        return f"select {listed}, cast(typed.rowid + {first} as integer) as source_line from typed {order}"
    con.register("line_array", {"line": lines})
    con.execute("create or replace temp table source_lines as select line from line_array")
    con.unregister("line_array")
    return (
        f"select {listed}, cast(source_lines.line as integer) as source_line "
        "from typed inner join source_lines on source_lines.rowid = typed.rowid order by typed.rowid"
    )


def _contract_value(plan: ColumnPlan, name: str, value_type: ValueType) -> str:
    if name == PRACTICE:
        given = f"v_{name}, " if plan.named(name) else ""  # blank in every row, or in none
        return f"coalesce({given}{text_literal(DEFAULT_PRACTICE)})"
    if plan.named(name):
        return f"v_{name}"
    episode = "v_episode_id" if plan.named("episode_id") else "v_client_id"
    match plan.kind, name:
        case Kind.SESSIONS, "episode_id":
            return episode
        case Kind.SESSIONS, "attended":
            return "true"
        case Kind.SESSIONS, "session_number" if plan.source.order == "row":
            return f"cast(row_number() over (partition by {episode} order by typed.rowid) as integer)"
    return f"cast(null as {SQL_TYPES[value_type]})"


def _other_scores(plan: ColumnPlan) -> str:
    own = [planned.column.name for planned in plan.columns if planned.is_own]
    if not own:
        return "cast(null as map(varchar, double))"
    return f"map([{', '.join(map(text_literal, own))}], [{', '.join(f'v_{name}' for name in own)}])"
