"""Three clinics fit one model of a yes or no; what a site refuses to say of it."""

from __future__ import annotations

import json
from dataclasses import replace
from threading import Timer

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from conftest import COURSES, DROPOUT, SITES, courses, finish, publish, take_turns, together
from filelock import FileLock

from outcomes.cli import main
from outcomes.errors import DataRefused, FitRefused, FormulaError, StudyError, UsageError
from outcomes.federation import binomial, site
from outcomes.federation.masks import new_key, public_key, unmask_sum
from outcomes.federation.plan import Plan, read_plan, write_plan
from outcomes.federation.result import write_result
from outcomes.federation.rounds import Question, Standing, answer_path, standing
from outcomes.federation.site import answer
from outcomes.mixed import fit_binomial
from outcomes.mixed.binomial.shares import Asked
from outcomes.trust.audit_trail import Event, read_chain

TABLE = "mart_person_session"
TWO_TERMS = DROPOUT + " + (1 | client_id)"
PLAN = Plan(DROPOUT, TABLE, SITES, link="logit")


def _close(ours, theirs, size: float) -> None:
    np.testing.assert_allclose(ours, theirs, rtol=size, atol=size * np.abs(theirs).max())


def _apart(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Largest difference of two covariances' entries, each by the product of its standard errors."""
    errors = np.sqrt(np.diag(theirs))
    return float(np.max(np.abs(ours - theirs) / np.outer(errors, errors)))


@pytest.mark.parametrize(
    ("formula", "link"), [(DROPOUT, "logit"), (TWO_TERMS, "logit"), (DROPOUT, "cloglog"), (TWO_TERMS, "cloglog")]
)
def test_three_clinics_get_the_fit_of_all_their_rows(tmp_path, clinics, monkeypatch, formula, link):
    if formula is TWO_TERMS:  # these clinics would not answer: the sums must be right all the same
        monkeypatch.setattr(binomial, "_refuse_told", lambda *_, **__: None)
    plan = replace(PLAN, formula=formula, link=link)
    where = finish(clinics, tmp_path / "shared", plan)
    whole = fit_binomial(formula, together(courses), link=link)
    _close(where.fit.beta, whole.beta, 1e-8)
    assert where.fit.llf == pytest.approx(whole.llf, rel=1e-8)
    for ours, theirs in zip(where.fit.variances, whole.variances, strict=True):
        assert ours.group == theirs.group
        _close(ours.cov, theirs.cov, 1e-8)
    assert _apart(where.fit.vcov, whole.vcov) < 1e-8
    assert _apart(where.fit.engine_state.covariance, whole.engine_state.covariance) < 1e-8
    assert (where.fit.nobs, where.fit.n_groups, where.fit.status) == (whole.nobs, whole.n_groups, whole.status)
    assert 1 + len(where.asked) < 20  # rounds
    path = write_result(tmp_path / "shared", plan, where.fit)
    assert json.loads(path.read_text())["link"] == link
    assert ("odds_ratio" if link == "logit" else "hazard_ratio") in json.loads(path.read_text())["fixed"][0]
    facts = [entry.facts for entry in read_chain(clinics["west"]).entries if entry.event is Event.FEDERATED]
    assert [fact["round"] for fact in facts] == list(range(2 + len(where.asked)))  # joined, and each answer
    sent = json.loads(answer_path(tmp_path / "shared", Question(3), "west").read_text())
    assert "answer_sha256" in facts[3]
    assert sent["asked"] == Asked.INFORMATION


def test_a_message_alone_is_uniform_and_two_say_nothing_without_the_third(tmp_path, clinics):
    folder = tmp_path / "shared"
    take_turns(clinics, folder, PLAN, 3)
    where = standing(folder, PLAN)
    for question in (Question(1), Question(2)):
        messages = {name: json.loads(answer_path(folder, question, name).read_text())["masked"] for name in SITES}
        known = Standing() if question.number == 1 else Standing(sums=where.sums, asked=where.asked[:1])
        true = {name: site.numbers(clinics[name], PLAN, known) for name in SITES}
        assert unmask_sum(list(messages.values())) == pytest.approx(sum(true.values()), rel=1e-12, abs=1e-9)
        for left in SITES:
            pair = [name for name in SITES if name != left]
            assert not np.isclose(unmask_sum([messages[n] for n in pair]), sum(true[n] for n in pair), rtol=1e-3).any()
            bits = np.array([[int(b) for b in f"{int(v, 16):0192b}"] for v in messages[left]])
            assert abs(bits.mean() - 0.5) < 5 * 0.5 / np.sqrt(bits.size)  # as coins would fall


def test_the_same_question_has_the_same_answer_whatever_was_asked_before(tmp_path, clinics):
    folder = tmp_path / "shared"
    take_turns(clinics, folder, PLAN, 9)
    where = standing(folder, PLAN)
    assert where.asked[-1][0] == Asked.HESSIAN
    alone = replace(where, asked=where.asked[-1:])
    np.testing.assert_array_equal(
        site.numbers(clinics["east"], PLAN, where), site.numbers(clinics["east"], PLAN, alone)
    )


def test_a_point_without_a_likelihood_is_told_in_a_number_and_ends_in_words(tmp_path, clinics, monkeypatch):
    take_turns(clinics, tmp_path / "shared", PLAN, 2)
    sums = standing(tmp_path / "shared", PLAN).sums

    def nowhere(asked, at):
        size = {"information": 0.0, "deviance": 1e30, "hessian": 1e30}[asked]
        rest = 0 if asked == "deviance" else at.size * (at.size + 1) // 2
        return np.concatenate([[size], np.zeros(at.size), np.eye(at.size)[np.triu_indices(at.size)][:rest]])

    with pytest.raises(FitRefused, match="could not be evaluated"):
        binomial.fit(PLAN, sums, nowhere)


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (courses(0, therapists=5, clients=1), "fewer than 10 of client_id"),
        (courses(0, therapists=4, clients=40), "fewer than 5 of therapist_id"),
    ],
)
def test_a_site_with_few_people_does_not_take_part(tmp_path, frame, says):
    _refused_at_the_door(tmp_path, frame, PLAN, says)


