"""A study that cannot answer gets refusals in plain words through the whole refresh, and no number of any model."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from outcomes.answers.run import ANSWER_TABLES
from outcomes.report.documents.annex import SECTIONS
from outcomes.simulate import simulate_study
from outcomes.study import create_study
from outcomes.study.settings import AnalysisName

from .test_refresh import rows

ANSWERS = ("short", "risks", "effects", "balance", "connection", "therapists")
WITHOUT_ESTIMATES = {"words", "flow", "changes", "quality", "origin", "certainty"}
"""Sections that hold counts and words only."""
ASKED = [section.name for section in SECTIONS if section.name != "seal"]
"""All sections but the one that speaks only where outcomes are withheld."""


class _Sections(HTMLParser):
    """Visible text by section, pictures and their labels too."""

    def __init__(self) -> None:
        super().__init__()
        self.text: dict[str, str] = {}
        self.pictures = 0
        self._name = ""

    def handle_starttag(self, tag, attrs):
        self.pictures += tag == "svg"
        if tag == "section":
            self._name = dict(attrs)["id"]
            self.text[self._name] = ""

    def handle_endtag(self, tag):
        if tag == "section":
            self._name = ""

    def handle_data(self, data):
        if self._name:
            self.text[self._name] += f" {data}"


def _report(study) -> _Sections:
    page = _Sections()
    page.feed((study.current / "annex.html").read_text(encoding="utf-8"))
    return page


@pytest.mark.parametrize(
    ("clients", "therapists", "why"),
    [(150, 6, "too few therapists"), (40, 12, "too few clients")],
    ids=["6 therapists", "40 clients"],
)
def test_too_few_get_words_and_no_estimate_through_the_whole_refresh(outcomes, tmp_path, clients, therapists, why):
    study = create_study(tmp_path / "study")
    simulate_study(study.root, clients=clients, therapists=therapists, seed=1)
    run = outcomes("refresh", study.root)
    assert run.returncode == 0, run.stdout + run.stderr
    page = _report(study)
    for name in ANSWERS:
        text = page.text[name]
        assert why in text, name
        # The one number is the least that a verdict needs.
        assert not re.search(r"\d", text.replace("at least 100 with complete ratings", "")), name
    assert "✓" not in "".join(page.text[name] for name in page.text if name != "words")
    assert not page.pictures
    assert "calculation complete" not in page.text["methods"]
    assert page.text["methods"].count("not calculated") == 3
    assert rows(study, "select count(*) from model_estimates where estimate is not null") == [(0,)]
    states = "select distinct status from answer_states where analysis not in ('recovery', 'certainty')"
    assert rows(study, states) == [("refused",)]
    assert rows(study, "select distinct status, answer from recovery_cards") == [("refused", "cannot answer")]
    assert "can answer none" in page.text["recovery"]
    assert "were simulated" not in page.text["recovery"]


def test_a_study_that_can_answer_gets_every_answer_and_every_section_of_the_report(outcomes, tmp_path):
    study = create_study(tmp_path / "study")
    path = study.root / "study.toml"
    declared = path.read_text(encoding="utf-8")
    assert "cohorts = 20 " in declared
    path.write_text(declared.replace("cohorts = 20 ", "cohorts = 3 "), encoding="utf-8")
    simulate_study(study.root, clients=300, therapists=24, seed=1)
    run = outcomes("refresh", study.root)
    assert run.returncode == 0, run.stdout + run.stderr
    assert dict(rows(study, "select analysis, status from answer_states")) == dict.fromkeys(AnalysisName, "answered")
    empty = [name for name in ANSWER_TABLES if not rows(study, f"select count(*) from {name}")[0][0]]
    assert empty == []
    page = _report(study)
    assert list(page.text) == ASKED
    for name in ASKED:
        if name != "contrasts":  # 300 clients have too few dropouts for risks by distance; satisfaction is answered
            assert "cannot answer this" not in page.text[name], name
        assert "was not asked" not in page.text[name], name
    with_estimates = {name for name in ASKED if re.search(r"to [−+]?\d[\d.]*%?\) ✓", page.text[name])}
    assert set(ASKED) - with_estimates == WITHOUT_ESTIMATES
    assert page.pictures >= 6
    assert "Satisfaction, session by session." in " ".join(page.text["short"].split())
