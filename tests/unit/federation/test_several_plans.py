"""Several plans at one site: what the sums of all of them tell together, and what the site refuses therefore."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import replace

import duckdb
import numpy as np
import polars as pl
import pytest
from conftest import COURSES, DROPOUT, FORMULA, SITES, TABLE, courses, publish, sessions, take_turns

from outcomes.errors import DataRefused, FitRefused, StudyError
from outcomes.federation import site
from outcomes.federation.combined import few_remain
from outcomes.federation.plan import Plan, write_plan
from outcomes.federation.rounds import Question, Standing, answer_path
from outcomes.federation.site import answer
from outcomes.federation.sketch import keep

DROPOUTS = Plan(DROPOUT, "mart_person_session", SITES, link="logit")
LINEAR = Plan(FORMULA, TABLE, SITES)
LENGTHS = {2: 36, 4: 36, 5: 2, 6: 36, 7: 36}
"""Clients of each number of sessions: two have five."""
SIGNED = {(6, 4): -1, (2, 6): -1, (5, 6): 1, (4, 7): -1, (2, 7): 1, (4, 4): 1}
"""Limits of six plans, fewest and most sessions, whose signed sums are of the clients with five sessions only."""


def _of_many_lengths() -> pl.DataFrame:
    rng = np.random.default_rng(1)
    rows = []
    for length, clients in LENGTHS.items():
        for client in range(clients):
            name = f"{length}-{client}"
            for number in range(1, length + 1):
                rows.append((f"{name}-{number}", f"t{client % 6}", name, number, *rng.normal(5, 1, 3)))
    names = ["session_id", "therapist_id", "client_id", "attended_number", "satisfaction_score"]
    return pl.DataFrame(rows, schema=[*names, "directiveness_within", "directiveness_client"], orient="row")


def _plans() -> dict[tuple[int, int], Plan]:
    return {limits: replace(LINEAR, fewest_rows=limits[0], up_to=limits[1]) for limits in SIGNED}


def test_six_plans_would_read_two_clients_although_every_two_of_them_differ_by_many(tmp_path):
    frame = _of_many_lengths()
    study = publish(tmp_path / "east", frame, tables=(*COURSES, TABLE))
    counted = {limits: site.numbers(study, plan, Standing())[0] for limits, plan in _plans().items()}
    read = sum(SIGNED[limits] * n for limits, n in counted.items())
    assert read == 2 * 4  # rows of the two clients: the attack is a real one
    sets = {}
    for fewest, most in SIGNED:
        taken = frame.filter((pl.len().over("client_id") >= fewest) & (pl.col("attended_number") <= most))
        grouped = taken.group_by("client_id").agg("session_id").rows()
        sets[fewest, most] = {client: dict.fromkeys(rows, 1) for client, rows in grouped}
    pairs = [(a, b) for a in sets for b in sets if a != b]
    assert not any(few_remain([sets[a], sets[b]], 10) for a, b in pairs)
    assert few_remain(sets.values(), 10)


def test_plans_joined_together_are_bound_by_the_first_that_is_answered(tmp_path):
    frame, (east, north, west) = _of_many_lengths(), SITES
    studies = {name: publish(tmp_path / name, frame) for name in (east, north)}
    for limits, plan in _plans().items():
        write_plan(tmp_path / str(limits), plan)
        for name in (east, north):
            answer(studies[name], tmp_path / str(limits), name)
        answer(publish(tmp_path / f"{west}-{limits}", frame), tmp_path / str(limits), west)
    first, *others = _plans()
    assert answer(studies[east], tmp_path / str(first), east) == Question(1)
    for limits in others:
        with pytest.raises(DataRefused, match="Other rows of mart_session_directiveness took part"):
            answer(studies[east], tmp_path / str(limits), east)


def test_releases_with_the_same_rows_and_other_limits_cannot_be_combined_to_two_clients(tmp_path, monkeypatch):
    monkeypatch.setattr(site, "changed_since", lambda *_: [])  # some of the plans are refused by this rule before
    folder = tmp_path / "east" / site.FOLDER
    refused = []
    for i, plan in enumerate(_plans().values()):
        study = publish(tmp_path / "east", _of_many_lengths(), f"{i:012}")
        own = folder / plan.id
        try:
            found = site._refuse_rows(study, plan, own, f"{i:012}")
        except DataRefused as refusal:
            refused.append(str(refusal))
            continue
        own.mkdir(parents=True, exist_ok=True)
        keep(own, found)
    assert "fewer than 10 clients remain" in refused[0]


def test_ten_clients_who_came_to_each_release_hide_the_two():
    sets = []
    for i, (fewest, most) in enumerate(SIGNED):
        come = {f"new-{i}-{k}": [1] for k in range(10)}
        old = {f"{n}-{k}": list(range(min(n, most))) for n, c in LENGTHS.items() if n >= fewest for k in range(c)}
        sets.append({client: {f"{client}-{x}": 1 for x in rows} for client, rows in (old | come).items()})
    assert not few_remain(sets, 10)


def test_changes_of_different_clients_count_together_where_only_two_plans_are_compared():
    before = {f"c{i}": {"a": 1} for i in range(40)}
    left = {client: rows for client, rows in before.items() if client not in {f"c{i}" for i in range(5)}}
    assert few_remain([before, left], 10)
    assert not few_remain([before, left | {f"new{i}": {"a": 1} for i in range(5)}], 10)
    assert not few_remain([before, before, before], 10)


def test_predictors_that_are_missing_in_other_rows_are_refused_on_the_same_release(tmp_path, clinics):
    frame = courses(0)
    many = frame["client_id"].unique(maintain_order=True)[:40].to_list()
    blank = pl.when(~pl.col("client_id").is_in(many)).then("log_session")
    study = publish(tmp_path / "odd", frame.with_columns(satisfaction_so_far=blank), tables=COURSES)
    take_turns(clinics | {"east": study}, tmp_path / "first", DROPOUTS, 2)
    write_plan(tmp_path / "same", replace(DROPOUTS, formula=DROPOUT.replace("log_session", "session_1")))
    less = replace(DROPOUTS, formula=DROPOUT.replace("log_session", "satisfaction_so_far"))
    write_plan(tmp_path / "less", less)
    with pytest.raises(DataRefused, match="Other rows of mart_person_session took part"):
        answer(study, tmp_path / "less", "east")
    assert not (tmp_path / "less" / "keys").exists()


def _later(tmp_path, frame: pl.DataFrame, tables: tuple[str, ...]):
    return publish(tmp_path / "east", frame, "bbbbbbbbbbbb", tables)


def test_one_ending_that_was_corrected_is_seen(tmp_path, clinics):
    take_turns(clinics, tmp_path / "first", DROPOUTS, 2)
    is_hers = pl.col("session_id") == courses(0)["session_id"][0]
    corrected = courses(0).with_columns(
        is_dropout=pl.when(is_hers).then(1 - pl.col("is_dropout")).otherwise("is_dropout")
    )
    later = clinics | {"east": _later(tmp_path, corrected, COURSES)}
    second = replace(DROPOUTS, link="cloglog")
    write_plan(tmp_path / "second", second)
    with pytest.raises(DataRefused, match="Fewer than 10 clients differ"):
        answer(later["east"], tmp_path / "second", "east")


def test_a_study_that_shows_smaller_counts_still_tells_of_ten_clients_only(tmp_path, clinics):
    take_turns(clinics, tmp_path / "first", DROPOUTS, 2)
    is_hers = pl.col("session_id") == courses(0)["session_id"][0]
    later = _later(
        tmp_path, courses(0).with_columns(is_dropout=pl.when(~is_hers).then("is_dropout").otherwise(1)), COURSES
    )
    (later.root / "study.toml").write_text(
        (later.root / "study.toml").read_text() + "\n[disclosure]\nminimum_count = 1\n"
    )
    flipped = courses(0).filter(is_hers)["is_dropout"][0]
    assert flipped == 0
    write_plan(tmp_path / "second", replace(DROPOUTS, link="cloglog"))
    with pytest.raises(DataRefused, match="Fewer than 10 clients differ"):
        answer(type(later).open(later.root), tmp_path / "second", "east")


def test_a_column_that_changes_for_everybody_does_not_hide_one_that_changed_for_one(tmp_path, hospitals):
    formula = FORMULA + " + directiveness_therapist"
    shift = sessions(0).with_columns(directiveness_therapist=pl.col("directiveness_client") + 0.5)
    studies = hospitals | {"east": publish(tmp_path / "shifted", shift)}
    take_turns(studies, tmp_path / "first", LINEAR, 2)
    is_hers = pl.col("session_id") == shift["session_id"][0]
    rated = pl.when(is_hers).then(9.0).otherwise("satisfaction_score")
    changed = shift.with_columns(
        satisfaction_score=rated, directiveness_therapist=pl.col("directiveness_therapist") + 0.1
    )
    later = publish(tmp_path / "shifted", changed, "bbbbbbbbbbbb")
    write_plan(tmp_path / "second", replace(LINEAR, formula=formula))
    with pytest.raises(DataRefused, match="Fewer than 10 clients differ"):
        answer(later, tmp_path / "second", "east")


def test_tables_without_sessions_are_compared_by_what_their_rows_hold(tmp_path):
    people = (
        courses(0)
        .group_by("client_id", maintain_order=True)
        .agg(pl.col("therapist_id", "is_dropout").last(), pl.len().alias("n_attended"))
    )
    people = people.with_columns(
        pl.col("client_id").alias("episode_id"), pl.lit(1).alias("n_therapists"), session_id=pl.col("client_id")
    )
    plan = Plan("is_dropout ~ n_attended + (1 | therapist_id)", "mart_episodes", SITES, link="logit")
    studies = {name: publish(tmp_path / name, people, tables=("mart_episodes",)) for name in SITES}
    take_turns(studies, tmp_path / "first", plan, 2)
    is_hers = pl.col("client_id") == people["client_id"][0]
    corrected = people.with_columns(is_dropout=pl.when(is_hers).then(1 - pl.col("is_dropout")).otherwise("is_dropout"))
    later = _later(tmp_path, corrected, ("mart_episodes",))
    write_plan(tmp_path / "second", replace(plan, link="cloglog"))
    with pytest.raises(DataRefused, match="Fewer than 10 clients differ"):
        answer(later, tmp_path / "second", "east")


def _keep_as_before(study, with_part: bool) -> dict[str, str]:
    """What an earlier version kept of an answered plan: a hash of all sessions, later also of those that took part."""
    folder = study.root / "federation"
    key = bytes.fromhex((folder / "sketch.key").read_text())
    with duckdb.connect(str(study.database), read_only=True) as con:
        content = "md5(string_agg(md5(cast(s as varchar)), '' order by session_id))"
        part = "md5(string_agg(md5(cast(session_id as varchar)), '' order by session_id))"
        rows = con.execute(
            f"select client_id, {content}, {part} from (select * exclude (batch_id) from core_sessions) s group by 1"
        ).fetchall()
    found = {
        hmac.new(key, client.encode(), hashlib.sha256).hexdigest(): f"{one} {other}" if with_part else one
        for client, one, other in rows
    }
    (path,) = folder.glob("*/sketch.json")
    path.write_text(json.dumps(found))
    return found


@pytest.mark.parametrize("with_part", [True, False])
def test_a_sketch_of_an_earlier_version_still_binds(tmp_path, hospitals, with_part):
    take_turns(hospitals, tmp_path / "first", LINEAR, 2)
    _keep_as_before(hospitals["east"], with_part)
    joiner = sessions(9, therapists=1, clients=1).with_columns(
        pl.format("new-{}", pl.col(column)).alias(column) for column in ("session_id", "client_id")
    )
    write_plan(tmp_path / "second", replace(LINEAR, reml=False))
    answer(hospitals["east"], tmp_path / "second", "east")  # the same rows may take part again
    later = _later(tmp_path, pl.concat([sessions(0), joiner]), (TABLE,))
    third = replace(LINEAR, fewest_rows=2)
    write_plan(tmp_path / "third", third)
    with pytest.raises(DataRefused, match="Fewer than 10 clients differ"):
        answer(later, tmp_path / "third", "east")
    for kept in (later.root / "federation").glob("*/0001.json"):
        kept.unlink()
    answer(later, tmp_path / "third", "east")  # a plan that was joined and never answered binds nobody


def test_a_sketch_of_a_later_version_is_refused_in_words(tmp_path, hospitals):
    take_turns(hospitals, tmp_path / "first", LINEAR, 2)
    (path,) = (hospitals["east"].root / "federation").glob("*/sketch.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 4}))
    write_plan(tmp_path / "second", replace(LINEAR, reml=False))
    with pytest.raises(StudyError, match="written by a later version"):
        answer(hospitals["east"], tmp_path / "second", "east")


def test_a_plan_that_was_never_answered_binds_nobody(tmp_path, clinics):
    write_plan(tmp_path / "first", DROPOUTS)
    for _ in range(2):
        answer(clinics["east"], tmp_path / "first", "east")
    take_turns(clinics, tmp_path / "second", replace(DROPOUTS, up_to=3), 2)
    assert answer_path(tmp_path / "second", Question(1), "east").exists()
    for seed, name in enumerate(SITES[1:]):
        answer(publish(tmp_path / f"fresh-{name}", courses(seed), tables=COURSES), tmp_path / "first", name)
    with pytest.raises(DataRefused, match="Other rows of mart_person_session took part"):
        answer(clinics["east"], tmp_path / "first", "east")


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_numbers_that_cannot_be_summed_are_found_at_the_door(tmp_path, bad):
    first = pl.col("session_id") == sessions(0)["session_id"][0]
    frame = sessions(0).with_columns(directiveness_within=pl.when(first).then(bad).otherwise("directiveness_within"))
    study = publish(tmp_path / "east", frame)
    write_plan(tmp_path / "shared", LINEAR)
    with pytest.raises(FitRefused):
        answer(study, tmp_path / "shared", "east")
    assert not (tmp_path / "shared" / "keys").exists()


def test_an_outcome_that_is_no_yes_or_no_is_found_at_the_door(tmp_path):
    frame = courses(0).with_columns(is_dropout=pl.col("is_dropout") * 2)
    study = publish(tmp_path / "east", frame, tables=COURSES)
    write_plan(tmp_path / "shared", DROPOUTS)
    with pytest.raises(FitRefused):
        answer(study, tmp_path / "shared", "east")
    assert not (tmp_path / "shared" / "keys").exists()
