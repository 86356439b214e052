"""What somebody tried who had the messages of all rounds, and what a site now refuses therefore."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from conftest import COURSES, FORMULA, SITES, TABLE, FalseWest, courses, finish, publish, sessions, take_turns

from outcomes.errors import DataRefused, StudyError, UsageError
from outcomes.federation.masks import mask, new_key
from outcomes.federation.plan import Plan, write_plan
from outcomes.federation.rounds import Standing, standing
from outcomes.federation.site import answer, numbers
from outcomes.mixed.linear.places.shares import Share
from outcomes.study import StudyFolder

PLAN = Plan(FORMULA, TABLE, SITES)
AGAIN = replace(PLAN, reml=False)
"""The same sums in round 1, another plan."""
LATER = "bbbbbbbbbbbb"


def _joiners(n: int) -> pl.DataFrame:
    """So many clients who come to the hospital later."""
    return sessions(9, therapists=1, clients=n).with_columns(
        pl.format("new-{}", pl.col(column)).alias(column) for column in ("session_id", "client_id")
    )


def _told_once(tmp_path, hospitals, plan=PLAN):
    take_turns(hospitals, tmp_path / "first", plan, 2)


def _asked_again(tmp_path, frame, plan=AGAIN, tables=(TABLE,)):
    """The hospital's next release joins a second plan."""
    write_plan(tmp_path / "second", plan)
    return answer(publish(tmp_path / "east", frame, LATER, tables=tables), tmp_path / "second", "east")


def test_a_column_that_varies_within_one_client_only_is_hers_alone_in_later_rounds(tmp_path):
    one = pl.col("client_id") == "c3-2"
    style = pl.col("therapist_id").str.slice(1).cast(pl.Float64)
    moved = sessions(0, therapists=8).with_columns(
        directiveness_therapist=pl.when(one & pl.col("session_id").str.ends_with("3")).then(7.5).otherwise(style)
    )
    formula = "satisfaction_score ~ directiveness_within + directiveness_therapist + (1 | client_id)"
    write_plan(tmp_path / "a", Plan(formula, TABLE, SITES))
    with pytest.raises(DataRefused, match="told of directiveness_therapist within levels of client_id"):
        answer(publish(tmp_path / "study", moved), tmp_path / "a", "east")
    unmoved = moved.with_columns(directiveness_therapist=style)
    answer(publish(tmp_path / "other", unmoved), tmp_path / "a", "east")


def test_means_that_differ_from_zero_in_one_client_only_are_hers_alone(tmp_path):
    first = pl.col("session_id") == "c3-2-0"
    centred = pl.col("directiveness_within") - pl.col("directiveness_within").mean().over("client_id")
    frame = sessions(0).with_columns(directiveness_within=centred).filter(~first)  # one session of hers is unrated
    formula = "satisfaction_score ~ directiveness_within + (1 | client_id)"
    write_plan(tmp_path, Plan(formula, TABLE, SITES))
    with pytest.raises(DataRefused, match="told of directiveness_within between levels of client_id"):
        answer(publish(tmp_path / "study", frame), tmp_path, "east")


@pytest.mark.parametrize("n_men", [1, 9])
def test_the_few_men_among_many_joiners_are_not_told_by_the_difference(tmp_path, n_men):
    levels = {"gender": ["female", "male"]}
    plan = Plan(
        "satisfaction_score ~ gender + directiveness_within + (1 | client_id)", "mart_sessions", SITES, levels=levels
    )
    tables = ("mart_sessions",)
    studies = {site: publish(tmp_path / site, sessions(seed), tables=tables) for seed, site in enumerate(SITES)}
    _told_once(tmp_path, studies, plan)
    new = _joiners(40)
    men = new["client_id"].unique(maintain_order=True)[:n_men]
    gender = pl.when(pl.col("client_id").is_in(men)).then(pl.lit("male")).otherwise(pl.lit("female"))
    grown = pl.concat([sessions(0), new.with_columns(gender=gender)])
    with pytest.raises(DataRefused, match=r"since the plan \w+: A category of gender has fewer than 10"):
        _asked_again(tmp_path, grown, replace(plan, reml=False), tables)