def _refused_at_the_door(tmp_path, frame, plan, says):
    study = publish(tmp_path / "small", frame, tables=COURSES)
    write_plan(tmp_path / "shared", plan)
    with pytest.raises(DataRefused, match=says):
        answer(study, tmp_path / "shared", "east")
    assert not (tmp_path / "shared" / "keys").exists()


def _event_of(clients: pl.Series | list[str]) -> pl.DataFrame:
    """Courses in which these clients drop out at their last session, and nobody else."""
    last = pl.col("session_id") == pl.col("session_id").last().over("client_id")
    return courses(0).with_columns((pl.col("client_id").is_in(clients) & last).cast(pl.Int64).alias("is_dropout"))


def test_a_site_where_few_have_the_event_or_few_have_it_not_does_not_take_part(tmp_path):
    everybody = courses(0)["client_id"].unique(maintain_order=True)
    _refused_at_the_door(tmp_path / "few", _event_of(everybody[:9]), PLAN, "Fewer than 10 clients have the event")
    _refused_at_the_door(tmp_path / "many", _event_of(everybody[9:]), PLAN, "or have it not")
    write_plan(tmp_path / "shared", PLAN)
    answer(publish(tmp_path / "none", _event_of(everybody[:0]), tables=COURSES), tmp_path / "shared", "east")
    # Ten may take part as far as this rule goes; but of what varies within clients nine of these ten hold nearly all.
    by_client = replace(PLAN, formula=TWO_TERMS)
    _refused_at_the_door(tmp_path / "ten", _event_of(everybody[:10]), by_client, "told of the outcome within levels of")


GENDER = Plan(
    "is_last ~ directiveness_score + gender + (1 | client_id) + (1 | therapist_id)",
    "mart_sessions",
    SITES,
    levels={"gender": ["female", "male"]},
    link="logit",
)


