"""Numbers of a therapist's page: right, with their interval, and kept back where they would give a client away."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest
import statsmodels.formula.api as smf
from scipy import stats

from outcomes.feedback.changes import Change, Compared, compared, latest, question
from outcomes.feedback.figures import Figure, Measure, Said, asked_figure, digits_of, leaning_figure, mean_figure
from outcomes.feedback.periods import Period
from outcomes.feedback.spreads import reaches
from outcomes.methods.inference.mover import difference_interval
from outcomes.study.tables.confidential import Disclosure
from outcomes.study.tables.feedback import PeriodLength

RULE = Disclosure()
PERIOD = Period(date(2024, 1, 1), PeriodLength.HALF_YEAR)
NEXT = Period(date(2024, 7, 1), PeriodLength.HALF_YEAR)
TEN = (0.0, 10.0)


def satisfaction(means, ends=TEN, reach=2.4):
    return mean_figure(Measure.SATISFACTION, PERIOD, list(means), ends, reach, RULE, 10)


def caseloads(n_therapists, n_clients, seed, sd=1.2):
    """Clients' means by therapist and period."""
    rng = np.random.default_rng(seed)
    n = n_therapists * n_clients
    return pl.DataFrame(
        {"therapist_id": np.repeat([f"t{k}" for k in range(n_therapists)], n_clients), "start": [PERIOD.start] * n,
         "satisfaction": rng.normal(np.repeat(rng.normal(6, 1, n_therapists), n_clients), sd),
         "distance": rng.gamma(2, 0.5, n), "leaning": rng.normal(0, 1, n),
         "asked": rng.integers(0, 5, n), "not_asked": rng.integers(1, 5, n)}
    )  # fmt: skip


def test_the_range_is_made_of_the_pooled_spread_as_an_analysis_of_variance_has_it():
    frame = caseloads(30, 14, 1)
    fit = smf.ols("satisfaction ~ C(therapist_id)", frame.to_pandas()).fit()
    expected = stats.t.ppf(0.975, fit.df_resid) * np.sqrt(fit.mse_resid)
    found = reaches(frame, RULE, {})[Measure.SATISFACTION]
    assert expected <= found <= expected + 0.1  # rounded up to two digits
    assert set(reaches(frame, RULE, {})) == set(Measure)


def test_a_spread_that_was_used_stays_and_few_clients_have_none():
    frame = caseloads(30, 14, 1)
    assert reaches(frame, RULE, {Measure.SATISFACTION: 9.9})[Measure.SATISFACTION] == 9.9
    assert reaches(caseloads(3, 3, 1), RULE, {}) == {}
    assert satisfaction(np.linspace(3, 8, 14), reach=None) is None


def test_a_mean_is_told_with_the_range_of_as_many_clients():
    means = np.random.default_rng(1).normal(6, 1, 23)
    one = satisfaction(means)
    half = 2.4 / np.sqrt(23)  # 25 stands for 23 clients or more
    assert (one.value, one.clients) == (round(means.mean(), 1), 25)
    assert (one.low, one.high) == (round(one.value - half, 1), round(one.value + half, 1))


def test_ranges_hold_the_truth_as_often_as_they_say():
    held = []
    for seed in range(60):
        frame = caseloads(20, 12, seed)
        rng = np.random.default_rng(seed)
        truth = rng.normal(6, 1, 20)  # drawn first by `caseloads` too
        reach = reaches(frame, RULE, {})[Measure.SATISFACTION]
        for place, (_, own) in enumerate(frame.group_by("therapist_id", maintain_order=True)):
            one = satisfaction(own["satisfaction"].to_list(), (-10.0, 20.0), reach)
            held.append(one.low <= truth[place] <= one.high)
    assert np.mean(held) >= 0.94


@pytest.mark.parametrize("n", [0, 1, 9])
def test_nothing_is_told_of_fewer_clients_than_the_threshold(n):
    means = np.linspace(3, 8, n)
    assert satisfaction(means) is None
    assert leaning_figure(PERIOD, means - 9, 1.0, RULE, 10) is None
    assert asked_figure(PERIOD, [0.5] * n, (50, 50), 0.5, RULE, 10) is None


