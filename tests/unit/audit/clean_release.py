"""A small cohort without faults, brought through the real SQL of the build: what every check must pass."""

from __future__ import annotations

import random
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from outcomes.contract import AGE_BANDS, GENDERS, MEASURED, OTHER_SCORES, RULE_REASONS, Kind, Rule
from outcomes.release.building import make_tables
from outcomes.release.codebook.comments import describe
from outcomes.release.relations import offer_settings, raw_columns
from outcomes.store.warehouse import connect
from outcomes.study import StudySettings

N_CLIENTS, N_THERAPISTS = 144, 12
DATA_CUT = date(2026, 6, 30)
_ENDINGS = ("client_ended", "agreed", "agreed", "judged_premature", "agreed", "moved_away", "agreed", "open", "unknown")


def build_clean_release(path: Path, settings: StudySettings) -> None:
    """Write a database whose every check passes, with at least one case for each of them."""
    chance = random.Random(20)
    sessions, episodes, clients = [], [], []
    for client in range(N_CLIENTS):
        clients.append(_client(client, chance))
        start = date(2025, 1, 1) + timedelta(days=client)
        for course in range(2 if client % 12 == 0 else 1):
            rows = _course(client, course, start, chance)
            sessions += rows
            episodes.append(_episode(client, course, rows, chance))
            start = rows[-1]["session_date"] + timedelta(days=60)
    with connect(path) as con:
        offer_settings(con, settings)
        con.execute("insert into study_instruments values ('distress', 'PHQ-9', false, 10, null, 6)")
        n_rows = {}
        for kind, rows in ((Kind.SESSIONS, sessions), (Kind.EPISODES, episodes), (Kind.CLIENTS, clients)):
            frame = pl.DataFrame(rows, infer_schema_length=None)  # noqa: F841  DuckDB reads it by name
            typed = ", ".join(f'"{name}"::{kind_of} as "{name}"' for name, kind_of in raw_columns(kind).items())
            con.execute(
                f"create temp table raw_{kind} as "
                f"select {typed}, '{_batch(kind)}' as batch_id, 1 as sequence from frame"
            )
            n_rows[kind] = len(rows)
        con.execute(
            f"update raw_sessions set {MEASURED} = map(['distress'], [{{'instrument': 'PHQ-9', 'version': '1', "
            "'n_answered': 9, 'value': (session_number + 3)::double, 'stored': (session_number + 3)::double}]) "
            "where attended"
        )
        _offer_batches(con, n_rows)
        make_tables(con)
        describe(con, settings=settings)


def _offer_batches(con, n_rows: dict[Kind, int]) -> None:
    con.execute(
        "create temp table raw_batches (batch_id varchar, kind varchar, sequence integer, n_read bigint, "
        "n_quarantined bigint, file_name varchar)"
    )
    con.execute(
        "create temp table raw_quarantine (batch_id varchar, kind varchar, rule varchar, reason varchar, n_rows bigint)"
    )
    con.execute(
        "create temp table raw_agreement (batch_id varchar, scale varchar, n_coders integer, n_sessions integer, "
        "n_utterances_twice integer, n_sessions_twice integer, cohens_kappa double, krippendorffs_alpha double, "
        "reliability double)"
    )
    con.execute("insert into raw_agreement values (?, 'directiveness', 2, 900, 9000, 900, 0.8, 0.8, 0.9)", [
        _batch(Kind.SESSIONS)
    ])  # fmt: skip
    for sequence, (kind, n) in enumerate(n_rows.items(), start=1):
        con.execute("insert into raw_batches values (?, ?, ?, ?, 2, 'x')", [_batch(kind), kind.value, sequence, n + 2])
        for rule in (Rule.OUT_OF_RANGE, Rule.RAGGED_ROW):
            con.execute(
                "insert into raw_quarantine values (?, ?, ?, ?, 1)",
                [_batch(kind), kind.value, rule.value, RULE_REASONS[rule]],
            )


def _batch(kind: Kind) -> str:
    return f"000{list(Kind).index(kind) + 1}-{kind.value}"


def _client(client: int, chance: random.Random) -> dict:
    return {
        "client_id": f"c{client:03}",
        "directiveness_preferred": round(chance.uniform(2, 8), 1),
        "reactance": round(chance.uniform(1, 9), 1),
        "age_band": chance.choice(AGE_BANDS),
        "gender": chance.choice(GENDERS),
        MEASURED: None,
        "source_line": client + 2,
    }


def _course(client: int, course: int, start: date, chance: random.Random) -> list[dict]:
    """One episode's appointments: the first is attended, some later ones are missed, some clients change therapist."""
    therapist, rows = client % N_THERAPISTS, []
    n_sessions = chance.randint(4, 10)
    for number in range(1, n_sessions + 1):
        if client % 10 == 3 and number == 4:
            # of the same practice; one client moves to the other
            therapist = (therapist + (1 if client == 3 else 2)) % N_THERAPISTS
        attended = number == 1 or chance.random() > 0.12
        mood = chance.uniform(-1.5, 1.5)

        def rating(level: float, *, mood: float = mood, attended: bool = attended) -> float | None:
            return round(min(max(level + mood + chance.uniform(-0.5, 0.5), 0.5), 9.5), 1) if attended else None

        rows.append(
            {
                "practice_id": f"p{therapist % 2}",
                "therapist_id": f"t{therapist:02}",
                "client_id": f"c{client:03}",
                "episode_id": f"e{client:03}{course}",
                "session_number": number,
                "session_date": start + timedelta(days=7 * number),
                "attended": attended,
                "directiveness": None if chance.random() < 0.05 else rating(4 + client % 4),
                "satisfaction": None if chance.random() < 0.05 else rating(7),
                "alliance": rating(6.5),
                "autonomy_support": rating(6),
                "felt_overwhelmed": rating(3),
                "asked_about_guidance": chance.random() < 0.3 if attended else None,
                "empowerment": rating(5),
                OTHER_SCORES: None,
                MEASURED: None,
                "source_line": number,
            }
        )
    return rows


def _episode(client: int, course: int, rows: list[dict], chance: random.Random) -> dict:
    ending = _ENDINGS[(client + course) % len(_ENDINGS)]
    return {
        "episode_id": f"e{client:03}{course}",
        "client_id": f"c{client:03}",
        "start": rows[0]["session_date"] - timedelta(days=7),
        "end": None if ending in ("open", "unknown") else rows[-1]["session_date"] + timedelta(days=3),
        "ending": ending,
        "planned_sessions": 8,
        "intake_severity": round(chance.uniform(5, 35), 0),
        "data_cut": DATA_CUT,
        MEASURED: None,
        "source_line": client + 2,
    }
