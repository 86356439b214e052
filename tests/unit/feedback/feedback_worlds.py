"""A study with a published release of made-up sessions, small enough to change one client at a time."""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass, replace
from datetime import date, timedelta

import duckdb
import numpy as np
import polars as pl

from outcomes.feedback import write_feedback
from outcomes.study import StudyFolder

TODAY = date(2025, 6, 1)
RELEASE = "0123456789ab"
CONSENT = 'consent = "All therapists, in writing"'


@dataclass(frozen=True)
class World:
    """A study of made-up sessions that can be published again with other rows."""

    study: StudyFolder
    rows: pl.DataFrame

    def publish(self, rows: pl.DataFrame, release_id: str = RELEASE) -> World:
        """Publish a release of these sessions."""
        folder = self.study.releases / release_id
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "outcomes.duckdb"
        path.unlink(missing_ok=True)
        with duckdb.connect(str(path)) as con:
            con.register("given", rows)
            con.execute("create table mart_sessions as select * from given")
            con.execute("create table core_sessions as select * from given")
        for link, target in (("current", f"releases/{release_id}"), ("outcomes.duckdb", "current/outcomes.duckdb")):
            (self.study.root / link).unlink(missing_ok=True)
            os.symlink(target, self.study.root / link)
        return replace(self, rows=rows)

    def declared(self, **settings: str) -> World:
        """The same study with other lines in [feedback]."""
        path = self.study.settings_path
        lines = {"enabled": "true", "consent": CONSENT.split(" = ")[1]} | settings
        text = path.read_text(encoding="utf-8").split("\n[feedback]")[0]
        body = "\n".join(f"{name} = {value}" for name, value in lines.items() if value)
        path.write_text(f"{text}\n[feedback]\n{body}\n", encoding="utf-8")
        return replace(self, study=StudyFolder.open(self.study.root))


def client_sessions(therapist: str, client: str, first: date, seed: int, n: int = 6, **levels: float) -> pl.DataFrame:
    """Sessions of one client, thirty days apart: six of them reach the last month of a half-year."""
    rng = np.random.default_rng(seed)
    satisfied, wish = levels.get("satisfied", 6 + rng.normal(0, 1.2)), levels.get("wish", 5 + rng.normal(0, 1))
    guidance = np.clip(wish + levels.get("off", 0.5) + rng.normal(0, 1.2, n), 0, 10)
    return pl.DataFrame(
        {
            "session_id": [f"{client}-{k}" for k in range(n)], "practice_id": f"p{therapist[1:3]}",
            "therapist_id": therapist, "client_id": client,
            "session_date": [first + timedelta(30 * k) for k in range(n)],
            "satisfaction_score": np.clip(satisfied + rng.normal(0, 0.8, n), 0, 10).round(1),
            "directiveness_score": guidance.round(1), "directiveness_preferred_score": round(float(wish), 1),
            "is_asked_about_guidance": (rng.random(n) < levels.get("asked", 0.3)).tolist(),
        }
    )  # fmt: skip


def caseload(therapist: str, n_clients: int, first: date, seed: int) -> pl.DataFrame:
    """Clients of one therapist who begin in one period."""
    return pl.concat(
        client_sessions(therapist, f"client-{therapist}-{first:%y%m}-{k}", first + timedelta(1 + k), 1000 * seed + k)
        for k in range(n_clients)
    )


FIRST, SECOND = date(2024, 1, 3), date(2024, 7, 3)
THERAPISTS = [f"t{k:02d}-kowalski" for k in range(12)]
ME, OTHER, *SMALL = THERAPISTS
"""Two have enough clients for a page, the others have four in each half of 2024."""


def pages(world: World, release_id: str = RELEASE) -> dict[str, str]:
    """Each therapist's page, by therapist."""
    folder = world.study.root / "feedback" / release_id
    with (folder / "index.csv").open(encoding="utf-8") as stream:
        listed = list(csv.DictReader(stream))
    return {
        one["therapist_id"]: (folder / f"{one['code']}.html").read_text(encoding="utf-8")
        for one in listed
        if f"{one['code']}.html" in one["files"].split()
    }


def written(world: World, today: date = TODAY) -> dict[str, str]:
    """Write pages and read them."""
    write_feedback(world.study, today)
    return pages(world)


def all_rows() -> pl.DataFrame:
    """Sessions of all twelve."""
    return pl.concat(
        caseload(one, 4 if one in SMALL else 14, first, 10 * k + half)
        for k, one in enumerate(THERAPISTS)
        for half, first in enumerate((FIRST, SECOND))
    )
