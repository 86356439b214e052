"""A study without ratings of guidance or of satisfaction: what can be answered is, the rest is refused in words."""

from __future__ import annotations

from types import SimpleNamespace

import polars as pl
import pytest
from answer_cohorts import SETTINGS, database

from outcomes.answers import run as step
from outcomes.answers.balance import run as balance
from outcomes.answers.dropout import run as dropout
from outcomes.answers.guidance import run as guidance
from outcomes.answers.responsiveness import run as responsiveness
from outcomes.answers.states import AnswerStatus
from outcomes.errors import FitRefused
from outcomes.simulate import CohortParameters
from outcomes.study.settings import AnalysisName
from outcomes.study.tables.questions import CENTRAL_NEEDS

PARAMETERS = CohortParameters(clients=120, therapists=12)
_EMPTY = {
    "directiveness": {
        "core_sessions": ("directiveness_score",),
        "mart_person_session": ("directiveness_score", "directiveness_so_far", "directiveness_change"),
    },
    "satisfaction": {"core_sessions": ("satisfaction_score",), "mart_session_directiveness": ("satisfaction_score",)},
}


@pytest.fixture(scope="module", params=["directiveness", "satisfaction"])
def lacking(request):
    with database(PARAMETERS) as con:
        for table, columns in _EMPTY[request.param].items():
            con.execute(f"update {table} set {', '.join(f'{column} = null' for column in columns)}")
        yield request.param, con


def asked(con, name: AnalysisName):
    analysis = next(one for one in step.ANALYSES if one.name == name)
    return step._asked(con, analysis, SimpleNamespace(settings=SETTINGS))


def test_questions_about_ratings_that_were_not_made_are_refused_in_one_sentence(lacking):
    scale, con = lacking
    for name in (name for name, scales in CENTRAL_NEEDS.items() if scale in scales):
        tables, state = asked(con, name)
        assert (tables, state.status) == ({}, AnswerStatus.REFUSED)
        assert state.reason == f"These data hold no ratings of {scale}, so this question cannot be answered."


def test_without_guidance_dropout_is_still_counted(lacking):
    scale, con = lacking
    if scale != "directiveness":
        pytest.skip("satisfaction plays no part in dropout")
    tables = dropout.run(con, SETTINGS)
    assert (tables[dropout.RATES.name]["status"] == "converged").all()
    assert tables[dropout.RATES.name].filter(pl.col("is_declared"))["estimate"].item() > 0
    assert set(tables[dropout.EFFECTS.name]["status"]) == {"refused"}
    assert set(tables[dropout.EFFECTS.name]["reason"]) == {dropout.NO_GUIDANCE}


@pytest.mark.parametrize("run", [guidance.run, balance.run, responsiveness.run])
def test_guidance_that_never_differs_in_a_client_is_refused_in_plain_words(run):
    with database(PARAMETERS) as con:
        for table in ("core_sessions", "mart_session_directiveness", "mart_person_session"):
            con.execute(
                f"update {table} set directiveness_score = usual from (select client_id as one, "
                f"round(avg(directiveness_score)) as usual from core_sessions group by 1) where client_id = one"
            )
        con.execute("update mart_session_directiveness set directiveness_within = 0")
        with pytest.raises(FitRefused, match="Each client has the same guidance in all sessions"):
            run(con, SETTINGS)
