from __future__ import annotations

import numpy as np
import pytest
from statsmodels.duration.survfunc import CumIncidenceRight, SurvfuncRight

from outcomes.errors import UsageError
from outcomes.methods.dropout.agreement import agreement, cross_table
from outcomes.methods.dropout.cumulative_incidence import cumulative_incidence, incidence_difference
from outcomes.methods.dropout.dropout_bounds import EndingState, bound_undetermined, dropout_proportion
from outcomes.methods.dropout.life_table import life_table


@pytest.mark.parametrize(
    ("data", "fit", "time"),
    [
        ("alda_first_sex", "alda_first_sex.A", "grade"),
        ("alda_cocaine_relapse_1", "alda_cocaine_relapse_1.needle", "weeks"),
        ("alda_teachers", "alda_teachers.null", "years"),
    ],
)
def test_life_tables_agree_with_singer_and_willett(reference_data, reference_fit, data, fit, time):
    frame, expected = reference_data(data), reference_fit(fit)
    table = life_table(frame[time], 1 - frame["censor"])
    seen = np.array(expected["time"]) - 1
    assert table.n_at_risk[seen].tolist() == expected["n_at_risk"]
    assert table.n_events.sum() == expected["events"]
    assert table.hazards[0, seen] == pytest.approx(expected["hazard"], abs=1e-12)
    assert table.survival[seen] == pytest.approx(expected["survival"], abs=1e-12)


def test_survival_and_greenwoods_error_agree_with_statsmodels():
    rng = np.random.default_rng(1)
    last, cause = rng.integers(1, 9, 300), rng.integers(0, 2, 300)
    table, expected = life_table(last, cause), SurvfuncRight(last, cause)
    at = expected.surv_times.astype(int) - 1
    assert table.survival[at] == pytest.approx(expected.surv_prob, abs=1e-12)
    assert table.survival_std_error[at] == pytest.approx(expected.surv_prob_se, abs=1e-12)


def test_incidences_of_a_life_table_agree_with_statsmodels():
    rng = np.random.default_rng(2)
    last, cause = rng.integers(1, 9, 400), rng.integers(0, 3, 400)
    expected = CumIncidenceRight(last, cause)
    ours = cumulative_incidence(life_table(last, cause, 2).hazards)
    at = expected.times.astype(int) - 1
    for k in range(2):
        assert ours.incidence[k, at] == pytest.approx(expected.cinc[k], abs=1e-12)


def test_without_censoring_the_incidence_is_the_plain_share():
    last, cause = np.array([1, 2, 2, 3, 3]), np.array([1, 1, 2, 2, 1])
    ours = cumulative_incidence(life_table(last, cause, 2).hazards)
    assert ours.incidence[:, -1] == pytest.approx([3 / 5, 2 / 5])
    assert ours.survival[-1] == pytest.approx(0)


def test_risks_and_survival_sum_to_one_and_the_naive_risk_is_too_high():
    hazards = np.random.default_rng(3).uniform(0, 0.3, size=(3, 5, 10))
    cif = cumulative_incidence(hazards)
    assert cif.incidence.sum(axis=0) + cif.survival == pytest.approx(np.ones((5, 10)))
    assert (cif.naive >= cif.incidence - 1e-15).all()


def test_the_difference_averages_incidences_over_clients():
    high = np.array([[[0.2, 0.2, 0.2], [0.4, 0.4, 0.4]]])
    low = np.array([[[0.1, 0.1, 0.1], [0.3, 0.3, 0.3]]])
    expected = ((1 - 0.8**3) + (1 - 0.6**3) - (1 - 0.9**3) - (1 - 0.7**3)) / 2
    assert incidence_difference(high, low, (3,)) == pytest.approx(np.array([[expected]]))


def test_a_session_beyond_the_hazards_is_refused():
    hazards = np.full((1, 2, 5), 0.1)
    with pytest.raises(UsageError, match="session 5"):
        incidence_difference(hazards, hazards, (3, 8, 12))


@pytest.mark.parametrize("bad", [[[1.2, 0.1]], [[-0.1, 0.1]], [[0.6, 0.1], [0.6, 0.1]], [[np.nan, 0.1]]])
def test_hazards_that_are_no_probabilities_are_refused(bad):
    with pytest.raises(UsageError, match="Hazards must lie"):
        cumulative_incidence(bad)


