"""The verdict on dropout in courses drawn by numpy alone: silent where it does not know, never wrong for certain."""

from __future__ import annotations

from collections import Counter

import duckdb
import numpy as np
import pytest
from answer_cohorts import SETTINGS
from plain_dropouts import EFFECTS, TRUE, courses, risk_table

from outcomes.answers.balance.curve_forms import CurveForm
from outcomes.answers.balance.dropout_surface import dropout_surface
from outcomes.answers.balance.evidence import Findings, find_evidence
from outcomes.answers.balance.evidence_for_verdict import evidence_for_verdict
from outcomes.answers.balance.rows import GuidanceRows, verdict_dropouts
from outcomes.answers.balance.verdict import decide

CLIENTS, THERAPISTS = 1_500, 100
OPEN = "undecided"


def rows_of(world: str, seed: int, clients: int = CLIENTS) -> GuidanceRows:
    with duckdb.connect() as con:
        risk_table(con, courses(EFFECTS[world], clients, THERAPISTS, seed))
        return verdict_dropouts(con, SETTINGS)


def found(world: str, seed: int, clients: int = CLIENTS) -> Findings:
    return find_evidence(rows_of(world, seed, clients))


@pytest.mark.parametrize("world", EFFECTS)
def test_no_verdict_is_wrong_and_strong_effects_are_found_more_often_than_not(world):
    right = TRUE.get(world, "fit")
    verdicts = Counter(str(decide(found(world, seed).evidence).verdict) for seed in range(3))
    assert set(verdicts) <= {right, OPEN}
    if world not in ("none", "weak fit", "best_level", "fit, and guidance keeps clients"):
        assert verdicts[right] >= 2


@pytest.mark.parametrize("world", EFFECTS)
def test_what_a_decision_reads_is_enough_for_the_same_decision(world):
    rows = rows_of(world, 0, clients=700)
    assert decide(evidence_for_verdict(rows)) == decide(find_evidence(rows).evidence)


def test_a_true_optimum_in_few_data_is_open_and_neither_one_way_nor_without_effect():
    for seed in range(4):
        for world in ("fit", "best_level"):
            assert decide(found(world, seed, clients=350).evidence).verdict in (OPEN, TRUE.get(world, "fit"))


def test_what_falls_to_the_preference_and_is_flat_beyond_is_not_called_one_way():
    surfaces = [found("fit, and guidance keeps clients", seed).surface for seed in range(4)]
    assert sum(surface.is_fit_part_of_it(0.05) for surface in surfaces) >= 3
    straight = [found("monotone", seed).surface for seed in range(4)]
    assert sum(surface.is_fit_part_of_it(0.05) for surface in straight) <= 1
    for surface in (*surfaces, *straight):
        mean = (surface.little.value + surface.much.value) / 2
        assert surface.away.value == pytest.approx(mean)
        assert surface.lopsided.value == pytest.approx(surface.much.value - mean)
        assert surface.away.std_error < max(surface.little.std_error, surface.much.std_error)


def test_an_optimum_spread_over_terms_is_not_called_negligible():
    assert not found("fit", 1).evidence.is_negligible


def test_the_surface_shows_both_sides_of_the_preference_where_a_parabola_of_the_distance_is_wrong():
    rows = rows_of("fit", 2)
    surface = dropout_surface(rows, 99.0)
    for side in (surface.little, surface.much):  # .42 a point, two points
        assert abs(side.value - 0.84) < 3 * side.std_error
    assert surface.is_turn(0.05)
    assert not surface.is_one_way(0.05)
    assert not surface.is_lopsided(0.01)
    assert abs(surface.misfit.value / np.std(np.abs(rows.frame["e"].to_numpy())) - 0.42) < 0.1


def test_a_turn_needs_sessions_on_both_sides_of_the_preference():
    rows = rows_of("fit", 3)
    above = rows.frame.filter(rows.frame["e"] > -0.9)
    surface = dropout_surface(GuidanceRows(rows.outcome, rows.level, above, rows.covariates, 5.0, 10.0), 99.0)
    assert not surface.has_both_sides
    assert not surface.is_turn(0.05)
    only_above = rows.frame.filter(rows.frame["e"] > 0)
    assert dropout_surface(GuidanceRows(rows.outcome, rows.level, only_above, rows.covariates, 5.0, 10.0), 99.0) is None


def test_without_preferences_the_surface_tells_one_way_alone():
    rows = rows_of("monotone", 4)
    bare = rows.frame.drop("p", "e", "mp", "p2", "wp")
    surface = dropout_surface(GuidanceRows(rows.outcome, rows.level, bare, rows.covariates, 5.0, 10.0), 99.0)
    assert surface.little is surface.much is None
    assert surface.is_one_way(0.05)
    assert not surface.is_turn(0.05)


def test_what_the_verdict_says_of_the_turn_is_where_it_comes_from():
    findings = found("fit", 0)
    assert findings.evidence.is_balance[CurveForm.FIT]
    trace = " ".join(decide(findings.evidence).trace)
    assert "each does on the surface" in trace
    assert "Lind-Mehlum" not in trace
