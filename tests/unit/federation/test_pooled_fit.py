"""Three hospitals fit one model; what they send is looked at by somebody who wants to read it."""

from __future__ import annotations

import json
import shutil

import numpy as np
import polars as pl
import pytest
from conftest import FORMULA, SITES, TABLE, finish, publish, sessions, take_turns, together

from outcomes.errors import DataRefused, FormulaError, StudyError, UsageError
from outcomes.federation import site
from outcomes.federation.masks import mask, new_key, public_key, unmask_sum
from outcomes.federation.plan import Plan, read_plan, write_plan
from outcomes.federation.rounds import Question, Standing, answer_path, standing
from outcomes.federation.site import answer
from outcomes.mixed import fit_linear
from outcomes.trust.audit_trail import Event, read_chain

FIRST = Question(1)


@pytest.mark.parametrize("reml", [True, False])
def test_three_hospitals_get_the_fit_of_all_their_rows(tmp_path, hospitals, reml):
    fit = finish(hospitals, tmp_path / "shared", Plan(FORMULA, TABLE, SITES, reml=reml)).fit
    whole = fit_linear(FORMULA, together(sessions), reml=reml)
    np.testing.assert_allclose(fit.beta, whole.beta, atol=1e-8)
    np.testing.assert_allclose(fit.vcov, whole.vcov, atol=1e-8)
    np.testing.assert_allclose(fit.df_denom, whole.df_denom, rtol=1e-5)
    assert fit.llf == pytest.approx(whole.llf, abs=1e-7)
    assert (fit.nobs, fit.n_groups) == (whole.nobs, whole.n_groups)


def test_a_single_message_says_nothing_and_two_say_nothing_without_the_third(tmp_path, hospitals):
    folder, plan = tmp_path / "shared", Plan(FORMULA, TABLE, SITES)
    take_turns(hospitals, folder, plan, 2)
    messages = {name: _masked(folder, plan, name) for name in SITES}
    true = {name: _true_sums(hospitals[name], plan) for name in SITES}
    assert unmask_sum(list(messages.values())) == pytest.approx(sum(true.values()), abs=1e-9)
    for known in ([name] for name in SITES):
        assert not np.isclose(unmask_sum([messages[n] for n in known]), sum(true[n] for n in known), rtol=1e-3).any()
    for left in SITES:
        pair = [name for name in SITES if name != left]
        assert not np.isclose(unmask_sum([messages[n] for n in pair]), sum(true[n] for n in pair), rtol=1e-3).any()
    bits = np.array([[int(b) for b in f"{int(v, 16):0192b}"] for v in messages["east"]])
    assert abs(bits.mean() - 0.5) < 5 * 0.5 / np.sqrt(bits.size)  # as coins would fall


def test_a_joiner_would_be_read_off_two_sums_and_the_second_is_refused(tmp_path, hospitals, monkeypatch):
    plan = Plan(FORMULA, TABLE, SITES)
    take_turns(hospitals, tmp_path / "first", plan, 2)
    joiner = sessions(9, therapists=1, clients=1).with_columns(pl.lit("new").alias("client_id"))
    joiner = joiner.with_columns(pl.format("new-{}", pl.col("session_id")).alias("session_id"))
    grown = publish(tmp_path / "east", pl.concat([sessions(0), joiner]), "bbbbbbbbbbbb")
    later = hospitals | {"east": grown}
    second = Plan(FORMULA + " + directiveness_within:directiveness_client", TABLE, SITES)
    with pytest.raises(DataRefused, match="Fewer than 10 clients differ"):
        take_turns(later, tmp_path / "second", second, 2)
    assert not (tmp_path / "second" / "keys" / "east.json").exists()

    # Without the rule the difference of the two sums is the joiner: the attack is a real one.
    monkeypatch.setattr(site, "refuse_small_change", lambda *_: None)
    monkeypatch.setattr(site, "changed_since", lambda *_: [])
    take_turns(later, tmp_path / "third", second, 2)
    before, after = _pooled_sums(tmp_path / "first", plan), _pooled_sums(tmp_path / "third", second)
    assert after[0] - before[0] == joiner.height