@pytest.mark.parametrize(("n_longer", "is_refused"), [(3, True), (20, False)])
def test_the_few_joiners_of_one_length_are_not_told_by_the_rounds_of_two_plans(
    tmp_path, hospitals, n_longer, is_refused
):
    """Each plan tells of the many who have five sessions: the difference is that of the joiners among them."""
    plan = Plan("satisfaction_score ~ directiveness_within + (1 | client_id)", TABLE, SITES)
    take_turns(hospitals, tmp_path / "first", plan, 3)
    new = sessions(50, clients=7).with_columns(
        pl.format("new-{}", pl.col(column)).alias(column) for column in ("session_id", "client_id")
    )
    longer = new.filter(pl.col("session_id").str.ends_with("-4"))["client_id"][:n_longer]
    new = new.filter(~pl.col("session_id").str.ends_with("-4") | pl.col("client_id").is_in(longer.implode()))
    later = hospitals | {"east": publish(tmp_path / "east", pl.concat([sessions(0), new]), "bbbbbbbbbbbb")}
    second = replace(plan, reml=False)
    if is_refused:
        with pytest.raises(DataRefused, match=r"since the plan \w+: The rounds of this fit would tell of fewer"):
            take_turns(later, tmp_path / "second", second, 30)
    else:
        assert finish(later, tmp_path / "second", second).fit.status == "converged"


def test_the_few_who_dropped_out_among_many_joiners_are_not_told_by_the_difference(tmp_path):
    plan = Plan("is_dropout ~ directiveness_so_far + (1 | therapist_id)", "mart_person_session", SITES, link="logit")
    studies = {site: publish(tmp_path / site, courses(seed), tables=COURSES) for seed, site in enumerate(SITES)}
    _told_once(tmp_path, studies, plan)
    new = courses(50, clients=4).with_columns(
        pl.format("new-{}", pl.col(column)).alias(column) for column in ("session_id", "client_id")
    )
    left = new.filter(pl.col("is_dropout") == 1)["client_id"][:9]
    new = new.with_columns(pl.when(pl.col("client_id").is_in(left)).then(pl.col("is_dropout")).otherwise(0))
    with pytest.raises(DataRefused, match=r"since the plan \w+: .* have the event"):
        _asked_again(tmp_path, pl.concat([courses(0), new]), replace(plan, link="cloglog"), COURSES)


def _renumbered(frame):
    return frame.with_columns(session_id=pl.format("s{}", pl.int_range(pl.len())))


def _recoded(frame):
    return frame.with_columns(client_id=pl.format("n{}", "client_id"))


def _in_the_last_digit(frame):
    return frame.with_columns(pl.col("directiveness_within", "directiveness_client") * (1 + 4e-16))


@pytest.mark.parametrize(
    "export", [_renumbered, _recoded, _in_the_last_digit, lambda frame: _recoded(_renumbered(frame))]
)
def test_a_joiner_is_seen_whatever_the_export_does_to_everybody_else(tmp_path, hospitals, export):
    _told_once(tmp_path, hospitals)
    with pytest.raises(DataRefused, match="Fewer than 10 clients differ"):
        _asked_again(tmp_path, export(pl.concat([sessions(0), _joiners(1)])))


@pytest.mark.parametrize("export", [_renumbered, _recoded])
def test_the_same_people_may_be_told_again_under_other_names(tmp_path, hospitals, export):
    _told_once(tmp_path, hospitals)
    _asked_again(tmp_path, export(sessions(0)))
    assert (tmp_path / "second" / "keys" / "east.json").exists()


@pytest.mark.parametrize("lost", ["*/sketch.json", "sketch.key", ""])
def test_where_it_is_lost_what_was_told_nothing_more_is(tmp_path, hospitals, lost):
    _told_once(tmp_path, hospitals)
    own = hospitals["east"].root / "federation"
    for path in own.glob(lost) if lost else [own]:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    with pytest.raises(StudyError, match="gone") as refused:
        _asked_again(tmp_path, pl.concat([sessions(0), _joiners(1)]))
    assert "backup" in str(refused.value)


def test_another_key_than_the_sketches_was_made_with_is_refused(tmp_path, hospitals):
    _told_once(tmp_path, hospitals)
    (hospitals["east"].root / "federation" / "sketch.key").write_text("00" * 32)
    with pytest.raises(StudyError, match="made with another key"):
        _asked_again(tmp_path, sessions(0))


@pytest.mark.parametrize("sites", [("east", "north", "south"), (*SITES, "south"), (*SITES, "south", "farther")])
def test_one_or_two_other_sites_would_be_told_by_the_difference(tmp_path, hospitals, sites):
    _told_once(tmp_path, hospitals)
    with pytest.raises(DataRefused, match="the difference of the two sums would be these sites' own"):
        _asked_again(tmp_path, sessions(0), replace(PLAN, sites=sites))


def test_three_other_sites_hide_each_other(tmp_path, hospitals):
    _told_once(tmp_path, hospitals)
    _asked_again(tmp_path, sessions(0), replace(PLAN, sites=(*SITES, "a", "b", "c")))
    assert (tmp_path / "second" / "keys" / "east.json").exists()