def test_the_study_s_own_larger_threshold_holds():
    means = np.linspace(3, 8, 14)
    assert mean_figure(Measure.SATISFACTION, PERIOD, list(means), TEN, 2.4, Disclosure(minimum_count=15), 10) is None
    assert mean_figure(Measure.SATISFACTION, PERIOD, list(means), TEN, 2.4, RULE, 15) is None


@pytest.mark.parametrize(
    "means", [[10.0] * 12, [0.0] * 12, [10.0] * 11 + [9.6], [0.0] * 11 + [0.1]],
    ids=["all at the top", "all at the bottom", "nearly all at the top", "nearly all at the bottom"],
)  # fmt: skip
def test_a_mean_that_is_each_client_s_own_is_not_told(means):
    assert satisfaction(means) is None


def test_a_share_that_rests_on_one_client_is_not_told():
    assert asked_figure(PERIOD, [1.0] + [0.0] * 13, (12, 80), 0.5, RULE, 10) is None


@pytest.mark.parametrize(
    ("asked", "not_asked", "said"),
    [(9, 60, Said.FEW), (60, 9, Said.NEARLY_ALL), (30, 30, Said.NUMBER), (9, 9, None)],
)
def test_small_parts_of_sessions_are_words(asked, not_asked, said):
    shares = np.linspace(0.2, 0.8, 14).tolist()
    one = asked_figure(PERIOD, shares, (asked, not_asked), 0.5, RULE, 10)
    assert (one.said if one else None) is said
    assert one is None or (one.value is None) is (said is not Said.NUMBER)


def test_which_way_guidance_leans_is_said_only_where_the_interval_does():
    spread = np.linspace(-1, 1, 15)
    found = [leaning_figure(PERIOD, spread + shift, 1.0, RULE, 10).said for shift in (-1, 0, 1)]
    assert found == [Said.LESS, Said.NEITHER, Said.MORE]


@pytest.mark.parametrize("span", [1, 4, 6, 10, 30, 40, 100])
@pytest.mark.parametrize("n", [10, 15, 40])
def test_who_knows_all_clients_but_one_learns_the_last_mean_to_a_tenth_of_the_scale_at_best(span, n):
    """Two means of the last client that lie less than that apart can give the same told mean."""
    step = 10.0 ** -digits_of(span, n)
    assert n * step >= span / 10 - 1e-9


@pytest.mark.parametrize("seed", range(20))
def test_the_told_numbers_leave_the_last_client_s_mean_open(seed):
    """All told of one period together: a therapist who knows thirteen of fourteen clients tries every mean."""
    means = np.clip(np.random.default_rng(seed).normal(6, 1.5, 14), 0, 10).tolist()
    told = satisfaction(means)
    tried = np.arange(0, 10.001, 0.02)
    fitting = [x for x in tried if satisfaction([*means[:-1], float(x)]) == told]
    assert fitting
    is_at_an_end = min(fitting) < 0.1 or max(fitting) > 9.9  # there the scale itself says more
    assert is_at_an_end or max(fitting) - min(fitting) >= 1.0 - 0.04


@pytest.mark.parametrize("n", [80, 200])
def test_a_change_has_welch_s_interval_where_both_sides_have_many_clients(n):
    rng = np.random.default_rng(n)
    one, other = rng.normal(7, 1, n), rng.normal(6, 1.4, n)
    sides = [(x.mean(), *stats.ttest_1samp(x, 0).confidence_interval(0.95)) for x in (one, other)]
    expected = stats.ttest_ind(one, other, equal_var=False).confidence_interval(0.95)
    assert difference_interval(*sides) == pytest.approx(
        (one.mean() - other.mean(), expected.low, expected.high), abs=0.005
    )


