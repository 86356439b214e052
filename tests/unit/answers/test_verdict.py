"""From evidence to verdict: every path of the decision, on evidence made up for it."""

from dataclasses import replace

import pytest

from outcomes.answers.balance.curve_forms import CurveForm
from outcomes.answers.balance.tables import Verdict
from outcomes.answers.balance.verdict import Evidence, decide


def evidence(best: CurveForm, **changes) -> Evidence:
    """Clear evidence for one form; `changes` spoil it."""
    forms = [form for form in CurveForm if form is not CurveForm.NONE]
    clear = Evidence(
        effect_p=1e-6,
        is_negligible=False,
        has_preference=True,
        weights={form: 0.99 if form is best else 0.0025 for form in forms},
        shares={form: 0.98 if form is best else 0.2 for form in forms},
        is_balance={form: form is best for form in (CurveForm.BEST_LEVEL, CurveForm.RELATIVE, CurveForm.FIT)},
        main_p=0.4,
        is_main_negligible=True,
        rises=True,
        falls=best is not CurveForm.STRAIGHT,
        has_opposite_slopes=False,
    )
    return replace(clear, **changes)


def plus_main(**changes) -> Evidence:
    turns = {CurveForm.FIT: True, CurveForm.BEST_LEVEL: False, CurveForm.RELATIVE: False}
    return evidence(CurveForm.FIT_PLUS_MAIN, is_balance=turns, is_main_negligible=False, main_p=0.001, **changes)


def test_clear_evidence_gives_each_verdict():
    assert decide(evidence(CurveForm.STRAIGHT)).verdict is Verdict.MONOTONE
    assert decide(evidence(CurveForm.BEST_LEVEL)).verdict is Verdict.BEST_LEVEL
    assert decide(evidence(CurveForm.RELATIVE)).verdict is Verdict.RELATIVE
    assert decide(evidence(CurveForm.FIT)).verdict is Verdict.FIT
    assert decide(plus_main()).verdict is Verdict.FIT_PLUS_MAIN


@pytest.mark.parametrize("best", [form for form in CurveForm if form is not CurveForm.NONE])
def test_the_gate_stops_every_form_where_the_joint_test_finds_nothing(best):
    shut = evidence(best, effect_p=0.06)
    assert decide(shut).verdict is Verdict.UNDECIDED
    assert decide(replace(shut, is_negligible=True)).verdict is Verdict.NO_EFFECT


def test_no_effect_is_said_only_where_an_effect_that_matters_is_ruled_out():
    found = decide(evidence(CurveForm.STRAIGHT, effect_p=0.5))
    assert found.verdict is Verdict.UNDECIDED
    assert "not ruled out" in found.trace[-1]


@pytest.mark.parametrize("best", [form for form in CurveForm if form is not CurveForm.NONE])
def test_an_effect_beyond_chance_that_cannot_matter_is_no_effect(best):
    found = decide(evidence(best, nothing_matters=True))
    assert found.verdict is Verdict.NO_EFFECT
    assert len(found.trace) == 2


def test_what_has_no_turn_is_one_way_only_where_a_turn_is_ruled_out():
    unseen = evidence(CurveForm.STRAIGHT, is_one_way=False)
    assert decide(unseen).verdict is Verdict.UNDECIDED
    assert "not ruled out" in decide(unseen).trace[-1]
    assert decide(replace(unseen, is_one_way=True)).verdict is Verdict.MONOTONE


def test_what_costs_away_from_the_preference_is_not_one_way():
    found = decide(evidence(CurveForm.STRAIGHT, is_fit_part_of_it=True))
    assert found.verdict is Verdict.UNDECIDED
    assert "prefers" in found.trace[-1]


def test_of_dropout_a_main_effect_beside_fit_needs_more_than_chance_in_twenty():
    assert decide(plus_main(has_surface=True)).verdict is Verdict.FIT_PLUS_MAIN
    unsure = replace(plus_main(), main_p=0.03)
    assert decide(unsure).verdict is Verdict.FIT_PLUS_MAIN
    assert decide(replace(unsure, has_surface=True)).verdict is Verdict.UNDECIDED
    assert decide(plus_main(has_surface=True, is_lopsided=False)).verdict is Verdict.UNDECIDED


