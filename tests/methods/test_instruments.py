from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from outcomes.errors import DataRefused, UsageError
from outcomes.scoring.handbook import registry_page
from outcomes.scoring.instruments import INSTRUMENTS, instrument
from outcomes.scoring.scores import score

SCALES = [(entry, scale) for entry in INSTRUMENTS for scale in entry.scales]
IDS = [f"{entry.instrument_id} {scale.name}" for entry, scale in SCALES]

# From the publications named in the registry: lowest and highest possible score of each scale.
RANGES = {
    "C-NIP therapist_directiveness": (-15, 15),
    "HCCQ autonomy_support": (1, 7),
    "HCCQ autonomy_support_short": (1, 7),
    "WAI-SR task": (1, 5),
    "WAI-SR goal": (1, 5),
    "WAI-SR bond": (1, 5),
    "WAI-SR alliance": (1, 5),
    "SRS alliance": (0, 40),
    "ORS wellbeing": (0, 40),
    "CSQ-8 satisfaction": (8, 32),
    "CSQ-8-printed satisfaction": (8, 32),
    "CORE-10 distress": (0, 40),
    "PHQ-9 depression": (0, 27),
    "GAD-7 anxiety": (0, 21),
    "OQ-45 distress": (0, 180),
    "CORE-OM distress": (0, 40),
    "CORE-OM distress_without_risk": (0, 40),
    "CORE-OM wellbeing_deficits": (0, 40),
    "CORE-OM problems": (0, 40),
    "CORE-OM functioning_difficulties": (0, 40),
    "CORE-OM risk": (0, 40),
    "WSAS impairment": (0, 40),
    "WSAS impairment_without_work": (0, 32),
    "K10+ distress": (10, 50),
    "K5 distress": (5, 25),
}


def _extreme(entry, scale, *, top: bool) -> float:
    """Score when every item points to one end of the scale."""
    answers = np.full(entry.n_items, entry.item_max if top else entry.item_min, dtype=float)
    for item in scale.reversed_items:
        answers[item - 1] = entry.item_min if top else entry.item_max
    return float(score(entry, answers, scale.name).value[0])


@pytest.mark.parametrize(("entry", "scale"), SCALES, ids=IDS)
def test_each_scale_spans_the_published_range(entry, scale):
    expected = RANGES[f"{entry.instrument_id} {scale.name}"]
    assert (_extreme(entry, scale, top=False), _extreme(entry, scale, top=True)) == pytest.approx(expected)


@pytest.mark.parametrize(("entry", "scale"), SCALES, ids=IDS)
def test_each_item_moves_its_scale_in_its_own_direction_and_no_other_item_does(entry, scale):
    middle = np.full(entry.n_items, entry.item_min + 1.0)
    base = score(entry, middle, scale.name).value[0]
    for item in range(1, entry.n_items + 1):
        raised = middle.copy()
        raised[item - 1] += 1
        change = score(entry, raised, scale.name).value[0] - base
        expected = 0 if item not in scale.items else (-1 if item in scale.reversed_items else 1)
        assert np.sign(round(change, 9)) == expected, item


@pytest.mark.parametrize(("entry", "scale"), SCALES, ids=IDS)
def test_each_key_names_items_that_exist(entry, scale):
    assert set(scale.items) <= set(range(1, entry.n_items + 1))
    assert set(scale.reversed_items) <= set(scale.items)
    assert len(set(scale.items)) == len(scale.items)


# From the publications named in the registry: items whose answers run against their scale.
REVERSED = {
    ("HCCQ", "autonomy_support"): {13},
    ("CSQ-8-printed", "satisfaction"): {2, 4, 5, 8},
    ("CORE-10", "distress"): {2, 3},
    ("OQ-45", "distress"): {1, 12, 13, 20, 21, 24, 31, 37, 43},
    ("CORE-OM", "distress"): {3, 4, 7, 12, 19, 21, 31, 32},
    ("CORE-OM", "distress_without_risk"): {3, 4, 7, 12, 19, 21, 31, 32},
    ("CORE-OM", "wellbeing_deficits"): {4, 31},
    ("CORE-OM", "functioning_difficulties"): {3, 7, 12, 19, 21, 32},
}


