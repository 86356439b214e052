"""The verdicts where something else ties guidance to satisfaction: cohorts that the simulator does not make."""

import pytest
from answer_cohorts import SETTINGS
from hostile_worlds import mart, sessions

from outcomes.answers.balance.evidence import between_clients, find_evidence
from outcomes.answers.balance.rows import verdict_clients, verdict_sessions
from outcomes.answers.balance.sessions import apart, beside, judge_sessions
from outcomes.answers.balance.tables import Verdict, VerdictModel
from outcomes.answers.balance.verdict import decide
from outcomes.answers.common.courses import course

RESPONSIVE = {"respond": 0.35, "serial": 0.4}
TREND = {"guidance_trend": -0.25, "satisfaction_trend": 0.12}
SORTED = {"liked": 0.5, "sorted_by": 0.5}
SILENT = {Verdict.NO_EFFECT, Verdict.UNDECIDED}


def judge(seed, effect, **world):
    """The verdict on sessions with its rows, and the verdict between clients."""
    with mart(sessions(seed, effect, **world)) as con:
        rows = verdict_sessions(con, SETTINGS)
        judged = judge_sessions(rows)
        clients = find_evidence(verdict_clients(con, SETTINGS))
    between = between_clients(clients, judged.findings, judged.decision.verdict)
    return rows, judged, decide(between.evidence).verdict


@pytest.mark.parametrize("seed", [1, 2])
def test_therapists_who_respond_to_the_last_session_make_no_effect(seed):
    rows, judged, clients = judge(seed, "no_effect", **RESPONSIVE)
    assert judged.model is VerdictModel.DYNAMIC
    assert judged.decision.verdict in SILENT
    assert clients in SILENT
    other = beside(judged, rows)
    assert other.decision.verdict is Verdict.MONOTONE  # what a model says that does not allow for it
    assert "the link is explained by therapists responding to how the last session went" in other.sentence


def test_therapists_who_respond_add_no_main_effect_to_fit():
    rows, judged, clients = judge(3, "fit", **RESPONSIVE)
    assert judged.decision.verdict is Verdict.FIT
    assert clients in {Verdict.FIT, Verdict.UNDECIDED}
    assert beside(judged, rows).decision.verdict is not Verdict.FIT


@pytest.mark.parametrize("effect", ["monotone", "best_level"])
def test_what_guidance_does_is_found_all_the_same(effect):
    rows, judged, clients = judge(4, effect, **RESPONSIVE)
    assert judged.decision.verdict == effect
    assert clients in {effect, Verdict.UNDECIDED}
    assert "the link is explained" not in beside(judged, rows).sentence  # it is there; only its size differs


@pytest.mark.parametrize("effect", ["no_effect", "fit"])
def test_a_long_stay_does_not_pass_for_guidance(effect):
    _, judged, clients = judge(5, effect, **TREND)
    assert judged.decision.verdict in {effect, Verdict.UNDECIDED}
    assert clients in {effect, Verdict.UNDECIDED}


def test_means_are_adjusted_for_the_sessions_that_they_come_from():
    with mart(sessions(6, "no_effect", clients=2_000, **TREND)) as con:
        rows = verdict_clients(con, SETTINGS).frame
        stay = con.sql("select client_id, count(*) as n from mart_session_directiveness group by client_id").pl()
        raw = con.sql(
            "select corr(d, y) from (select avg(directiveness_score) as d, avg(satisfaction_score) as y "
            "from mart_session_directiveness group by client_id)"
        ).fetchall()[0][0]
        slopes = course(con.sql("select *, directiveness_score as d from mart_session_directiveness").pl(), "d")
    together = rows.join(stay, on="client_id").to_pandas()
    assert raw < -0.1
    assert abs(together["y"].corr(together["n"])) < 0.05
    assert abs(together["d"].corr(together["n"])) < 0.05
    assert slopes.per_session + slopes.per_log / 8 == pytest.approx(-0.25, abs=0.02)  # slope at session 8


def test_what_differs_between_therapists_is_said_apart_and_is_no_main_effect():
    _, judged, _ = judge(7, "fit", **SORTED)
    assert judged.decision.verdict is Verdict.FIT
    assert "Therapists who guide more have more satisfied clients" in apart(judged)


def test_therapists_who_are_not_liked_for_guiding_are_not_told_apart():
    _, judged, _ = judge(8, "fit")
    assert apart(judged) == ""


def test_short_series_rest_on_the_mixed_model_and_say_so():
    rows, judged, _ = judge(9, "monotone", longest=3)
    assert judged.model is VerdictModel.MIXED
    assert judged.decision.verdict is Verdict.MONOTONE
    assert "Only 0 clients have 4 or more rated sessions" in judged.refusal
    assert beside(judged, rows) is None
    assert apart(judged) == ""