def test_of_dropout_what_the_preference_describes_best_is_not_one_way_for_want_of_a_turn():
    flat = {"is_balance": dict.fromkeys(CurveForm, False), "falls": False}
    shares = dict.fromkeys(CurveForm, 0.9)
    unturned = replace(plus_main(has_surface=True), shares=shares, **flat)
    assert decide(unturned).verdict is Verdict.UNDECIDED
    assert "guidance alone" in decide(unturned).trace[-1]
    assert decide(replace(unturned, has_surface=False)).verdict is Verdict.MONOTONE


@pytest.mark.parametrize("of_sessions", Verdict)
def test_between_clients_nothing_is_said_only_beside_sessions_that_say_nothing_of_clients(of_sessions):
    nothing = evidence(CurveForm.STRAIGHT, effect_p=0.5, is_negligible=True, of_sessions=of_sessions)
    silent = (Verdict.NO_EFFECT, Verdict.UNDECIDED, Verdict.RELATIVE)
    wanted = Verdict.NO_EFFECT if of_sessions in silent else Verdict.UNDECIDED
    assert decide(nothing).verdict is wanted


def test_a_parabola_that_two_lines_do_not_confirm_is_no_balance():
    rising = evidence(CurveForm.BEST_LEVEL, is_balance=dict.fromkeys(CurveForm, False), falls=False)
    assert decide(rising).verdict is Verdict.MONOTONE


@pytest.mark.parametrize("best", [CurveForm.BEST_LEVEL, CurveForm.RELATIVE])
def test_without_preferences_no_balance_is_claimed(best):
    found = decide(evidence(best, has_preference=False))
    assert found.verdict is Verdict.UNDECIDED
    assert "Preferences are not known" in found.trace[-1]


def test_a_rival_form_that_remains_possible_leaves_it_undecided():
    weights = {CurveForm.BEST_LEVEL: 0.6, CurveForm.RELATIVE: 0.4, CurveForm.STRAIGHT: 0.0}
    assert decide(evidence(CurveForm.BEST_LEVEL, weights=weights)).verdict is Verdict.UNDECIDED


def test_fit_and_fit_plus_main_are_no_rivals_of_one_another():
    weights = dict.fromkeys(CurveForm, 0.0) | {CurveForm.FIT: 0.6, CurveForm.FIT_PLUS_MAIN: 0.4}
    assert decide(evidence(CurveForm.FIT, weights=weights)).verdict is Verdict.FIT


def test_a_form_that_explains_too_little_is_not_believed():
    shares = dict.fromkeys(CurveForm, 0.5)
    assert decide(evidence(CurveForm.FIT, shares=shares)).verdict is Verdict.UNDECIDED


def test_fit_alone_needs_the_main_effect_to_be_ruled_out():
    found = decide(evidence(CurveForm.FIT, is_main_negligible=False, main_p=0.3))
    assert found.verdict is Verdict.UNDECIDED


def test_what_rises_here_and_falls_there_without_a_turn_is_not_monotone():
    assert decide(evidence(CurveForm.STRAIGHT, falls=True)).verdict is Verdict.UNDECIDED
    assert decide(evidence(CurveForm.STRAIGHT, rises=False)).verdict is Verdict.UNDECIDED


def test_opposite_slopes_within_and_between_clients_are_not_monotone():
    assert decide(evidence(CurveForm.STRAIGHT, has_opposite_slopes=True)).verdict is Verdict.UNDECIDED


def test_what_hangs_on_the_preference_is_not_monotone():
    no_turn = evidence(CurveForm.FIT, is_balance=dict.fromkeys(CurveForm, False), falls=False)
    assert decide(no_turn).verdict is Verdict.UNDECIDED


def test_between_clients_one_best_level_waits_for_the_sessions_to_rule_out_a_relative_one():
    assert decide(evidence(CurveForm.BEST_LEVEL, is_relative_open=True)).verdict is Verdict.UNDECIDED
    assert decide(evidence(CurveForm.FIT, is_relative_open=True)).verdict is Verdict.FIT


def test_the_trace_tells_every_step_in_order():
    trace = decide(evidence(CurveForm.FIT)).trace
    assert [step.split()[0] for step in trace] == ["Guidance", "Of", "Too", "Beside"]
