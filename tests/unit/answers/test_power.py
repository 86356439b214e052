"""Error rates of the verdict: counting, the table for people, and the way through other processes."""

import polars as pl
import pytest

from outcomes.answers.recovery.power import (
    JUDGED,
    Size,
    Trial,
    as_text,
    confusion,
    count_verdicts,
    error_rates,
    keep_rates,
    study_size,
    trials,
    true_verdict,
)
from outcomes.errors import UsageError
from outcomes.simulate import Truth
from outcomes.store.files import read_json
from outcomes.study import create_study
from outcomes.study.settings import Disclosure


@pytest.fixture(scope="module")
def rates():
    """Nine of ten verdicts as the world's name says, one undecided, for each outcome and level."""
    return count_verdicts(
        [
            Trial(str(truth), outcome, level, "undecided" if i == 0 or truth is Truth.LOG else str(truth), i < 3)
            for truth in Truth
            for outcome, level in JUDGED
            for i in range(10)
        ]
    )


def test_rates_are_shares_of_the_truths_cohorts_with_their_intervals(rates):
    row = rates.row(by_predicate=_of("fit", "satisfaction", "session", "fit"), named=True)
    assert (row["n_cohorts"], row["n"], row["rate"], row["parabola_turns_rate"]) == (10, 9, 0.9, 0.3)
    assert (row["conf_low"], row["conf_high"]) == pytest.approx((0.555, 0.9975), abs=5e-4)  # Clopper & Pearson's tables


def test_each_row_of_the_confusion_table_sums_to_a_hundred(rates):
    table = confusion(rates, "satisfaction", "client")
    assert table["truth"].to_list() == [str(truth) for truth in Truth]
    assert table.drop("truth").sum_horizontal().to_list() == [100] * len(Truth)
    assert "refused" not in table.columns


def test_the_table_for_the_terminal_is_aligned(rates):
    lines = as_text(rates, "satisfaction", "session").splitlines()
    assert len({len(line) for line in lines}) == 1
    assert len(lines) == 1 + len(Truth)


def test_rates_are_kept_with_what_they_were_made_from(rates, tmp_path):
    study = create_study(tmp_path / "study")
    keep_rates(study, rates, Size(1500, 100), seed=7)
    kept = read_json(study.root / "power.json")
    assert (kept["clients"], kept["therapists"], kept["first_seed"]) == (1500, 100, 7)
    assert len(kept["rates"]) == rates.height


def test_a_study_too_small_for_a_verdict_is_refused_in_every_cohort():
    found = error_rates(Size(clients=40, therapists=12), cohorts=1)
    assert found.filter(found["verdict"] == "refused")["rate"].to_list() == [1.0] * (3 * len(Truth))


def test_a_study_without_a_release_has_no_size(tmp_path):
    with pytest.raises(UsageError, match="no size"):
        study_size(create_study(tmp_path / "study"))


def test_what_is_true_of_dropout_is_another_thing_than_what_is_true_of_satisfaction(rates):
    assert true_verdict(Truth.MONOTONE, "dropout") == "no_effect"
    assert true_verdict(Truth.FIT_PLUS_MAIN, "dropout") == "fit"
    assert true_verdict(Truth.LOG, "satisfaction") == "monotone"
    true = rates.filter("is_true")
    assert true.height == len(JUDGED) * len(Truth)
    assert rates.row(by_predicate=_of("monotone", "dropout", "session", "no_effect"), named=True)["is_true"]


def test_one_cohort_gives_a_verdict_on_satisfaction_at_two_levels_and_on_dropout():
    found = trials(Truth.MONOTONE, Size(clients=400, therapists=30), 1, Disclosure())
    assert [(trial.outcome, trial.level) for trial in found] == list(JUDGED)
    assert found[0].verdict == "monotone"


def _of(truth, outcome, level, verdict):
    wanted = {"truth": truth, "outcome": outcome, "level": level, "verdict": verdict}
    return pl.all_horizontal(pl.col(name) == value for name, value in wanted.items())
