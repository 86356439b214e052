"""The cohort's calibration targets (sources: docs/simulation.md), each with the Monte-Carlo error of the estimate.

Errors are standard deviations over 12 seeds of cohorts of this size; tolerances are at least three of them.
"""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from outcomes.simulate import Cohort, CohortParameters, slope_truth

LOGISTIC_VARIANCE = np.pi**2 / 3


@pytest.fixture(scope="module")
def episodes(large_cohort: Cohort) -> pl.DataFrame:
    """One row per episode: means of its ratings, the true cause of its ending, its last therapist."""
    rated = large_cohort.sessions.drop_nulls(["satisfaction", "alliance", "directiveness"])
    means = rated.group_by("episode_id", maintain_order=True).agg(
        pl.col("client_id").first(),
        pl.col("practice_id", "therapist_id").last(),
        pl.col("satisfaction", "alliance", "directiveness").mean(),
        n_rated=pl.len(),
    )
    return means.join(large_cohort.latent.episodes, on="episode_id").join(large_cohort.clients, on="client_id")


def standardised_difference(high: pl.Series, low: pl.Series) -> float:
    return (high.mean() - low.mean()) / np.sqrt((high.var() + low.var()) / 2)


def odds(is_dropout: pl.Series) -> float:
    return is_dropout.mean() / (1 - is_dropout.mean())


def is_dropout(table: pl.DataFrame) -> pl.Series:
    return table["cause"] == "dropout"


def test_a_fifth_of_the_courses_end_by_dropout(large_cohort):
    # Swift & Greenberg 2012: 19.7% [18.7, 20.7]; error over seeds 0.003.
    assert is_dropout(large_cohort.latent.episodes).mean() == pytest.approx(0.197, abs=0.010)


def test_recorded_dropout_of_closed_episodes_is_near_the_true_rate(large_cohort):
    # The data cut hides long courses more often than short ones, which end by dropout more often: up to 2 points more.
    closed = large_cohort.episodes.filter(~pl.col("ending").is_in(["open", "unknown"]))
    recorded = closed["ending"].is_in(["client_ended", "judged_premature"]).mean()
    assert 0.187 < recorded < 0.227


def test_therapists_differ_in_dropout_as_much_as_in_practice(episodes):
    # Saxon 2017: 12.6%, Zimmermann 2017: 5.7% of the latent variance. By moments: variance of the therapists' shares
    # beyond the binomial, on the logit scale by the delta method; error over seeds 0.008.
    by_therapist = episodes.group_by("therapist_id").agg(share=(pl.col("cause") == "dropout").mean(), n=pl.len())
    by_therapist = by_therapist.filter(pl.col("n") >= 20)
    share, n = by_therapist["share"].to_numpy(), by_therapist["n"].to_numpy()
    between = share.var(ddof=1) - np.mean(share * (1 - share) / (n - 1))
    on_logit = between / (share.mean() * (1 - share.mean())) ** 2
    assert 0.057 < on_logit / (on_logit + LOGISTIC_VARIANCE) < 0.126


def test_dropout_by_therapist_spans_a_wide_range(episodes):
    # Saxon 2017: 1.2% to 73.2% over 119 therapists with 30 clients and more.
    by_therapist = episodes.group_by("therapist_id", maintain_order=True).agg(
        share=(pl.col("cause") == "dropout").mean(), n=pl.len()
    )
    share = by_therapist.filter(pl.col("n") >= 30).head(119)["share"]
    assert share.min() < 0.06
    assert share.max() > 0.40


def test_therapists_and_practices_explain_satisfaction_as_much_as_in_practice(large_cohort, episodes):
    # Johns 2019: therapists 5%, 2.4-8.2% over studies; Mahon 2023: clinics 1.13%. By moments of means of
    # clients' means; errors over seeds 0.004 (600 therapists) and 0.003 (75 practices).
    by_therapist = episodes.group_by("therapist_id").agg(
        pl.col("practice_id").first(),
        mean=pl.col("satisfaction").mean(),
        variance=pl.col("satisfaction").var(),
        n=pl.len(),
    )
    by_practice = by_therapist.group_by("practice_id").agg(
        pl.col("mean").mean().alias("grand"), variance=pl.col("mean").var(), n=pl.len()
    )
    of_clients = (by_therapist["variance"] * (by_therapist["n"] - 1)).sum() / (by_therapist["n"] - 1).sum()
    of_therapists = (by_practice["variance"] * (by_practice["n"] - 1)).sum() / (by_practice["n"] - 1).sum()
    total = large_cohort.sessions["satisfaction"].var()
    therapist_share = (of_therapists - of_clients * (1 / by_therapist["n"]).mean()) / total
    practice_share = (by_practice["grand"].var() - of_therapists * (1 / by_practice["n"]).mean()) / total
    assert therapist_share == pytest.approx(0.050, abs=0.012)
    assert practice_share == pytest.approx(0.0113, abs=0.010)