def test_a_life_table_refuses_session_zero_missing_sessions_and_unknown_causes():
    with pytest.raises(UsageError, match="1 of 2 last sessions"):
        life_table([0, 1], [1, 1])
    with pytest.raises(UsageError, match="1 of 2 last sessions"):
        life_table([np.nan, 1], [1, 1])
    with pytest.raises(UsageError, match="Causes"):
        life_table([1, 2], [1, 2], n_causes=1)


def test_agreement_equals_gwets_published_abstractors_example():
    # irrCAC 1.0 (Gwet), cont3x3abstractors: kappa 0.7964094 (0.05891072), AC1 0.8493305 (0.04321747; 0.764, 0.935).
    result = agreement([[13, 0, 0], [0, 20, 7], [0, 4, 56]])
    assert (result.kappa, result.kappa_std_error) == pytest.approx((0.7964094, 0.05891072), abs=5e-8)
    assert (result.ac1, result.ac1_std_error) == pytest.approx((0.8493305, 0.04321747), abs=1e-7)
    assert result.ac1_interval() == pytest.approx((0.764, 0.935), abs=5e-4)


def test_with_a_rare_label_kappa_is_about_zero_while_ac1_follows_the_agreement():
    result = agreement([[118, 5], [2, 0]])
    expected = 120 / 125
    chance = (123 / 125) * expected + (2 / 125) * (1 - expected)
    assert result.kappa == pytest.approx((0.944 - chance) / (1 - chance))
    assert result.ac1 == pytest.approx((0.944 - 2 * 0.972 * 0.028) / (1 - 2 * 0.972 * 0.028))


def test_kappa_is_undefined_where_both_use_one_label():
    result = agreement([[10, 0], [0, 0]])
    assert np.isnan(result.kappa)
    assert result.ac1 == 1


def test_a_definition_under_which_all_stay_agrees_no_better_than_chance_and_warns_of_nothing():
    result = agreement([[5, 3], [0, 0]])
    assert (result.kappa, result.observed) == (0.0, 5 / 8)


def test_undetermined_episodes_do_not_count_as_agreement():
    first = ["dropout", "planned", "undetermined", "dropout"]
    second = ["dropout", "dropout", "undetermined", "undetermined"]
    assert cross_table(first, second, ("dropout", "planned")).tolist() == [[1, 0], [1, 0]]


def test_agreement_needs_a_square_table():
    with pytest.raises(UsageError, match="square"):
        agreement([[1, 2, 3], [4, 5, 6]])


def test_bounds_of_the_dropout_share_are_its_two_readings():
    states = (
        [EndingState.DROPOUT] * 2 + [EndingState.PLANNED] * 5 + [EndingState.OTHER] + [EndingState.UNDETERMINED] * 2
    )
    bounds = bound_undetermined(states, dropout_proportion)
    assert (bounds.lowest, bounds.as_observed, bounds.highest) == pytest.approx((0.2, 0.25, 0.4))
    assert bounds.n_undetermined == 2


def test_no_assignment_of_undetermined_episodes_leaves_the_bounds_of_a_share():
    states = np.array(["dropout"] * 3 + ["planned"] * 4 + ["undetermined"] * 3)
    bounds = bound_undetermined(states, dropout_proportion)
    for pattern in range(8):
        value = (3 + bin(pattern).count("1")) / 10
        assert bounds.lowest <= value <= bounds.highest


def test_the_estimator_is_told_which_episodes_it_sees():
    guidance = np.array([1.0, 2.0, 3.0, 10.0])
    states = ["dropout", "planned", "dropout", "undetermined"]
    bounds = bound_undetermined(states, lambda event, rows: float(np.sum(event * guidance[rows])))
    assert (bounds.as_observed, bounds.all_dropout, bounds.none_dropout) == (4.0, 14.0, 4.0)


def test_an_unknown_state_is_refused_with_a_count_and_no_value():
    with pytest.raises(UsageError, match="1 of 2 episodes") as caught:
        bound_undetermined(["dropout", "vanished"], dropout_proportion)
    assert "vanished" not in str(caught.value)


def test_greenwoods_error_by_hand_and_no_error_where_nobody_is_left():
    # Three episodes end at sessions 1, 2 and 3: S = 2/3, 1/3, 0.
    table = life_table([1, 2, 3], [1, 1, 1])
    assert table.survival == pytest.approx([2 / 3, 1 / 3, 0])
    first = 1 / (3 * 2)
    expected = [2 / 3 * np.sqrt(first), 1 / 3 * np.sqrt(first + 1 / (2 * 1)), 0]
    assert table.survival_std_error == pytest.approx(expected)
