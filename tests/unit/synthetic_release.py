"""A candidate release made from the columns that docs/architecture.md promises, for tests of models and report."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import polars as pl

from outcomes.study import StudyFolder

TEMPLATE = Path(__file__).parents[2] / "src/outcomes/study/template.toml"
LONGEST = 14


@dataclass(frozen=True)
class Cohort:
    """What a synthetic cohort is like; effects per scale point of directiveness."""

    n_therapists: int = 30
    clients_per_therapist: int = 20
    seed: int = 1
    within_slope: float = 0.3
    dropout_slope: float = 0.25  # log odds
    therapist_sd: float = 0.5
    has_endings: bool = True
    has_satisfaction: bool = True


def make_study(root: Path, changes: dict[str, str] | None = None) -> StudyFolder:
    """A study folder with the template's `study.toml`, some of its text changed."""
    text = TEMPLATE.read_text(encoding="utf-8")
    for old, new in (changes or {}).items():
        assert old in text, f"the template does not hold {old!r}"
        text = text.replace(old, new)
    root.mkdir(parents=True, exist_ok=True)
    (root / "study.toml").write_text(text, encoding="utf-8")
    return StudyFolder.open(root)


def make_release(folder: Path, cohort: Cohort = Cohort()) -> Path:
    """Write a candidate release: database and checks.json, as build and audit would leave them."""
    folder.mkdir(parents=True, exist_ok=True)
    sessions, people = _sessions(cohort)
    tables = {
        "mart_session_directiveness": _directiveness(sessions),
        "mart_person_session": _person_session(sessions),
        "core_episodes": people,
        "core_sessions": _dated(sessions),
        "core_dropout_labels": _labels(people),
        "mart_participant_flow": _flow(sessions),
        "dq_results": _checks(len(sessions)),
        "release": pl.DataFrame(
            {
                "release_id": ["0123456789ab"], "study_name": ["Practice outcomes"], "code_version": ["0.1.0"],
                "n_batches": [3], "data_cut": ["2026-06-30"],
            }
        ),
    }  # fmt: skip
    con = duckdb.connect(str(folder / "outcomes.duckdb"))
    for name, frame in tables.items():
        con.register("frame", frame.to_arrow())
        con.execute(f"create table {name} as select * from frame")
        con.unregister("frame")
    con.execute("alter table release alter data_cut type date")
    con.close()
    checks = [
        {"check_id": row["check_id"], "statement": row["sentence"].split(" Found")[0]}
        for row in tables["dq_results"].iter_rows(named=True)
    ]
    (folder / "checks.json").write_text(json.dumps({"checks": checks}), encoding="utf-8")
    return folder