def test_a_yes_or_no_is_looked_at_whatever_model_is_planned(tmp_path):
    frame = courses(0)
    few = frame["client_id"].unique(maintain_order=True)[:9]
    last = pl.col("session_id") == pl.col("session_id").last().over("client_id")
    frame = frame.with_columns((pl.col("client_id").is_in(few) & last).cast(pl.Int64).alias("is_dropout"))
    write_plan(tmp_path, Plan("is_dropout ~ directiveness_so_far + (1 | therapist_id)", "mart_person_session", SITES))
    with pytest.raises(DataRefused, match="Fewer than 10 clients have the event"):
        answer(publish(tmp_path / "study", frame, tables=COURSES), tmp_path, "east")


def _lone_therapist() -> pl.DataFrame:
    """A hospital in which one therapist has one client."""
    lone = sessions(7, therapists=1, clients=1).with_columns(
        pl.format("lone-{}", pl.col(column)).alias(column) for column in ("session_id", "client_id", "therapist_id")
    )
    return pl.concat([sessions(0), lone])


def test_a_site_that_steers_the_search_does_not_read_a_therapist_of_one_client(tmp_path, hospitals):
    """West answers so that the sum is what it likes: the clients' term goes to zero, the therapists' here and there."""
    studies = hospitals | {"east": publish(tmp_path / "odd", _lone_therapist())}
    folder = tmp_path / "shared"
    west = FalseWest(folder, PLAN)

    def one_round():
        for site in ("east", "north"):
            answer(studies[site], folder, site)
        where = standing(folder, PLAN)
        if where.sums is None:
            west.send(where.question, numbers(studies["west"], PLAN, Standing()))
            return
        frame, (clients, therapists) = where.sums.frame(PLAN.design), where.question.at
        slope, q = [2e5 * clients, 16 * (therapists - 0.2) ** 3], frame.p + 1
        wished = Share(
            np.eye(q) * frame.n,
            1e5 * clients**2 + 4 * (therapists - 0.2) ** 4,
            tuple(np.array([[one / 2]]) for one in slope),
            tuple(np.zeros((1, 1, q, q)) for _ in slope),
        )
        west.wish(where.question, wished.to_vector())

    def steer():
        for _ in range(30):
            one_round()

    for site in ("east", "north"):
        answer(studies[site], folder, site)
    with pytest.raises(DataRefused, match="by how many sessions each therapist_id has"):
        steer()
    assert len(list((folder / "rounds").glob("*/east.json"))) < 5


def test_ratings_on_other_scales_are_not_pooled(tmp_path, hospitals):
    toml = hospitals["west"].root / "study.toml"
    toml.write_text(toml.read_text().replace("maximum = 9", "maximum = 100"))
    hospitals["west"] = StudyFolder.open(hospitals["west"].root)
    with pytest.raises(StudyError, match=r"from 1 to (9|100), the site (east|west) from 1 to (9|100)"):
        take_turns(hospitals, tmp_path, PLAN, 2)
    assert not list(tmp_path.glob("rounds/*/*.json"))


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda shared, own: (shared / "keys" / "west.json").write_text("{"), "west.json cannot be read"),
        (lambda shared, own: _edit(shared / "keys" / "west.json", public_key="00"), "west.json has no public key"),
        (lambda shared, own: _edit(shared / "keys" / "west.json", site="north"), "a message of another site"),
        (lambda shared, own: _edit(shared / "rounds/0001/west.json", masked=["x"]), "are no numbers"),
        (lambda shared, own: _without(shared / "rounds/0001/west.json", "masked"), "west.json lacks masked"),
        (lambda shared, own: next(own.glob("*/joined.json")).write_text("["), "joined.json cannot be read"),
        (lambda shared, own: next(own.glob("*/sketch.json")).write_text("["), None),
    ],
)
def test_a_damaged_file_is_named(tmp_path, hospitals, damage, says):
    shared = tmp_path / "shared"
    take_turns(hospitals, shared, PLAN, 2)
    damage(shared, hospitals["east"].root / "federation")
    plan = PLAN
    if says is None:  # of a sketch: it is read by the next plan
        says, plan, shared = "sketch.json cannot be read", AGAIN, tmp_path / "next"
        write_plan(shared, plan)
    with pytest.raises(StudyError, match=says):
        answer(hospitals["east"], shared, "east")


def test_a_key_that_hides_nothing_is_not_used():
    with pytest.raises(UsageError, match="public key of a site cannot be used"):
        mask(np.zeros(1), new_key(), "east", {"west": "00" * 32}, "round")


def _edit(path, **changed):
    path.write_text(json.dumps(json.loads(path.read_text()) | changed))


def _without(path, name):
    content = json.loads(path.read_text())
    del content[name]
    path.write_text(json.dumps(content))