def test_satisfaction_is_left_skewed_with_a_ceiling(large_cohort):
    satisfaction = large_cohort.sessions["satisfaction"].drop_nulls()
    assert satisfaction.skew() < -0.5
    assert 0.10 < (satisfaction == 10.0).mean() < 0.30
    assert satisfaction.max() == 10.0
    assert (satisfaction == 0.0).mean() < 0.01


def test_alliance_goes_with_satisfaction_and_against_dropout(large_cohort, episodes):
    # Alliance and outcome r = .278, alliance and dropout d = .55; errors over seeds 0.004 and 0.013.
    together = large_cohort.sessions.select(pl.corr("alliance", "satisfaction")).item()
    assert together == pytest.approx(0.278, abs=0.02)
    stayed, left = episodes.filter(~is_dropout(episodes)), episodes.filter(is_dropout(episodes))
    assert standardised_difference(stayed["alliance"], left["alliance"]) == pytest.approx(0.55, abs=0.05)


def test_guidance_that_fits_the_preference_satisfies_more_and_keeps_clients(episodes):
    # Swift 2018, accommodated against not: d = .28, dropout odds ratio 1.79. Here clients nearer to their preference
    # than the median client against the others; errors over seeds 0.013 and 0.07.
    gaps = episodes.with_columns(gap=(pl.col("directiveness") - pl.col("directiveness_preferred")).abs()).drop_nulls(
        "gap"
    )
    near = gaps.filter(pl.col("gap") <= gaps["gap"].median())
    far = gaps.filter(pl.col("gap") > gaps["gap"].median())
    assert standardised_difference(near["satisfaction"], far["satisfaction"]) == pytest.approx(0.28, abs=0.04)
    assert odds(is_dropout(far)) / odds(is_dropout(near)) == pytest.approx(1.79, abs=0.21)


def test_slopes_of_a_session_are_of_the_size_the_field_reports():
    # .05 to .20 SD of satisfaction per SD of the part of directiveness, in either direction.
    truth, sd = slope_truth(CohortParameters()), 1.6
    for part in ("within", "client", "therapist"):
        standardised = getattr(truth.observed, part) * getattr(truth, f"{part}_variance") ** 0.5 / sd
        assert 0.03 < abs(standardised) < 0.25


def test_ratings_are_lost_more_often_by_clients_who_will_drop_out(large_cohort):
    # Lost forms 5% (odds x 2.5 for dropouts: 11.6%) and 1% of cells; errors over seeds 0.0005 and 0.002.
    attended = large_cohort.sessions.filter(pl.col("attended") == "yes").join(
        large_cohort.latent.episodes, on="episode_id"
    )
    left = is_dropout(attended)
    assert attended.filter(left)["satisfaction"].is_null().mean() == pytest.approx(0.125, abs=0.008)
    assert attended.filter(~left)["satisfaction"].is_null().mean() == pytest.approx(0.0595, abs=0.002)


def test_one_client_in_twenty_changes_therapist(large_cohort):
    seen = large_cohort.sessions.group_by("client_id", "episode_id").agg(pl.col("therapist_id").n_unique())
    assert (seen["therapist_id"] > 1).mean() == pytest.approx(0.05, abs=0.005)
    practices = large_cohort.sessions.group_by("client_id").agg(pl.col("practice_id").n_unique())
    assert practices["practice_id"].max() == 1


def test_asking_about_the_guidance_brings_the_next_session_nearer_to_the_preference(large_cohort):
    in_order = large_cohort.sessions.filter(pl.col("attended") == "yes").join(large_cohort.clients, on="client_id")
    misfit = (pl.col("directiveness") - pl.col("directiveness_preferred")).abs()
    asked_before = pl.col("asked_about_guidance").shift(1).over("episode_id", order_by="session_number")
    after = in_order.with_columns(misfit=misfit, asked_before=asked_before).drop_nulls(["misfit", "asked_before"])
    asked, not_asked = (after.filter(pl.col("asked_before") == word)["misfit"] for word in ("yes", "no"))
    # Errors over seeds 0.005 each.
    assert not_asked.mean() - asked.mean() == pytest.approx(0.29, abs=0.03)


def test_too_much_guidance_overwhelms_and_more_guidance_takes_autonomy(large_cohort):
    rated = large_cohort.sessions.join(large_cohort.clients, on="client_id").drop_nulls()
    too_much = rated["directiveness"] > rated["directiveness_preferred"] + 1
    too_little = rated["directiveness"] < rated["directiveness_preferred"] - 1
    assert rated.filter(too_much)["felt_overwhelmed"].mean() > rated.filter(too_little)["felt_overwhelmed"].mean() + 0.8
    assert rated.select(pl.corr("directiveness", "autonomy_support")).item() < -0.2


def test_empowerment_grows_over_the_course(large_cohort):
    staying = large_cohort.latent.episodes.filter(pl.col("n_attended") >= 10)["episode_id"]
    sessions = large_cohort.sessions.filter(pl.col("episode_id").is_in(staying.implode()))
    first = sessions.filter(pl.col("session_number") == 1)["empowerment"].mean()
    tenth = sessions.filter(pl.col("session_number") == 10)["empowerment"].mean()
    assert tenth - first > 0.5
