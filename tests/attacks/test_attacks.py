"""Nobody who keeps every report proves that there is somebody and that they are few, in a release or between two."""

from __future__ import annotations

import numpy as np
import pytest
from agreements import cohen, fitting, gwet
from estimates import learned
from identities import JUDGED, NESTED, Attack, Move
from rules import Printed
from sequences import attacked
from studies_in_turn import DEFINITIONS, client, cohort, in_turn, truth
from tables_that_fit import Unknowns
from verdicts import Outcome, attack
from whole_studies import Clinic

from outcomes.methods.dropout.agreement import agreement

SIZES = (60, 150, 1_500)


def _printed(table) -> tuple[Printed, Printed]:
    """Agreement to two decimals, as reports told it once."""
    made = []
    for value, half in (gwet(table), cohen(table)):
        numbers = (value[0], value[0] - half[0], min(value[0] + half[0], 1.0))
        made.append(Printed(*((round(x, 2) - 0.005 - 1e-9, round(x, 2) + 0.005 + 1e-9) for x in numbers)))
    return made[0], made[1]


@pytest.mark.parametrize("counts", [(4, 17, 0, 110), (4, 17, 4, 106), (8, 13, 30, 90)])
def test_the_attackers_agreement_is_that_of_the_pipeline(counts):
    found = agreement(np.array(counts).reshape(2, 2))
    table = np.array([counts], dtype=float)
    assert gwet(table)[0][0] == pytest.approx(found.ac1)
    assert gwet(table)[1][0] == pytest.approx(found.ac1 - found.ac1_interval()[0])
    assert cohen(table)[0][0] == pytest.approx(found.kappa)
    assert cohen(table)[1][0] == pytest.approx(1.959964 * found.kappa_std_error)


def test_two_decimals_of_agreement_give_a_table_of_150_clients_away():
    """Why agreement is told in words: the suppressed 4, 21 come back, and with one client more 5, 22."""
    for both, dropouts in ((4, 21), (5, 22)):
        table = np.array([[both, dropouts - both, 0, 110]], dtype=float)
        found = fitting(*_printed(table), (10, 40), (108, 112), only_other=(0, 9), other=(0, 9))
        assert {(row[0] + row[2], row[0] + row[1]) for row in found.tolist()} == {(both, dropouts)}


def test_the_attacker_finds_the_only_solution_of_a_small_system():
    know = Unknowns()
    know.about("a", 0, 9)
    know.about("b", 28, 32)
    know.about("all", 40, 42)
    know.equal({"all": 1, "a": -1, "b": -1})
    assert know.ends({"a": 1}) == (8, 9)
    assert know.possible({"a": 1}) == (8, 9, 2)
    assert know.possible({"b": 1}) == (31, 32, 2)
    assert know.agrees({"a": 9, "b": 31, "all": 40})
    assert not know.agrees({"a": 2, "b": 31, "all": 40})


def test_the_judges_clients_have_what_reports_keep_back():
    rng = np.random.default_rng(1)
    known = truth(cohort(150, rng))
    assert 0 < known["definition", JUDGED] < 10
    assert 0 < known["definition", NESTED[0]] < 10
    assert set(client(1, rng).states) == set(DEFINITIONS)


@pytest.mark.parametrize("size", SIZES)
def test_nothing_that_was_kept_back_is_found_over_releases_of_one_client_more_or_less(publisher, size):
    found = attacked(publisher, 1, 3, size, seed=3)
    assert found.n_hidden > 10
    assert (found.n_wrong, found.gave_up) == (0, 0)
    assert (found.hidden_identified, found.changes_identified) == (0, 0)
    assert (found.hidden_won, found.changes_won) == (0, 0)
    assert found.days == 0


def test_an_attacker_who_learns_one_number_from_elsewhere_finds_more(publisher):
    """The attack has teeth: with the suppressed dropouts known, others follow."""
    rng = np.random.default_rng(5)
    ((clients, _),) = list(in_turn(cohort(150, rng), 1, rng))
    known, page = truth(clients), publisher().publish(clients)
    assert attack([page], []).won == ()
    system = Attack().learn([page])
    for quantity in (q for at, q in system.open if at == 0 and q in known):
        system.unknowns.about((0, quantity), known[quantity], known[quantity])
    widths = [system.unknowns.possible({(0, q): 1})[2] for at, q in system.hidden]
    assert min(widths) < 3


@pytest.mark.slow
@pytest.mark.parametrize(
    ("size", "seed"), [(size, seed) for size, n in zip(SIZES, (8, 8, 4), strict=True) for seed in range(n)]
)
def test_two_hundred_sequences_of_ten_releases_give_nothing_away(publisher, size, seed):
    """Ten sequences at a time: 80 of 60 clients, 80 of 150 and 40 of 1,500."""
    found = attacked(publisher, 10, 10, size, seed=11 + seed)
    print(f"{size} clients, seed {seed}: {found} | {found.gave_up} given up")
    assert (found.n_wrong, found.hidden_won, found.changes_won, found.days) == (0, 0, 0, 0)


def test_an_estimate_with_all_its_digits_tells_on_which_side_the_joiner_lies_and_a_rounded_one_less_often():
    exact = learned(60, None, 8, 60, seed=1)
    rounded = learned(60, 2, 2, 60, seed=1)
    assert exact == 1.0
    assert rounded < 0.8


def test_what_is_known_of_a_step_is_used():
    assert Attack().learn([], []).hidden == []
    assert {move.value for move in Move} == {-1, 0, 1}


def _whole(root, n_clients, length, seed, outcomes, ask_only) -> Outcome:
    """Attack the documents of a study that went through the whole pipeline; the attacker's beliefs are true of it."""
    releases, known, moves = [], [], []
    for documents, facts, move in Clinic(root, n_clients, seed, outcomes, ask_only).releases(length):
        releases.append(documents)
        known.append(facts)
        moves += [move] if move else []
    found = attack(releases, moves, one_course=False)
    assert found.holds(known)
    assert found.gave_up == 0
    return found


def test_the_documents_of_a_whole_study_give_no_suppressed_number_away(tmp_path, outcomes, ask_only):
    found = _whole(tmp_path / "clinic", 90, 2, 1, outcomes, ask_only)
    assert len(found.found) > 10
    assert (found.won, found.exact_days) == ((), 0)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("size", SIZES)
def test_five_releases_of_whole_studies_give_no_suppressed_number_away(tmp_path, outcomes, ask_only, size, seed):
    found = _whole(tmp_path / "clinic", size, 5, seed, outcomes, ask_only)
    print(f"{size} clients, seed {seed}: {len(found.found)} numbers and changes, {len(found.won)} won")
    assert (found.won, found.exact_days) == ((), 0)
