"""Three hospitals with a published table each, made by hand: no pipeline, no simulator."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest

from outcomes.federation.masks import mask, new_key, public_key, unmask_sum
from outcomes.federation.plan import Plan, write_plan
from outcomes.federation.rounds import Question, Standing, message, read_keys, standing
from outcomes.federation.site import answer
from outcomes.release.codebook.tables import TABLES
from outcomes.study import StudyFolder

TABLE = "mart_session_directiveness"
FORMULA = "satisfaction_score ~ directiveness_within + directiveness_client + (1 | client_id) + (1 | therapist_id)"
SITES = ("east", "north", "west")
COURSES = ("mart_person_session", "mart_sessions")
DROPOUT = "is_dropout ~ log_session + directiveness_so_far + (1 | therapist_id)"
IDS = ("therapist_id", "client_id")


def sessions(seed: int, *, therapists: int = 6, clients: int = 12) -> pl.DataFrame:
    """Rows of one hospital; ids are those of the hospital, and the same words occur in each."""
    rng = np.random.default_rng(seed)
    rows = []
    for therapist in range(therapists):
        liked, style = rng.normal(0, 0.5), rng.normal(0, 0.7)
        for client in range(clients):
            usual, slope, level = rng.normal(0, 1), rng.normal(0.3, 0.2), rng.normal(style, 1)
            for number in range(4 + client % 2):  # 4 or 5: neither number is rare
                within = rng.normal(0, 1)
                rated = 6 + liked + usual + slope * within + 0.2 * level + rng.normal(0, 1)
                name = f"c{therapist}-{client}"
                gender = "female" if (client + therapist) % 2 else "male"
                rows.append((f"{name}-{number}", f"t{therapist}", name, within, level, rated, gender))
    names = ["session_id", "therapist_id", "client_id", "directiveness_within", "directiveness_client"]
    return pl.DataFrame(rows, schema=[*names, "satisfaction_score", "gender"], orient="row")


def courses(seed: int, *, therapists: int = 10, clients: int = 40, longest: int = 5) -> pl.DataFrame:
    """Sessions of one hospital at which its clients may drop out; who has not by the longest course leaves as
    planned."""
    rng = np.random.default_rng(seed)
    rows = []
    for therapist in range(therapists):
        liked = rng.normal(0, 0.4)
        for client in range(clients):
            usual, level = rng.normal(0, 1.3), rng.normal(0, 1)
            name = f"c{therapist}-{client}"
            for number in range(1, longest + 1):
                so_far = level + rng.normal(0, 0.5)
                risk = 1 / (1 + np.exp(1.4 - usual - liked - 0.3 * so_far + 0.4 * np.log(number)))
                left = int(rng.random() < risk)
                gender = "female" if (client + therapist) % 2 else "male"
                rows.append(
                    (
                        f"{name}-{number}",
                        f"t{therapist}",
                        name,
                        number,
                        np.log(number),
                        so_far,
                        left,
                        bool(left),
                        gender,
                    )
                )
                if left:
                    break
    names = ["session_id", "therapist_id", "client_id", "attended_number", "log_session", "directiveness_so_far"]
    return pl.DataFrame(rows, schema=[*names, "is_dropout", "is_last", "gender"], orient="row")


def publish(
    root: Path, frame: pl.DataFrame, release: str = "aaaaaaaaaaaa", tables: tuple[str, ...] = (TABLE,)
) -> StudyFolder:
    """A study folder whose published database has these sessions."""
    folder = root / "releases" / release
    folder.mkdir(parents=True)
    (root / "study.toml").write_text(_STUDY)
    with duckdb.connect(str(folder / "outcomes.duckdb")) as con:
        for table in (*tables, "core_sessions"):
            columns = TABLES[table].columns
            con.execute(f"create table {table} ({', '.join(f'{n} {c.type}' for n, c in columns.items())})")
            shared = [name for name in frame.columns if name in columns]
            filled = ", ".join([*shared, *(["practice_id"] if "practice_id" in columns else [])])
            con.execute(f"insert into {table} ({filled}) select {', '.join(shared)}, 'p' from frame")
    for link, target in (("current", f"releases/{release}"), ("outcomes.duckdb", "current/outcomes.duckdb")):
        (root / link).unlink(missing_ok=True)
        (root / link).symlink_to(target)
    return StudyFolder.open(root)


_STUDY = """
[study]
name = "Hospital"
[sources.sessions]
pattern = "sessions*.csv"
[scales.directiveness]
minimum = 1
maximum = 9
rater = "client"
[scales.satisfaction]
minimum = 1
maximum = 9
rater = "client"
"""


@pytest.fixture
def hospitals(tmp_path) -> dict[str, StudyFolder]:
    """Three studies by the names of their sites."""
    return {site: publish(tmp_path / site, sessions(seed)) for seed, site in enumerate(SITES)}


@pytest.fixture
def clinics(tmp_path) -> dict[str, StudyFolder]:
    """Three studies with dropouts, large enough for a binomial model."""
    return {site: publish(tmp_path / site, courses(seed), tables=COURSES) for seed, site in enumerate(SITES)}


def together(made: Callable[[int], pl.DataFrame]) -> pl.DataFrame:
    """The rows of all hospitals as one table, with ids that say whose they are."""
    return pl.concat(
        made(seed).with_columns(pl.format("{}-{}", pl.lit(site), pl.col(column)).alias(column) for column in IDS)
        for seed, site in enumerate(SITES)
    )


def take_turns(hospitals: dict[str, StudyFolder], folder: Path, plan: Plan, n: int) -> None:
    """Everybody answers so often: keys, sums, then one evaluation a turn."""
    write_plan(folder, plan)
    for _ in range(n):
        for name in plan.sites:
            answer(hospitals[name], folder, name)


class FalseWest:
    """West joins as it should, and then answers what it likes."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.folder, self.plan, self.key = folder, plan, new_key()
        write_plan(folder, plan)
        (folder / "keys").mkdir()
        joined = {"plan": plan.id, "site": "west", "public_key": public_key(self.key), "scales": {}}
        (folder / "keys" / "west.json").write_text(json.dumps(joined))

    def send(self, question: Question, values: np.ndarray) -> None:
        """Answer these values."""
        content = message(self.plan, question, "west", self._masked(question, values))
        (self._round(question) / "west.json").write_text(json.dumps(content))

    def wish(self, question: Question, total: np.ndarray) -> None:
        """Answer so that the sum over all sites is this, once the others have answered."""
        told = [json.loads((self._round(question) / f"{one}.json").read_text())["masked"] for one in ("east", "north")]
        others = unmask_sum([*told, self._masked(question, np.zeros(len(told[0])))])
        self.send(question, total - others)

    def _masked(self, question: Question, values: np.ndarray) -> list[str]:
        return mask(values, self.key, "west", read_keys(self.folder, self.plan), f"{self.plan.id}|{question.sha256}")

    def _round(self, question: Question) -> Path:
        return self.folder / "rounds" / f"{question.number:04}"


def finish(hospitals: dict[str, StudyFolder], folder: Path, plan: Plan) -> Standing:
    """Answer in turn until the result is there."""
    for _ in range(200):
        take_turns(hospitals, folder, plan, 1)
        if (where := standing(folder, plan)).fit is not None:
            return where
    raise AssertionError("no result in 200 rounds")