def test_joiners_take_part_once_they_would_be_enough_for_a_site_of_their_own(tmp_path, hospitals):
    plan = Plan(FORMULA, TABLE, SITES)
    take_turns(hospitals, tmp_path / "first", plan, 2)
    second = Plan(FORMULA, TABLE, SITES, reml=False)
    write_plan(tmp_path / "second", second)
    for therapists, release in ((2, "bbbbbbbbbbbb"), (6, "cccccccccccc")):
        new = sessions(9, therapists=therapists, clients=5 if therapists == 2 else 12).with_columns(
            pl.format("new-{}", pl.col(column)).alias(column) for column in ("client_id", "session_id", "therapist_id")
        )
        grown = publish(tmp_path / "east", pl.concat([sessions(0), new]), release)
        if therapists == 2:
            with pytest.raises(DataRefused, match="Among the clients who joined or changed since the plan"):
                answer(grown, tmp_path / "second", "east")
        else:
            answer(grown, tmp_path / "second", "east")
            assert (tmp_path / "second" / "keys" / "east.json").exists()


def test_each_round_stands_in_the_trail_and_is_answered_once(tmp_path, hospitals):
    folder, plan = tmp_path / "shared", Plan(FORMULA, TABLE, SITES)
    take_turns(hospitals, folder, plan, 4)
    facts = [e.facts for e in read_chain(hospitals["north"]).entries if e.event is Event.FEDERATED]
    assert [fact["round"] for fact in facts] == [0, 1, 2, 3]  # joined, the sums, two evaluations
    first = answer_path(folder, FIRST, "north")
    sent = first.read_bytes()
    first.unlink()
    answer(hospitals["north"], folder, "north")
    assert first.read_bytes() == sent
    assert len([e for e in read_chain(hospitals["north"]).entries if e.event is Event.FEDERATED]) == len(facts)


def test_a_release_that_changed_meanwhile_ends_the_plan(tmp_path, hospitals):
    folder, plan = tmp_path / "shared", Plan(FORMULA, TABLE, SITES)
    write_plan(folder, plan)
    answer(hospitals["east"], folder, "east")
    other = publish(tmp_path / "east", sessions(0), "bbbbbbbbbbbb")
    with pytest.raises(StudyError, match="joined the plan with release aaaaaaaaaaaa"):
        answer(other, folder, "east")


def test_a_question_that_the_plan_does_not_ask_is_not_answered(tmp_path, hospitals):
    folder, plan = tmp_path / "shared", Plan(FORMULA, TABLE, SITES)
    take_turns(hospitals, folder, plan, 2)
    question = standing(folder, plan).question
    answer(hospitals["east"], folder, "east")
    path = answer_path(folder, question, "east")
    forged = json.loads(path.read_text())
    forged["at"] = [(50.0).hex() for _ in forged["at"]]
    path.write_text(json.dumps(forged))
    with pytest.raises(StudyError, match="answers another question"):
        answer(hospitals["west"], folder, "west")


def test_other_keys_end_the_plan(tmp_path, hospitals):
    folder, plan = tmp_path / "shared", Plan(FORMULA, TABLE, SITES)
    take_turns(hospitals, folder, plan, 2)
    key = folder / "keys" / "west.json"
    key.write_text(json.dumps(json.loads(key.read_text()) | {"public_key": public_key(new_key())}))
    with pytest.raises(StudyError, match="keys have changed"):
        answer(hospitals["east"], folder, "east")


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (sessions(0, therapists=5, clients=1), "fewer than 10 of client_id"),
        (sessions(0, therapists=4, clients=5), "fewer than 5 of therapist_id"),
    ],
)
def test_a_site_with_few_people_does_not_take_part(tmp_path, frame, says):
    study = publish(tmp_path / "small", frame)
    write_plan(tmp_path / "shared", Plan(FORMULA, TABLE, SITES))
    with pytest.raises(DataRefused, match=says):
        answer(study, tmp_path / "shared", "east")
    assert not (tmp_path / "shared" / "keys").exists()