@pytest.mark.parametrize(("entry", "scale"), SCALES, ids=IDS)
def test_the_reversed_items_are_those_published(entry, scale):
    lowest = np.full(entry.n_items, float(entry.item_min))
    base = score(entry, lowest, scale.name).value[0]
    falling = set()
    for item in range(1, entry.n_items + 1):
        raised = lowest.copy()
        raised[item - 1] += 1
        if score(entry, raised, scale.name).value[0] < base:
            falling.add(item)
    assert falling == REVERSED.get((entry.instrument_id, scale.name), set())


def _core_om_answers(n: int) -> list[int]:
    """Answers of which `n` items, none of them positive, stand at 4 and all others count nothing."""
    positive = {3, 4, 7, 12, 19, 21, 31, 32}
    others = [item for item in range(1, 35) if item not in positive]
    return [4 if item in positive or item in others[:n] else 0 for item in range(1, 35)]


# One worked example per rule, by hand; where a publication has one, that is it.
WORKED = {
    "C-NIP": ("therapist_directiveness", [3, 2, -1, 0, 1] + [3] * 13, 5),
    "HCCQ": ("autonomy_support", [7] * 12 + [1] + [7] * 2, 7),
    "WAI-SR": ("goal", [1, 1, 1, 5, 1, 4, 1, 3, 1, 1, 2, 1], 3.5),
    "SRS": ("alliance", [9.2, 8.8, 9.0, 9.0], 36),
    "ORS": ("wellbeing", [2.5, 5.0, 7.5, 1.0], 16),
    "CSQ-8": ("satisfaction", [4, 3, 4, 3, 4, 3, 4, 3], 28),
    "CSQ-8-printed": ("satisfaction", [4, 1, 4, 1, 1, 4, 4, 1], 32),
    "CORE-10": ("distress", [2, 4, 4, 1, 1, 0, 2, 1, 2, 1], 10),
    "PHQ-9": ("depression", [1, 1, 2, 2, 0, 1, 1, 2, 0], 10),
    "GAD-7": ("anxiety", [1, 2, 0, 3, 1, 1, 2], 10),
    "OQ-45": ("distress", [0] * 45, 36),
    # The scoring guide's example: items that add up to 56 have the mean 1.647 and the clinical score 16.47.
    "CORE-OM": ("distress", _core_om_answers(14), 16.470588),
    "WSAS": ("impairment", [8, 4, 2, 0, 6], 20),
    "K10+": ("distress", [5, 4, 3, 2, 1, 5, 4, 3, 2, 1], 30),
    "K5": ("distress", [1, 2, 3, 4, 5], 15),
}


@pytest.mark.parametrize("instrument_id", WORKED)
def test_the_worked_example_of_each_rule(instrument_id):
    scale, answers, expected = WORKED[instrument_id]
    assert score(instrument(instrument_id), answers, scale).value == pytest.approx([expected])


def test_every_instrument_with_a_key_has_a_worked_example():
    assert set(WORKED) == {entry.instrument_id for entry in INSTRUMENTS if entry.scales}


def test_core_10_is_prorated_with_one_missing_item_and_missing_with_two():
    answers = np.array([[2, 4, 4, 1, 1, 0, 2, 1, 2, np.nan], [2, 4, 4, 1, 1, 0, 2, 1, np.nan, np.nan]], dtype=float)
    ours = score(instrument("CORE-10"), answers)
    assert ours.value[0] == pytest.approx(10 * 9 / 9)
    assert np.isnan(ours.value[1])
    assert (ours.n_prorated, ours.n_missing) == (1, 1)


def test_a_sum_without_a_rule_for_missing_items_is_missing():
    ours = score(instrument("PHQ-9"), [[1, 1, 1, 1, 1, 1, 1, 1, np.nan]])
    assert np.isnan(ours.value[0])


def test_a_missing_item_of_another_scale_does_not_matter():
    answers = np.full(12, 3.0)
    answers[0] = np.nan
    assert score(instrument("WAI-SR"), answers, "bond").value.tolist() == [3.0]