def _gender(others: int, events: int) -> pl.DataFrame:
    """Courses in which so many clients are male, so many of them with the event."""
    frame = courses(0).with_columns(directiveness_score=pl.col("directiveness_so_far"))
    people = frame["client_id"].unique(maintain_order=True)
    men = people[:others]
    frame = frame.with_columns(
        pl.when(pl.col("client_id").is_in(men)).then(pl.lit("male")).otherwise(pl.lit("female")).alias("gender")
    )
    spared = pl.col("client_id").is_in(men[events:])
    return frame.with_columns((pl.col("is_last") & ~spared).alias("is_last"))


def test_a_category_with_few_clients_or_with_few_events_is_refused(tmp_path):
    _refused_at_the_door(tmp_path / "a", _gender(9, 9), GENDER, "A category of gender has fewer than 10 clients")
    _refused_at_the_door(tmp_path / "b", _gender(60, 4), GENDER, "Fewer than 10 clients of a category of gender have")


@pytest.mark.parametrize(
    "formula",
    [
        "is_dropout ~ I(log_session > 1) + (1 | client_id)",
        "is_dropout ~ log(attended_number) + (1 | client_id)",
        "is_dropout ~ offset(log_session) + (1 | client_id)",
        "cbind(is_dropout, attended_number) ~ log_session + (1 | client_id)",
        "is_dropout ~ log_session + (1 | session_id)",
    ],
)
def test_a_formula_that_could_single_somebody_out_is_refused(formula):
    with pytest.raises(FormulaError):
        Plan(formula, TABLE, SITES, link="logit")


def test_what_a_binomial_plan_cannot_be_is_said_when_it_is_planned():
    with pytest.raises(UsageError, match="at least 3 sites"):
        replace(PLAN, sites=("east", "west"))
    with pytest.raises(UsageError, match="random intercepts only"):
        replace(PLAN, formula="is_dropout ~ log_session + (1 + log_session | client_id)")
    with pytest.raises(UsageError, match="link 'log' is not available"):
        replace(PLAN, link="log")
    with pytest.raises(UsageError, match="has no attended_number"):
        Plan("n_attended ~ 1 + (1 | client_id)", "mart_episodes", SITES, up_to=3)


def test_an_outcome_of_more_than_yes_and_no_is_refused(tmp_path, clinics):
    plan = replace(PLAN, formula="attended_number ~ log_session + (1 | client_id)")
    with pytest.raises(FitRefused, match="not a number of events"):
        take_turns(clinics, tmp_path / "shared", plan, 2)


def test_a_joiner_would_be_read_off_two_plans_and_the_second_is_refused(tmp_path, clinics, monkeypatch):
    take_turns(clinics, tmp_path / "first", PLAN, 2)
    grown = pl.concat([courses(0), _newcomers(1)])
    later = clinics | {"east": publish(tmp_path / "east", grown, "bbbbbbbbbbbb", COURSES)}
    second = replace(PLAN, formula=DROPOUT.replace("log_session +", "log_session * directiveness_so_far +"))
    with pytest.raises(DataRefused, match="Fewer than 10 clients differ"):
        take_turns(later, tmp_path / "second", second, 2)
    assert not (tmp_path / "second" / "keys" / "east.json").exists()

    # Without the rule the difference of the two sums says whether the joiner left: the attack is a real one.
    monkeypatch.setattr(site, "refuse_small_change", lambda *_: None)
    monkeypatch.setattr(site, "changed_since", lambda *_: [])
    take_turns(later, tmp_path / "third", second, 2)
    before, after = (standing(tmp_path / folder, plan).sums for folder, plan in (("first", PLAN), ("third", second)))
    assert after.n_rows - before.n_rows == _newcomers(1).height
    assert after.events - before.events == _newcomers(1)["is_dropout"].sum()


def _newcomers(n: int) -> pl.DataFrame:
    return courses(9, therapists=1, clients=n).with_columns(
        pl.format("new-{}", pl.col(column)).alias(column) for column in ("session_id", "client_id")
    )


