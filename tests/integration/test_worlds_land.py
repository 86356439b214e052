"""Every truth in every world is a file that lands whole: no row is quarantined, and the release holds them all."""

from __future__ import annotations

from itertools import cycle, product

import polars as pl
import pytest

from outcomes.landing import land_inbox
from outcomes.release import build, candidate_id
from outcomes.simulate import (
    Cohort,
    CohortParameters,
    DropoutTruth,
    Truth,
    WorldName,
    simulate_cohort,
    with_dropout_truth,
    with_truth,
    with_worlds,
)
from outcomes.store.warehouse import connect
from outcomes.study import create_study

SIZE = CohortParameters(clients=30, therapists=4)


def cohorts() -> list[Cohort]:
    """One cohort of each truth in each world; truths about dropout take turns."""
    pairs = zip(product(Truth, WorldName), cycle(DropoutTruth), strict=False)
    return [
        simulate_cohort(with_worlds([world], with_dropout_truth(hazard, with_truth(truth, SIZE))), seed)
        for seed, ((truth, world), hazard) in enumerate(pairs, start=1)
    ]


@pytest.fixture(scope="module")
def together() -> dict[str, pl.DataFrame]:
    """Their tables under each other; pseudonyms differ from seed to seed."""
    made = cohorts()
    assert len(made) == len(Truth) * len(WorldName)
    return {kind: pl.concat([getattr(one, kind) for one in made]) for kind in ("clients", "episodes", "sessions")}


def test_every_truth_in_every_world_lands_and_builds_without_a_quarantined_row(together, tmp_path):
    study = create_study(tmp_path / "study")
    for kind, table in together.items():
        table.write_csv(study.inbox / f"{kind}.csv")
    report = land_inbox(study)
    assert not report.refused
    assert {landed.kind.value: landed.rows_landed for landed in report.landed} == {
        kind: table.height for kind, table in together.items()
    }
    assert all(landed.rows_quarantined == 0 for landed in report.landed)
    with connect(build(study, candidate_id(study)) / "outcomes.duckdb", read_only=True) as con:
        (built,) = con.execute("select count(*) from core_sessions").fetchone()
    assert built == together["sessions"].height