def test_an_answer_outside_the_range_is_refused_by_count_and_item_and_without_its_value():
    with pytest.raises(DataRefused, match=r"1 answers to GAD-7 lie outside 0\.\.3 \(items 3\)") as caught:
        score(instrument("GAD-7"), [1, 1, 77, 1, 1, 1, 1])
    assert "77" not in str(caught.value)


def test_the_wrong_number_of_items_is_refused():
    with pytest.raises(UsageError, match="9 items; 8 columns"):
        score(instrument("PHQ-9"), np.zeros((2, 8)))


def test_an_instrument_without_a_known_key_is_not_scored():
    with pytest.raises(UsageError, match="MULTI-30 is not part"):
        score(instrument("MULTI-30"), np.ones(30))


def test_unknown_instruments_and_scales_are_refused_with_the_choices():
    with pytest.raises(UsageError, match="PHQ-9"):
        instrument("PHQ-10")
    with pytest.raises(UsageError, match="task, goal, bond"):
        score(instrument("WAI-SR"), np.ones(12), "total")


def test_scoring_leaves_its_input_alone():
    answers = np.ones((1, 10))
    score(instrument("CORE-10"), answers)
    assert (answers == 1).all()


def test_cutoffs_and_reliable_changes_are_those_published():
    assert {
        entry.instrument_id: (scale.cutoffs[0][1], scale.reliable_change)
        for entry, scale in SCALES
        if scale.reliable_change is not None
    } == {"ORS": (25, 5), "CORE-10": (11, 6), "PHQ-9": (10, 6), "GAD-7": (8, 4), "OQ-45": (63, 14)}


def test_the_domains_of_the_core_om_share_its_items_out():
    scales = {scale.name: set(scale.items) for scale in instrument("CORE-OM").scales}
    domains = [scales[name] for name in ("wellbeing_deficits", "problems", "functioning_difficulties", "risk")]
    assert [len(items) for items in domains] == [4, 12, 12, 6]
    assert set.union(*domains) == scales["distress"] == set(range(1, 35))
    assert scales["distress_without_risk"] == scales["distress"] - scales["risk"]


def test_the_published_answer_to_all_items_of_the_phq_9_scores_as_its_source_stores_it():
    # HL7 Germany, MII PRO example of the PHQ-9: nine answers LA6571-9 (3 points each), stored score 27.
    assert score(instrument("PHQ-9"), [3] * 9).value.tolist() == [27]


def test_a_client_without_work_has_the_sum_of_the_other_four_items_of_the_wsas():
    answers = [np.nan, 4, 2, 0, 6]
    assert np.isnan(score(instrument("WSAS"), answers, "impairment").value[0])
    assert score(instrument("WSAS"), answers, "impairment_without_work").value.tolist() == [12]


@pytest.mark.parametrize("entry", INSTRUMENTS, ids=lambda entry: entry.instrument_id)
def test_every_instrument_names_its_source_and_its_licence(entry):
    assert entry.source
    assert entry.licence


@pytest.mark.parametrize(("entry", "scale"), SCALES, ids=IDS)
def test_the_range_that_a_scale_states_is_the_one_that_it_has(entry, scale):
    assert entry.range_of(scale) == pytest.approx(RANGES[f"{entry.instrument_id} {scale.name}"])


@pytest.mark.parametrize(("entry", "scale"), SCALES, ids=IDS)
def test_a_clinical_cutoff_is_one_of_the_published_ones_and_lies_in_the_range(entry, scale):
    low, high = entry.range_of(scale)
    if scale.clinical is None:
        assert not any("clinical" in meaning for meaning, _ in scale.cutoffs)
    else:
        assert low < scale.clinical < high
        assert scale.clinical in [value for meaning, value in scale.cutoffs if meaning.startswith("clinical")]


def test_the_page_of_instruments_is_that_of_the_registry():
    page = Path(__file__).parents[2] / "docs" / "instruments.md"
    assert page.read_text(encoding="utf-8") == registry_page()