def test_a_site_whose_few_would_be_told_by_the_rounds_does_not_answer(tmp_path, clinics):
    numbers = pl.Series("attended_number", range(1, 20), dtype=pl.Int64)
    extra = _newcomers(1).head(1).drop("attended_number").join(numbers.to_frame(), how="cross")
    extra = extra.with_columns(
        pl.format("long-{}", "attended_number").alias("session_id"),
        pl.col("attended_number").log().alias("log_session"),
        pl.lit(0, pl.Int64).alias("is_dropout"),
    ).select(courses(0).columns)
    odd, same = (publish(tmp_path / name, pl.concat([courses(0), extra]), tables=COURSES) for name in ("odd", "same"))
    plan = replace(PLAN, formula="is_dropout ~ directiveness_so_far + (1 | client_id)")
    with pytest.raises(DataRefused, match="would tell of fewer than 10 clients"):
        take_turns(clinics | {"east": odd}, tmp_path / "shared", plan, 20)
    shorter = replace(plan, up_to=5)
    cut = {site: publish(tmp_path / f"{site}-cut", courses(seed), tables=COURSES) for seed, site in enumerate(SITES)}
    take_turns(cut | {"east": same}, tmp_path / "shorter", shorter, 6)
    assert standing(tmp_path / "shorter", shorter).question.number == 6


def test_plans_that_leave_out_a_few_clients_more_are_refused(tmp_path, clinics):
    frame = courses(0)
    few = frame["client_id"].unique(maintain_order=True)[:4]
    blank = pl.when(pl.col("client_id").is_in(few)).then(None).otherwise(pl.col("log_session"))
    study = publish(tmp_path / "odd", frame.with_columns(satisfaction_so_far=blank), tables=COURSES)
    for folder, plan in (("first", PLAN), ("again", replace(PLAN, link="cloglog"))):
        take_turns(clinics | {"east": study}, tmp_path / folder, plan, 2)
    write_plan(tmp_path / "less", replace(PLAN, formula=DROPOUT.replace("log_session", "satisfaction_so_far")))
    with pytest.raises(DataRefused, match="Other rows of mart_person_session took part"):
        answer(study, tmp_path / "less", "east")


def test_therapists_of_few_clients_stand_for_these_where_clients_have_no_term(tmp_path, clinics):
    plan = replace(PLAN, formula="is_dropout ~ log_session + (1 | therapist_id)")
    few = publish(tmp_path / "few", courses(4, therapists=20, clients=9), tables=COURSES)
    with pytest.raises(DataRefused, match="would tell of fewer than 10 clients"):
        take_turns(clinics | {"east": few}, tmp_path / "few-shared", plan, 20)
    take_turns(clinics, tmp_path / "shared", plan, 4)
    assert standing(tmp_path / "shared", plan).question.number == 4


def test_a_release_that_changed_and_keys_that_changed_end_the_plan(tmp_path, clinics):
    folder = tmp_path / "shared"
    take_turns(clinics, folder, PLAN, 2)
    key = folder / "keys" / "west.json"
    content = key.read_text()
    key.write_text(json.dumps(json.loads(content) | {"public_key": public_key(new_key())}))
    with pytest.raises(StudyError, match="keys have changed"):
        answer(clinics["east"], folder, "east")
    key.write_text(content)
    other = publish(tmp_path / "east", courses(0), "bbbbbbbbbbbb", COURSES)
    with pytest.raises(StudyError, match="joined the plan with release aaaaaaaaaaaa"):
        answer(other, folder, "east")


@pytest.mark.parametrize("forged", [{"at": [(5.0).hex()] * 3}, {"asked": "hessian"}, {"at": []}])
def test_a_question_that_does_not_follow_is_not_answered(tmp_path, clinics, forged):
    folder = tmp_path / "shared"
    take_turns(clinics, folder, PLAN, 2)
    answer(clinics["east"], folder, "east")
    path = answer_path(folder, Question(2), "east")
    path.write_text(json.dumps(json.loads(path.read_text()) | forged))
    with pytest.raises(StudyError, match="answers another question"):
        answer(clinics["west"], folder, "west")


