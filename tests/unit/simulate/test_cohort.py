from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from outcomes.contract import CONTRACT, Kind, ValueType
from outcomes.errors import UsageError
from outcomes.simulate import CohortParameters, simulate_cohort
from outcomes.simulate.world.cohort import RATINGS


@pytest.mark.parametrize("kind", list(Kind))
def test_tables_have_the_columns_of_the_contract(small_cohort, kind):
    table = getattr(small_cohort, kind.value)
    assert set(table.columns) == {column.name for column in CONTRACT[kind]}


@pytest.mark.parametrize("kind", list(Kind))
def test_codes_are_those_of_the_contract(small_cohort, kind):
    table = getattr(small_cohort, kind.value)
    for column in CONTRACT[kind]:
        if column.type is ValueType.CODE:
            assert set(table[column.name].drop_nulls()) <= set(column.codes)


def test_the_same_seed_gives_the_same_cohort_and_another_seed_another(small_cohort):
    again = simulate_cohort(small_cohort.parameters, small_cohort.seed)
    other = simulate_cohort(small_cohort.parameters, small_cohort.seed + 1)
    for name in ("sessions", "episodes", "clients"):
        assert_frame_equal(getattr(again, name), getattr(small_cohort, name))
        assert not getattr(other, name).equals(getattr(small_cohort, name))


def test_a_cohort_cannot_be_changed(small_cohort):
    with pytest.raises(FrozenInstanceError):
        small_cohort.seed = 2


def test_keys_are_unique(small_cohort):
    assert not small_cohort.sessions.select("episode_id", "session_number").is_duplicated().any()
    assert not small_cohort.episodes["episode_id"].is_duplicated().any()
    assert not small_cohort.clients["client_id"].is_duplicated().any()


def test_appointments_are_numbered_from_one_without_a_gap_and_in_order_of_time(small_cohort):
    per_episode = small_cohort.sessions.group_by("episode_id", maintain_order=True).agg(
        first=pl.col("session_number").first(),
        steps=pl.col("session_number").diff().drop_nulls().eq(1).all(),
        in_time=pl.col("session_date").diff().drop_nulls().ge(pl.duration(days=7)).all(),
    )
    assert per_episode["first"].eq(1).all()
    assert per_episode["steps"].all()
    assert per_episode["in_time"].all()


def test_missed_appointments_have_no_ratings_and_every_course_begins_with_an_attended_one(small_cohort):
    missed = small_cohort.sessions.filter(pl.col("attended") == "no")
    assert missed.height > 100
    assert missed.select(pl.col(*RATINGS, "asked_about_guidance").is_null().all()).row(0) == (True,) * 7
    assert small_cohort.sessions.filter(pl.col("session_number") == 1)["attended"].eq("yes").all()


def test_ratings_keep_to_their_scale_in_steps_of_a_tenth(small_cohort):
    for name in RATINGS:
        values = small_cohort.sessions[name].drop_nulls()
        assert values.is_between(0, 10).all()
        assert (values * 10 - (values * 10).round()).abs().max() < 1e-9


def test_nothing_lies_after_the_data_cut_and_no_contact_after_the_end(small_cohort):
    cut = small_cohort.parameters.records.data_cut
    last = small_cohort.sessions.group_by("episode_id").agg(pl.col("session_date").max())
    episodes = small_cohort.episodes.join(last, on="episode_id")
    assert episodes.height == small_cohort.episodes.height
    assert episodes["session_date"].max() <= cut
    assert episodes["end"].max() <= cut
    ended = episodes.drop_nulls("end")
    assert (ended["session_date"] <= ended["end"]).all()
    assert (episodes["start"] <= episodes["session_date"]).all()


def test_an_episode_is_open_exactly_if_it_has_no_end(small_cohort):
    is_open = small_cohort.episodes["ending"] == "open"
    assert (small_cohort.episodes["end"].is_null() == is_open).all()
    assert 0 < is_open.sum() < small_cohort.episodes.height


def test_some_clients_come_back_and_nobody_has_two_open_episodes_at_a_time(large_cohort):
    several = large_cohort.episodes.filter(pl.col("client_id").is_duplicated()).sort("client_id", "start")
    assert several["client_id"].n_unique() > 100
    earlier_end = pl.col("end").shift(1).over("client_id")
    second = several.with_columns(earlier_end=earlier_end).filter(pl.col("client_id").is_first_distinct().not_())
    assert second["earlier_end"].is_not_null().all()
    assert (second["earlier_end"] < second["start"]).all()


def test_every_kind_of_ending_occurs(large_cohort):
    assert set(large_cohort.episodes["ending"]) == {
        code for column in CONTRACT[Kind.EPISODES] if column.name == "ending" for code in column.codes
    }


def test_latent_sessions_belong_to_attended_ones(small_cohort):
    attended = small_cohort.sessions.filter(pl.col("attended") == "yes")
    joined = attended.join(small_cohort.latent.sessions, on=["episode_id", "session_number"], validate="1:1")
    assert joined.height == attended.height == small_cohort.latent.sessions.height
    rated = joined.drop_nulls("satisfaction")
    assert (rated["satisfaction_latent"].clip(0, 10) - rated["satisfaction"]).abs().max() <= 0.05 + 1e-9


def test_the_parts_of_directiveness_add_up(small_cohort):
    joined = small_cohort.sessions.join(small_cohort.latent.sessions, on=["episode_id", "session_number"])
    parts = joined["within_part"] + joined["client_part"] + joined["therapist_part"]
    total = small_cohort.parameters.directiveness.mean + parts
    assert (total - joined["directiveness"]).abs().max() < 1e-9


def test_within_parts_of_unselected_sessions_average_to_nothing(large_cohort):
    first = large_cohort.latent.sessions.filter(pl.col("attended_number") == 1)
    # 30,000 sessions with standard deviation 1.22: standard error 0.007.
    assert first["within_part"].mean() == pytest.approx(0, abs=0.03)
    assert large_cohort.latent.sessions.select(pl.corr("within_part", "client_part")).item() == pytest.approx(
        0, abs=0.02
    )


@pytest.mark.parametrize(("clients", "therapists"), [(1, 1), (3, 1), (2, 5), (40, 3)])
def test_tiny_cohorts_work(clients, therapists):
    cohort = simulate_cohort(CohortParameters(clients=clients, therapists=therapists), seed=0)
    assert cohort.clients.height == clients
    assert cohort.sessions["therapist_id"].n_unique() <= therapists


def test_no_client_or_no_therapist_is_refused():
    with pytest.raises(UsageError, match="at least one client"):
        CohortParameters(clients=0)
    with pytest.raises(UsageError, match="at least one"):
        CohortParameters(therapists=0)


def test_more_informative_dropout_takes_more_clients():
    p = CohortParameters(clients=4_000, therapists=100)
    harder = replace(p, endings=replace(p.endings, dropout_offset=0.7))
    usual, hard = ((simulate_cohort(q, 3).latent.episodes["cause"] == "dropout").mean() for q in (p, harder))
    # 38% stop early: a case of informative dropout; standard error 0.008.
    assert usual < 0.25
    assert hard == pytest.approx(0.38, abs=0.05)
