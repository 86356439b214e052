"""A study with landed batches, written without the landing code."""

import random
from pathlib import Path

import duckdb

from outcomes.answers.run import ANSWER_TABLES
from outcomes.contract import Kind
from outcomes.release.codebook.comments import describe
from outcomes.release.codebook.tables import TABLES
from outcomes.release.relations import raw_columns
from outcomes.store.files import file_sha256, write_json
from outcomes.study import StudyFolder
from outcomes.study.tables.delivery import WRITTEN


def land(study: StudyFolder, kind: Kind, rows: list[dict], quarantined: dict[str, int] | None = None) -> None:
    """Land rows as the next batch; small row groups, so that threads share even a small batch."""
    sequence = len(list(study.landed.glob("*"))) + 1
    folder = study.landed / f"{sequence:04d}-{sequence:012x}"
    folder.mkdir(parents=True)
    columns = raw_columns(kind)
    with duckdb.connect() as con:
        typed = ", ".join(f'"{name}" {sql_type}' for name, sql_type in columns.items())
        con.execute(f"create table landed ({typed})")
        marks = ", ".join(f"${number}::{sql_type}" for number, sql_type in enumerate(columns.values(), 1))
        con.executemany(f"insert into landed values ({marks})", [[row.get(name) for name in columns] for row in rows])
        target = str(folder / "batch.parquet").replace("'", "''")
        con.execute(f"copy landed to '{target}' (row_group_size 2048)")
    n_quarantined = sum((quarantined or {}).values())
    write_json(
        folder / "manifest.json",
        {
            "batch_id": folder.name,
            "kind": kind,
            "sequence": sequence,
            "sha256": f"{sequence:064x}",
            "rows_read": len(rows) + n_quarantined,
            "rows_landed": len(rows),
            "rows_quarantined": n_quarantined,
            "quarantined_by_rule": quarantined or {},
            "parquet_sha256": file_sha256(folder / "batch.parquet"),
        },
    )


def sessions(n_clients: int, seed: int = 1) -> list[dict]:
    """Session rows with ratings of one decimal, which binary fractions do not hold exactly."""
    draw = random.Random(seed)
    return [
        {
            "practice_id": f"p{client % 3}",
            "therapist_id": f"t{client % 7}",
            "client_id": f"c{client}",
            "episode_id": f"e{client}",
            "session_number": number,
            "attended": draw.random() > 0.1,
            "directiveness": round(draw.uniform(0, 10), 1),
            "satisfaction": round(draw.uniform(0, 10), 1),
            "alliance": round(draw.uniform(0, 10), 1),
        }
        for client in range(n_clients)
        for number in range(1, draw.randint(2, 12))
    ]


def episodes(n_clients: int) -> list[dict]:
    """One episode per client, its ending by turns."""
    endings = ("agreed", "client_ended", "open", "moved_away")
    return [
        {"episode_id": f"e{client}", "client_id": f"c{client}", "ending": endings[client % 4]}
        for client in range(n_clients)
    ]


def finish(folder: Path, severity: str = "fatal", status: str = "passed") -> None:
    """Add the outputs of the later steps to a candidate."""
    with duckdb.connect(str(folder / "outcomes.duckdb")) as con:
        added = [t for n, t in TABLES.items() if n == "dq_results" or n.startswith("model_")]
        for table in (*added, *ANSWER_TABLES.values()):
            con.execute(f"create or replace table {table.sql}")
        describe(con, list(ANSWER_TABLES), known=ANSWER_TABLES)
        con.execute(f"insert into dq_results (check_id, severity, status) values ('a', '{severity}', '{status}')")
    documents = (name for document in WRITTEN for name in document.files)
    for name in ("checks.json", "checks.html", "fits.json", "answers.json", *documents):
        (folder / name).write_text("{}", encoding="utf-8")