def _sessions(cohort: Cohort) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Attended sessions with ratings, and one episode per client."""
    rng = np.random.default_rng(cohort.seed)
    n = cohort.n_therapists * cohort.clients_per_therapist
    therapist = np.repeat(np.arange(cohort.n_therapists), cohort.clients_per_therapist)
    therapist_effect = rng.normal(0, cohort.therapist_sd, cohort.n_therapists)[therapist]
    level = 5 + rng.normal(0, 0.8, cohort.n_therapists)[therapist] + rng.normal(0, 1, n)
    client_effect = rng.normal(0, 0.8, n)
    preferred = np.clip(np.round(level + np.random.default_rng(cohort.seed + 1).normal(0, 1.5, n)), 0, 10)
    guidance = np.clip(level[:, None] + rng.normal(0, 1, (n, LONGEST)), 0, 10)
    so_far = np.cumsum(guidance, axis=1) / np.arange(1, LONGEST + 1)
    slope = rng.normal(cohort.within_slope, 0.25, n)
    rating = 6.5 + slope[:, None] * (guidance - level[:, None]) + (client_effect + therapist_effect)[:, None]
    rating = np.clip(rating + rng.normal(0, 1, rating.shape), 0, 10)
    odds = -3.2 + cohort.dropout_slope * (so_far - 5) + therapist_effect[:, None]
    leaves = rng.uniform(size=odds.shape) < 1 / (1 + np.exp(-odds))
    planned = (rng.uniform(size=odds.shape) < 0.12) & (np.arange(1, LONGEST + 1) >= 4)
    ended = leaves | planned
    last = np.where(ended.any(axis=1), ended.argmax(axis=1) + 1, LONGEST)
    rows = np.arange(n)
    state = np.where(
        ~ended.any(axis=1), "undetermined", np.where(leaves[rows, last - 1], "dropout", "planned")
    )  # fmt: skip
    if not cohort.has_endings:
        state = np.full(n, "undetermined")
    client = np.repeat(rows, last)
    number = np.concatenate([np.arange(1, k + 1) for k in last])
    sessions = pl.DataFrame(
        {
            "session_id": [f"session-{i:06d}" for i in range(len(client))],
            "client_id": [f"client-{i:05d}" for i in client],
            "therapist_id": [f"therapist-{i:04d}" for i in therapist[client]],
            "episode_id": [f"episode-{i:05d}" for i in client],
            "practice_id": ["practice-north"] * len(client),
            "attended_number": number,
            "directiveness_score": guidance[client, number - 1],
            "directiveness_so_far": so_far[client, number - 1],
            "directiveness_preferred_score": preferred[client],
            "satisfaction_score": rating[client, number - 1] if cohort.has_satisfaction else [None] * len(client),
            "is_last": number == last[client],
            "state": state[client],
        },
        schema_overrides={"satisfaction_score": pl.Float64},
    )
    people = pl.DataFrame(
        {
            "episode_id": [f"episode-{i:05d}" for i in rows],
            "client_id": [f"client-{i:05d}" for i in rows],
            "n_attended": last,
            "ending_state": state,
        }
    )
    return sessions, people


def _dated(sessions: pl.DataFrame) -> pl.DataFrame:
    """Sessions a week apart, each client's last one on a day of June 2026."""
    weeks = pl.col("attended_number").max().over("client_id") - pl.col("attended_number")
    return sessions.select(
        "session_id", "client_id", session_date=pl.date(2026, 6, 30) - pl.duration(days=7 * weeks)
    )  # fmt: skip


def _labels(people: pl.DataFrame) -> pl.DataFrame:
    """The recorded ending, and fewer than three sessions."""
    known = pl.col("ending_state").is_in(["dropout", "planned"])
    few = pl.when(pl.col("n_attended") < 3).then(pl.lit("dropout")).otherwise(pl.lit("planned"))
    count = pl.when(known).then(few).otherwise(pl.col("ending_state"))
    return pl.concat(
        people.select("episode_id", definition=pl.lit(name), state=state)
        for name, state in (("count_3", count), ("unilateral", pl.col("ending_state")))
    )


def _directiveness(sessions: pl.DataFrame) -> pl.DataFrame:
    client = pl.col("directiveness_score").mean().over("client_id")
    means = sessions.group_by("therapist_id", "client_id").agg(pl.col("directiveness_score").mean())
    therapist = means.group_by("therapist_id").agg(therapist_mean=pl.col("directiveness_score").mean())
    return (
        sessions.join(therapist, on="therapist_id", how="left", maintain_order="left")
        .with_columns(
            directiveness_within=pl.col("directiveness_score") - client,
            directiveness_client=client - pl.col("therapist_mean"),
            directiveness_therapist=pl.col("therapist_mean") - means["directiveness_score"].mean(),
            log_session=pl.col("attended_number").cast(pl.Float64).log(),
        )
        .drop("is_last", "state", "therapist_mean", "directiveness_so_far")
    )


