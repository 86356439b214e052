"""The checks page says which of the study's questions the data can answer, before anything is fitted."""

import json
import re

import duckdb
import pytest

from outcomes.audit.answerable import answerable, of_sources
from outcomes.audit.runner import audit
from outcomes.study.answerable import Answerable
from outcomes.study.settings import AnalysisName, StudySettings


def told(path) -> dict[str, tuple[str, tuple[str, ...]]]:
    with duckdb.connect(str(path), read_only=True) as con:
        return {one.analysis: (one.answerable, one.lacking) for one in answerable(con)}


def test_a_release_with_everything_answers_all_but_what_was_not_collected(release):
    found = told(release / "outcomes.duckdb")
    assert list(found) == list(AnalysisName)
    assert found["guidance"] == (Answerable.FULLY, ())
    assert found["dropout"] == (Answerable.FULLY, ())


def test_a_column_that_is_empty_as_a_whole_is_not_there(release):
    with duckdb.connect(str(release / "outcomes.duckdb")) as con:
        con.execute("update core_sessions set directiveness_score = null, satisfaction_score = null")
        con.execute("update core_clients set directiveness_preferred_score = null")
    found = told(release / "outcomes.duckdb")
    assert found["guidance"] == (Answerable.NOT, ("directiveness", "satisfaction"))
    assert found["dropout"] == (Answerable.PARTLY, ("directiveness",))
    assert found["contrasts"][0] is Answerable.NOT
    assert found["therapists"] == (Answerable.PARTLY, ("satisfaction",))


def test_courses_that_are_all_open_have_no_endings(release):
    with duckdb.connect(str(release / "outcomes.duckdb")) as con:
        con.execute("update core_episodes set ending = 'open', end_date = null")
    found = told(release / "outcomes.duckdb")
    said = ("no endings are recorded (ending or end)",)
    assert found["dropout"] == found["missing"] == (Answerable.NOT, said)
    assert found["therapists"] == (Answerable.PARTLY, ("ending",))


@pytest.mark.parametrize(("name", "said"), [("iapt", "had a preference"), ("pmhc", "dropout by therapist only")])
def test_what_a_national_data_set_cannot_answer_is_said_whatever_its_columns(name, said):
    source = {"pattern": "*.zip", "format": name}
    settings = StudySettings.model_validate({"study": {"name": "s"}, "sources": {"sessions": source}})
    (sentence,) = of_sources(settings)
    assert said in sentence


def test_the_page_and_its_json_say_it(release, study):
    audit(release, study)
    page = re.sub(r"\s+", " ", (release / "checks.html").read_text(encoding="utf-8"))
    assert "What these data can answer" in page
    assert "How often do clients drop out" in page
    listed = json.loads((release / "checks.json").read_text())["answerable"]
    assert [one["analysis"] for one in listed] == list(AnalysisName)