def test_a_round_that_would_tell_few_clients_apart_is_not_answered(tmp_path, hospitals):
    lone = pl.concat(
        [sessions(0), sessions(7, therapists=1, clients=1).with_columns(pl.lit("long").alias("client_id"))] * 1
    )
    extra = lone.filter(pl.col("client_id") == "long")
    longer = [
        extra.with_columns(pl.format("{}-{}", pl.lit(i), pl.col("session_id")).alias("session_id")) for i in range(5)
    ]
    study = publish(tmp_path / "odd", pl.concat([sessions(0), *longer]))
    folder, plan = tmp_path / "shared", Plan("satisfaction_score ~ 1 + (1 | client_id)", TABLE, SITES)
    with pytest.raises(DataRefused, match=r"(?s)would tell of fewer than 10 clients.*has answered round 1 already"):
        take_turns(hospitals | {"east": study}, folder, plan, 20)


def test_two_sites_unknown_sites_and_foreign_messages_are_refused(tmp_path, hospitals):
    with pytest.raises(UsageError, match="at least 3 sites"):
        Plan(FORMULA, TABLE, ("east", "west"))
    with pytest.raises(UsageError, match="letters, digits"):
        Plan(FORMULA, TABLE, ("../east", "b", "c"))
    folder, plan = tmp_path / "shared", Plan(FORMULA, TABLE, SITES)
    write_plan(folder, plan)
    with pytest.raises(UsageError, match="no site in the plan"):
        answer(hospitals["east"], folder, "south")
    with pytest.raises(UsageError, match="another plan"):
        write_plan(folder, Plan(FORMULA, TABLE, SITES, reml=False))
    with pytest.raises(StudyError, match=r"no plan\.json"):
        read_plan(tmp_path / "nowhere")
    (folder / "plan.json").write_text("{")
    with pytest.raises(StudyError, match="is no plan"):
        read_plan(folder)


def test_one_name_is_joined_by_one_study(tmp_path, hospitals):
    folder = tmp_path / "shared"
    write_plan(folder, Plan(FORMULA, TABLE, SITES))
    answer(hospitals["east"], folder, "east")
    with pytest.raises(UsageError, match="Another study has joined as east"):
        answer(hospitals["west"], folder, "east")


@pytest.mark.parametrize(
    "formula",
    [
        "satisfaction_score ~ I(directiveness_within > 3) + (1 | client_id)",
        "satisfaction_score ~ I(client_id == 'c1-1') + (1 | therapist_id)",
        "satisfaction_score ~ log(directiveness_score) + (1 | client_id)",
        "satisfaction_score ~ I(directiveness_within**20) + (1 | client_id)",
        "satisfaction_score ~ directiveness_within + (1 | session_id)",
        "satisfaction_score ~ directiveness_within + (1 | therapist_id:client_id)",
    ],
)
def test_a_formula_that_could_single_somebody_out_is_refused(formula):
    with pytest.raises(FormulaError):
        Plan(formula, TABLE, SITES)


def test_squares_and_products_are_allowed():
    plan = Plan(
        "satisfaction_score ~ directiveness_within * log_session + I(directiveness_within**2) + (1 | client_id)",
        TABLE,
        SITES,
    )
    assert plan.columns[1] == 1


def test_masks_cancel_for_numbers_of_every_size():
    keys = {name: new_key() for name in SITES}
    publics = {name: public_key(key) for name, key in keys.items()}
    rng = np.random.default_rng(1)
    own = {name: rng.normal(size=50) * 10.0 ** rng.integers(-12, 12, 50) for name in SITES}
    masked = [mask(own[name], keys[name], name, publics, "context") for name in SITES]
    np.testing.assert_allclose(unmask_sum(masked), sum(own.values()), rtol=1e-12, atol=1e-18)


def test_a_plan_folder_that_was_copied_elsewhere_goes_on(tmp_path, hospitals):
    folder, plan = tmp_path / "shared", Plan(FORMULA, TABLE, SITES)
    take_turns(hospitals, folder, plan, 2)
    shutil.copytree(folder, tmp_path / "elsewhere")
    take_turns(hospitals, tmp_path / "elsewhere", plan, 1)
    assert standing(tmp_path / "elsewhere", plan).question.number == 3


def _masked(folder, plan, name):
    return json.loads(answer_path(folder, FIRST, name).read_text())["masked"]


def _pooled_sums(folder, plan):
    return unmask_sum([_masked(folder, plan, name) for name in plan.sites])


def _true_sums(study, plan):
    return site.numbers(study, plan, Standing(question=FIRST))