def _person_session(sessions: pl.DataFrame) -> pl.DataFrame:
    number = pl.col("attended_number")
    before = (pl.col("directiveness_so_far") * number - pl.col("directiveness_score")) / (number - 1)
    ending = pl.when(pl.col("is_last")).then(pl.col("state")).otherwise(pl.lit("continues"))
    known = pl.when(ending != "undetermined")
    return sessions.with_columns(
        *((number == k).cast(pl.Int32).alias(f"session_{k}") for k in (1, 2, 3)),
        log_session=pl.when(number >= 4).then(number.cast(pl.Float64).log()).otherwise(0.0),
        directiveness_change=pl.when(number == 1).then(0.0).otherwise(pl.col("directiveness_score") - before),
        ending_state=ending,
        is_dropout=known.then((ending == "dropout").cast(pl.Int32)),
        is_planned_end=known.then((ending == "planned").cast(pl.Int32)),
        is_other_end=known.then((ending == "other").cast(pl.Int32)),
    ).drop("state", "satisfaction_score")


def _flow(sessions: pl.DataFrame) -> pl.DataFrame:
    """Steps and branches as in mart_participant_flow.sql; 7 sessions and 3 clients are left out at step 7."""
    n, clients = len(sessions), sessions["client_id"].n_unique()
    therapists = sessions["therapist_id"].n_unique()
    known = n - sessions.filter(pl.col("is_last") & (pl.col("state") == "undetermined")).height
    steps = [
        ("rows of the session files", "all rows that were read", n + 92, None),
        ("accepted rows", "quarantined: see core_quarantine for the rules", n + 61, None),
        ("appointments", "superseded by a later file", n + 61, clients + 21),
        ("within the study's dates", "before the first day, after the last, or undated", n + 61, clients + 21),
        ("attended sessions", "missed appointments", n + 7, clients + 3),
        ("sessions of the cohort", "clients with fewer than 1 attended session(s)", n + 7, clients + 3),
        ("with a directiveness rating", "directiveness not rated", n, clients),
        ("in models of satisfaction", "satisfaction not rated", n, clients),
        ("at risk of dropout", "starts again from step 6; a rating is not needed", n + 7, clients + 3),
        ("not silent", "last session of an episode without a recorded ending", n + 7, clients + 3),
        ("in models of dropout", "last session of an episode that is open", known + 7, clients + 3),
    ]
    frame = pl.DataFrame(
        {
            "step_number": range(1, len(steps) + 1),
            "step": [step[0] for step in steps],
            "reason": [step[1] for step in steps],
            "n_sessions": [step[2] for step in steps],
            "n_episodes": [step[3] for step in steps],
            "n_clients": [step[3] for step in steps],
            "n_therapists": [therapists if step[3] else None for step in steps],
        }
    )
    branch = pl.col("step_number") >= 9
    return frame.with_columns(
        n_sessions_excluded=pl.col("n_sessions").shift().over(branch) - pl.col("n_sessions"),
        n_clients_excluded=pl.col("n_clients").shift().over(branch) - pl.col("n_clients"),
    )


def _checks(n: int) -> pl.DataFrame:
    rows = [
        ("core_sessions.satisfaction_present", "satisfaction_score", "completeness", "warning", "failed", n // 8,
         "Attended sessions have a satisfaction rating."),
        ("core_sessions.directiveness_in_range", "directiveness_score", "conformance", "fatal", "passed", 0,
         "Directiveness lies within its scale."),
        ("core_sessions.dates_in_order", "session_date", "plausibility", "warning", "not_applicable", 0,
         "Sessions are in the order of their dates."),
        ("core_episodes.no_contact_after_end", "end_date", "plausibility", "info", "failed", 4,
         "There is no session after the end of an episode."),
    ]  # fmt: skip
    return pl.DataFrame(
        [
            {
                "check_id": check_id, "table_name": check_id.split(".")[0], "column_name": column,
                "check_type": "synthetic", "category": category, "severity": severity, "status": status,
                "n_violated": violated, "n_denominator": n, "percent_violated": 100 * violated / n,
                "sentence": f"{statement} Found {violated} of {n}.",
            }
            for check_id, column, category, severity, status, violated, statement in rows
        ]
    )  # fmt: skip