@pytest.mark.parametrize("shared", [0.0, 0.5, 1.0])
def test_the_interval_of_a_change_holds_the_truth_often_enough_when_clients_are_in_both_periods(shared):
    rng, n, n_tries = np.random.default_rng(5), 14, 4_000
    both = int(shared * n)
    before = rng.normal(0, 1, (n_tries, n))
    now = rng.normal(0, 1, (n_tries, n))
    now[:, :both] = 0.7 * before[:, :both] + np.sqrt(1 - 0.49) * now[:, :both]
    sides = [(x.mean(axis=1), stats.t.ppf(0.975, n - 1) * stats.sem(x, axis=1)) for x in (now, before)]
    holds = [
        low <= 0 <= high
        for m, h, m0, h0 in zip(*sides[0], *sides[1], strict=True)
        for _, low, high in [difference_interval((m, m - h, m + h), (m0, m0 - h0, m0 + h0))]
    ]
    assert np.mean(holds) >= 0.945  # four standard errors of 4,000 tries below 0.95 is 0.936


def test_an_interval_that_does_not_hold_its_estimate_is_refused():
    with pytest.raises(ValueError, match="does not hold"):
        difference_interval((1.0, 2.0, 3.0), (1.0, 0.0, 2.0))


def number(period, value, half, measure=Measure.SATISFACTION):
    return Figure(measure, period, Said.NUMBER, value, value - half, value + half, 15)


@pytest.mark.parametrize(
    ("now", "half", "change"),
    [(8.0, 0.3, Change.HIGHER), (5.0, 0.3, Change.LOWER), (6.6, 0.2, Change.ALIKE), (7.0, 1.0, Change.UNSURE)],
)
def test_the_word_for_a_change_is_bound_to_its_interval(now, half, change):
    assert compared(number(NEXT, now, half), number(PERIOD, 6.5, half), 10).change is change


def test_the_first_period_is_compared_with_nothing():
    one = compared(number(PERIOD, 7, 1), None, 10)
    assert (one.change, one.by) == (Change.FIRST, None)


def test_the_change_adds_nothing_to_what_both_periods_told():
    now, before = number(NEXT, 7.4, 0.5), number(PERIOD, 6.1, 0.4)
    assert compared(now, before, 10).by == difference_interval((7.4, 6.9, 7.9), (6.1, 5.7, 6.5))


def test_the_last_two_periods_are_compared_whatever_their_order():
    figures = [number(NEXT, 7, 1), number(PERIOD, 6, 1)]
    now, before = latest(figures, Measure.SATISFACTION)
    assert (now.period, before.period) == (NEXT, PERIOD)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ({Measure.LEANING: (Said.MORE, Change.FIRST)}, "lead less"),
        ({Measure.LEANING: (Said.LESS, Change.FIRST)}, "lead more"),
        ({Measure.DISTANCE: (Said.NUMBER, Change.HIGHER)}, "not what a client wanted"),
        ({Measure.ASKED: (Said.FEW, Change.FIRST)}, "ask more often"),
        ({Measure.SATISFACTION: (Said.NUMBER, Change.LOWER)}, "different in these months"),
        ({Measure.SATISFACTION: (Said.NUMBER, Change.UNSURE)}, "last tell me"),
    ],
)
def test_the_question_follows_from_what_was_found(found, words):
    made = {
        measure: Compared(Figure(measure, PERIOD, said, 5.0, 4.0, 6.0, 15), None, change, None)
        for measure, (said, change) in found.items()
    }
    assert words in question(made)


def test_a_period_is_over_when_it_has_settled_and_the_data_reach_its_last_month():
    june = date(2024, 6, 1)
    assert PERIOD.is_over(date(2024, 7, 29), june, 28)
    assert not PERIOD.is_over(date(2024, 7, 28), june, 28)
    assert not PERIOD.is_over(date(2025, 7, 28), date(2024, 5, 1), 28)
    assert not PERIOD.is_over(date(2025, 7, 28), None, 28)


@pytest.mark.parametrize(
    ("length", "start", "end", "label"),
    [("quarter", (2024, 10, 1), (2025, 1, 1), "October to December 2024"), ("year", (2024, 1, 1), (2025, 1, 1), "2024"),
     ("half_year", (2024, 7, 1), (2025, 1, 1), "July to December 2024")],
)  # fmt: skip
def test_periods_have_their_names_and_ends(length, start, end, label):
    one = Period(date(*start), PeriodLength(length))
    assert (one.end, one.label) == (date(*end), label)