def test_a_plan_is_read_as_it_was_written(tmp_path):
    write_plan(tmp_path, replace(PLAN, link="cloglog", up_to=7))
    assert read_plan(tmp_path) == replace(PLAN, link="cloglog", up_to=7)


def test_a_client_takes_part_with_the_first_sessions_only(tmp_path):
    frame = courses(0).with_columns(is_dropout=pl.lit(0, pl.Int64), is_last=pl.lit(value=False))
    study = publish(tmp_path / "east", frame, tables=COURSES)
    plan = replace(PLAN, up_to=2)
    n_rows = site.numbers(study, plan, Standing())[0]
    assert n_rows == frame.filter(pl.col("attended_number") <= 2).height


def test_the_first_sessions_are_those_booked_first_whether_attended_or_missed(tmp_path):
    frame = courses(0).rename({"attended_number": "session_number"}).with_columns(satisfaction_score=pl.lit(5.0))
    is_missed = pl.col("session_number") == 2
    attended = pl.when(~is_missed).then(pl.col("session_number") - (pl.col("session_number") > 2))
    frame = frame.with_columns(attended_number=attended, is_attended=~is_missed)
    plan = Plan("is_attended ~ 1 + (1 | therapist_id)", "core_sessions", SITES, link="logit", up_to=2)
    expected = frame.filter(pl.col("session_number") <= 2)
    for name, order in (("east", frame), ("north", frame.sample(fraction=1.0, shuffle=True, seed=1))):
        found = site.numbers(publish(tmp_path / name, order, tables=()), plan, Standing())
        assert found[0] == expected.height
        assert expected["is_attended"].sum() in found


def test_sessions_of_equal_number_are_taken_by_their_id(tmp_path):
    frame = courses(0).with_columns(attended_number=pl.lit(1, pl.Int64))
    plan = replace(PLAN, up_to=2)
    events = frame.sort("session_id").group_by("client_id").head(2)["is_dropout"].sum()
    for name, order in (("east", frame), ("north", frame.reverse())):
        assert events in site.numbers(publish(tmp_path / name, order, tables=COURSES), plan, Standing())


def test_waiting_for_an_answer_waits_for_another_run_too(tmp_path, clinics):
    write_plan(tmp_path / "shared", PLAN)
    own = ["federate", "answer", str(clinics["east"].root), str(tmp_path / "shared"), "--as", "east"]
    other = FileLock(clinics["east"].lock, thread_local=False)
    other.acquire()
    assert CliRunner().invoke(main, own).exit_code != 0
    later = Timer(1.0, other.release)
    later.start()
    done = CliRunner().invoke(main, [*own, "--wait", "4"])
    later.join()
    assert done.exit_code == 0, done.output
    assert (tmp_path / "shared" / "keys" / "east.json").exists()


def _plan(folder, *options):
    sites = [part for name in SITES for part in ("--site", name)]
    return CliRunner().invoke(main, ["federate", "plan", str(folder), "--table", TABLE, *sites, *options])


def test_the_command_line_plans_a_yes_or_no(tmp_path):
    done = _plan(tmp_path / "a", "--family", "binomial", "--up-to", "3", "--formula", DROPOUT)
    assert done.exit_code == 0, done.output
    assert read_plan(tmp_path / "a") == replace(PLAN, up_to=3)
    _plan(tmp_path / "b", "--family", "binomial", "--link", "cloglog", "--formula", DROPOUT)
    assert read_plan(tmp_path / "b").link == "cloglog"
    for options, says in (
        (("--link", "logit"), "A linear model has no --link"),
        (("--family", "binomial", "--ml"), "fitted by maximum likelihood always"),
    ):
        refused = _plan(tmp_path / "c", "--formula", DROPOUT, *options)
        assert refused.exit_code != 0
        assert says in refused.output
    assert "--family [linear|binomial]" in CliRunner().invoke(main, ["federate", "plan", "--help"]).output
