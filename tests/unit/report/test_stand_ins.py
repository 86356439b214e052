"""A study whose scales measure something else than therapy's, in units of its own: no sentence says what is not so."""

from __future__ import annotations

import dataclasses
import shutil

import pytest
from page_text import visible_text
from planted_answers import refuse_answers
from test_documents import SHORT, sources

from outcomes.languages import speaking
from outcomes.languages.catalogue import read_language
from outcomes.report.findings.all_findings import findings
from outcomes.report.page.html import html
from outcomes.report.page.pdf import pdf
from outcomes.report.reading.reasons import reason_told
from outcomes.report.reading.rows import SAME
from outcomes.report.sections.report_section import Source
from outcomes.report.write import documents
from outcomes.study.tables.delivery import Document

WHAT = "semesters studied, 8 at most"
OF_THERAPY = (
    "gives direction, structure and advice", "In therapy", "tell your therapist", "how satisfying the session was",
)  # fmt: skip
OF_A_MODEL = (
    "The effect of directiveness_within cannot be estimated: it does not vary apart from the model's other columns.",
    "The random column w by client_id does not vary, or its bracket's other columns make it up.",
)


def declared(source: Source, **said: dict[str, str]) -> Source:
    """The same study where the study file says more of its scales."""
    scales = source.settings.scales
    changed = {name: scales[name].model_copy(update=more) for name, more in said.items()}
    return dataclasses.replace(source, settings=source.settings.model_copy(update={"scales": scales | changed}))


@pytest.fixture(scope="module")
def pages(tmp_path_factory, fitted_release, template_study):
    release = shutil.copytree(fitted_release, tmp_path_factory.mktemp("elsewhere") / "release")
    con, source = sources(refuse_answers(release, OF_A_MODEL[1]), template_study)
    other = declared(source, directiveness={"measures": WHAT}, satisfaction={"measures": "marks for a course"})
    yield {page.document: page for page in documents(other)}
    con.close()


@pytest.mark.parametrize("document", [*SHORT, Document.ANNEX])
def test_every_document_says_first_what_its_words_stand_for(pages, document):
    text = visible_text(html(pages[document]))
    said = f"In this study, guidance stands for {WHAT}. In this study, satisfaction stands for marks for a course."
    assert said in text
    assert text.index(said) < text.index("release 0123456789ab")
    assert [words for words in OF_THERAPY if words in text] == []
    assert pdf(pages[document]).startswith(b"%PDF")


def test_where_words_mean_what_they_say_nothing_is_said_of_it(tmp_path, fitted_release, template_study):
    release = shutil.copytree(fitted_release, tmp_path / "release")
    con, source = sources(refuse_answers(release, OF_A_MODEL[1]), template_study)
    same = declared(source, directiveness={"measures": "directiveness"})
    text = " ".join(visible_text(html(page)) for page in documents(same))
    con.close()
    assert "stands for" not in text
    assert [words for words in OF_THERAPY if words not in text] == []


def test_findings_say_the_units_of_the_study_file(fitted_release, template_study):
    con, source = sources(fitted_release, template_study)
    with con:
        made = findings(declared(source, directiveness={"unit": "semesters"}, satisfaction={"unit": "marks"}))
    said = ["".join(map(str, words.pieces)) for one in made for words in (one.sentence, one.easy)]
    assert [text for text in said if "point" in text] == []
    assert any("one step (semesters) more guidance than usual" in text for text in said)
    assert any("marks" in text for text in said)


@pytest.mark.parametrize("document", SHORT)
def test_the_inside_of_a_model_is_for_the_annex(pages, document):
    text = visible_text(html(pages[document]))
    assert "column" not in text
    if document is not Document.EASY:
        assert SAME in text
    assert f"{SAME} In the model's words: The random column" in visible_text(html(pages[Document.ANNEX]))


@pytest.mark.parametrize("reason", [*OF_A_MODEL, " ".join(OF_A_MODEL)])
def test_a_reason_of_a_model_is_told_in_plain_words_in_every_language(reason, template_study):
    assert reason_told(reason) == SAME
    with speaking(read_language("de", template_study.root)):
        assert reason_told(reason).startswith("Was diese Frage vergleicht, unterscheidet sich in diesen Daten kaum")
