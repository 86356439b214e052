"""Source files of several formats, and a way to publish what is landed without fits and pages."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import duckdb

from outcomes.release import build, candidate_id, publish
from outcomes.release.codebook.tables import TABLES
from outcomes.study import StudyFolder
from outcomes.study.tables.delivery import WRITTEN
from outcomes.trust.recording import record_state

AGE_BANDS = ("18-24", "25-34", "35-44")
GENDERS = ("woman", "man")
N_CLIENTS = 24


def client(number: int) -> str:
    return f"c{number:02d}k7m3"


def episode(number: int) -> str:
    return f"e{number:02d}r5w8"


def sessions(first: int, last: int) -> list[dict]:
    return [
        {
            "practice_id": "p1", "therapist_id": f"t{number % 3}", "client_id": client(number),
            "episode_id": episode(number), "session_number": place, "directiveness": place, "satisfaction": 5,
        }
        for place in range(first, last)
        for number in range(N_CLIENTS)
    ]  # fmt: skip


def csv_text(rows: list[dict], delimiter: str = ",") -> str:
    lines = [delimiter.join(rows[0]), *(delimiter.join(map(str, row.values())) for row in rows)]
    return "\n".join(lines) + "\n"


def fill_inbox(inbox: Path) -> None:
    """Write sessions as CSV (with rows to be quarantined), packed, NDJSON and Parquet; clients; episodes."""
    bad = f"p1,t1,{client(3)},{episode(3)},9,99,5\np1,t1,{client(4)},{episode(4)},10,99,5\np1,t1,{client(3)}\n"
    (inbox / "sessions_1.csv").write_text(csv_text(sessions(1, 3)) + bad)
    (inbox / "sessions_2.csv.gz").write_bytes(gzip.compress(csv_text(sessions(3, 4), ";").encode(), mtime=0))
    lines = [json.dumps(row) for row in sessions(4, 5)]
    (inbox / "sessions_3.ndjson").write_text("\r\n".join(lines) + "\r\n")
    rows = ", ".join(str(tuple(row.values())) for row in sessions(5, 6))
    with duckdb.connect() as con:
        con.execute(
            f"copy (select * from (values {rows}) as t({', '.join(sessions(5, 6)[0])})) "
            f"to '{inbox / 'sessions_4.parquet'}' (format parquet)"
        )
    endings = ("agreed", "client_ended")
    listed = [
        {"episode_id": episode(n), "client_id": client(n), "start": "2024-01-01", "end": "2024-03-01",
         "ending": endings[n % 2]}
        for n in range(N_CLIENTS)
    ]  # fmt: skip
    (inbox / "episodes.csv").write_text(csv_text(listed))
    people = [
        {"client_id": client(n), "age_band": AGE_BANDS[n % 3], "gender": GENDERS[n % 2]} for n in range(N_CLIENTS)
    ]
    (inbox / "clients.csv").write_text(csv_text(people))
    (inbox / "sessions_refused.csv").write_text(csv_text(sessions(1, 2)).replace("directiveness", "surname"))


def publish_release(study: StudyFolder, trail: dict | None = None) -> str:
    """Publish what is landed, with empty results instead of checks, fits and pages."""
    release_id = candidate_id(study)
    folder = build(study, release_id)
    with duckdb.connect(str(folder / "outcomes.duckdb")) as con:
        for name, table in TABLES.items():
            if name == "dq_results" or name.startswith("model_"):
                con.execute(f"create or replace table {table.sql}")
    documents = (name for document in WRITTEN for name in document.files)
    for name in ("checks.json", "checks.html", "fits.json", "answers.json", *documents):
        (folder / name).write_text("{}", encoding="utf-8")
    publish(study, release_id, trail)
    record_state(study)
    return release_id
