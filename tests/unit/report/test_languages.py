"""Documents in another language: every sentence through the catalogue, the same numbers, as short as in English."""

from __future__ import annotations

import re
import shutil
import string
from collections import Counter

import duckdb
import pypdf
import pytest
from page_text import visible_text
from planted_answers import refuse_answers
from reading_ease import n_words
from synthetic_release import make_study
from test_documents import sources

from outcomes.answers.common.words import Certainty
from outcomes.errors import StudyError, UsageError
from outcomes.languages import ENGLISH, FOLDER, Language, decimal, percent, read_language, speaking, spoken
from outcomes.languages.catalogue import COMPLETE, known
from outcomes.languages.extract import catalogue, messages
from outcomes.release.identity import candidate_id
from outcomes.report.findings.wording import Size, Subject, headline
from outcomes.report.page.html import html
from outcomes.report.reading.reasons import reason_told
from outcomes.report.write import documents, write_report
from outcomes.study.tables.delivery import Document

GERMAN = read_language("de")
SHORT = (Document.BRIEF, Document.EASY, Document.REPORT)
LIMITS = {Document.BRIEF: (350, 1), Document.EASY: (350, 1), Document.REPORT: (1800, 5)}
_PLACES = re.compile(r"(\{\w+\})")
_WIDE = str.maketrans({letter: chr(ord(letter) + 0xFEE0) for letter in string.ascii_letters})
_NUMBER = re.compile(r"[+−]?\d+(?:[.,]\d+)*")


def wide(message: str) -> str:
    """A message whose letters are all of another alphabet: what did not come through the catalogue stands out."""
    return "".join(part if i % 2 else part.translate(_WIDE) for i, part in enumerate(_PLACES.split(message)))


PSEUDO = Language("de", {message: wide(message) for message in GERMAN.messages})


def in_german(folder):
    return make_study(folder, {"[report]\n": '[report]\nlanguage = "de"\n'})


@pytest.fixture(scope="module")
def german(fitted_release, tmp_path_factory):
    """The release of the tests, its documents written in German."""
    study = in_german(tmp_path_factory.mktemp("german") / "study")
    folder = shutil.copytree(fitted_release, tmp_path_factory.mktemp("german") / "release")
    write_report(folder, study)
    return folder


@pytest.fixture
def release(tmp_path, fitted_release):
    return shutil.copytree(fitted_release, tmp_path / "release")


def pages_in(language, folder, study):
    con, source = sources(folder, study)
    with speaking(language):
        made = {page.document: html(page) for page in documents(source) if page.document is not Document.ANNEX}
    con.close()
    return made


def foreign(page: str, *own: str) -> list[str]:
    """Words of a page that no catalogue gave it, without the study's own."""
    text = visible_text(page)
    for word in own:
        text = text.replace(word, "")
    return re.findall(r"[A-Za-z]\w*", text)


OWN = ("Practice outcomes", "0123456789ab", "Juni")


def test_every_message_of_the_sources_is_said_in_german_and_no_other():
    assert COMPLETE in known()
    assert set(GERMAN.messages) == {message.id for message in catalogue("de") if message.id}


def test_marked_calls_inside_each_other_are_found():
    source = 'say("a {b}" " c", b=Strong(spoken("d")))\nX = {1: later("e")}\nsay(template, b=1)\nother("f")'
    assert set(messages(source)) == {"a {b} c", "d", "e"}


def test_every_word_of_brief_and_report_comes_through_the_catalogue(fitted_release, template_study):
    pages = pages_in(PSEUDO, fitted_release, template_study)
    assert set(pages) == set(SHORT)
    for document, page in pages.items():
        assert foreign(page, *OWN) == [], document


def test_a_word_that_is_not_in_the_catalogue_would_be_seen():
    assert foreign(f"<p>{wide('Certainty')}: low</p>") == ["low"]


REFUSALS = (
    "There are too few clients for a verdict on guidance: at least 100 with complete ratings are needed.",
    "No endings are recorded in these data, so nothing can be said about dropout.",
    "Outcomes are withheld until the specification is sealed with `outcomes seal`.",
    "These data hold no ratings of directiveness and of satisfaction, so this question cannot be answered.",
    "No session has both a rating of guidance and satisfaction.",
    "Something that nobody knew of went wrong with intake_severity_score.",
)


@pytest.mark.parametrize("reason", REFUSALS)
def test_refusals_come_through_the_catalogue_too(release, template_study, reason):
    refuse_answers(release, reason)
    with duckdb.connect(str(release / "outcomes.duckdb")) as con:
        con.execute(
            "create or replace table seal as select 'withheld' as status, "
            "'Outcomes are withheld until the specification is sealed.' as sentence"
        )
    for document, page in pages_in(PSEUDO, release, template_study).items():
        assert foreign(page, *OWN) == [], document


def test_a_reason_is_said_in_its_words_where_they_are_known_and_in_general_ones_else():
    with speaking(GERMAN):
        assert reason_told(REFUSALS[0]).startswith("Für ein Urteil über Anleitung")
        assert "100" in reason_told(REFUSALS[0])
        assert "Anleitung und Zufriedenheit" in reason_told(REFUSALS[3])
        assert reason_told("The study file leaves it out.") == "Die Studie lässt es aus."
        assert reason_told(REFUSALS[-1]) == "Diese Daten beantworten diese Frage nicht; der Grund steht im Anhang."
    assert "severity at intake" in reason_told(REFUSALS[-1])


@pytest.fixture(scope="module")
def english(fitted_release, template_study):
    return pages_in(ENGLISH, fitted_release, template_study)


def _numbers(page: str, language: Language) -> Counter[str]:
    with speaking(language):
        point, apart = decimal("0.5")[1], {".": ",", ",": "."}[decimal("0.5")[1]]
    found = _NUMBER.findall(visible_text(page).replace("0123456789ab", ""))
    return Counter(one.rstrip(".,").replace(apart, "").replace(point, ".") for one in found)


@pytest.mark.parametrize("document", SHORT)
def test_german_says_the_same_numbers_as_english(german, english, document):
    """Those of the English documents are traced to their tables by `test_documents`."""
    said = (german / document.files[0]).read_text(encoding="utf-8")
    assert _numbers(said, GERMAN) == _numbers(english[document], ENGLISH)
    assert sum(_numbers(said, GERMAN).values()) > 10


@pytest.mark.parametrize("document", SHORT)
def test_german_documents_are_as_short(german, document):
    most_words, most_pages = LIMITS[document]
    assert n_words((german / document.files[0]).read_text(encoding="utf-8")) <= most_words
    assert len(pypdf.PdfReader(german / document.files[1]).pages) <= most_pages


def test_pages_and_pdfs_say_their_language_and_the_annex_says_first_that_it_is_english(german):
    for document in SHORT:
        assert '<html lang="de">' in (german / document.files[0]).read_text(encoding="utf-8")
        assert b"/Lang(de)" in (german / document.files[1]).read_bytes()
    annex = (german / "annex.html").read_text(encoding="utf-8")
    assert '<html lang="en">' in annex
    assert visible_text(annex[annex.index("<header>") :]).startswith("Dieser Anhang ist auf Englisch.")
    assert '<p class="note" lang="de">Dieser Anhang' in annex
    assert b"/Lang(en)" in (german / "annex.pdf").read_bytes()
    assert "Dieser Anhang" in pypdf.PdfReader(german / "annex.pdf").pages[0].extract_text()


def test_an_english_annex_needs_no_such_line(fitted_release, template_study):
    con, source = sources(fitted_release, template_study)
    (annex, *_) = documents(source)
    con.close()
    assert annex.notice is None
    assert annex.language == "en"


SPEC = """
    certainty | size    | said
    high      | more    | Abstand geht mit mehr Abbrüchen einher
    moderate  | less    | Abstand geht wahrscheinlich mit weniger Abbrüchen einher
    low       | more    | Abstand geht möglicherweise mit mehr Abbrüchen einher
    high      | little  | Abstand macht für Abbrüche kaum oder keinen Unterschied
    moderate  | little  | Abstand macht für Abbrüche wahrscheinlich kaum oder keinen Unterschied
    low       | little  | Abstand macht für Abbrüche möglicherweise kaum oder keinen Unterschied
    moderate  | unclear | Ob Abstand und Abbrüche zusammenhängen, lässt sich nicht sagen
    very low  | more    | Ob Abstand und Abbrüche zusammenhängen, lässt sich nicht sagen
"""


@pytest.mark.parametrize("line", SPEC.strip().splitlines()[1:])
def test_german_verbs_follow_from_certainty_and_size(line):
    sure, found, said = (cell.strip() for cell in line.split("|"))
    with speaking(GERMAN):
        about = Subject("Abstand", "Abstand", spoken("dropout"), spoken("more dropout"), spoken("less dropout"))
        assert headline(Certainty(sure), Size(found), about) == said


def test_numbers_are_written_as_readers_write_them():
    with speaking(GERMAN):
        assert (decimal("-0.50"), percent("12"), percent("1.5")) == ("−0,50", "12\N{NO-BREAK SPACE}%", "1,5\xa0%")
    assert (decimal("-0.50"), percent("12")) == ("−0.50", "12%")


def _own(root, text: str, code: str = "nl") -> None:
    (root / FOLDER).mkdir(parents=True, exist_ok=True)
    (root / FOLDER / f"{code}.po").write_text(text, encoding="utf-8")


def _dutch(**changes: str) -> str:
    """A catalogue of a hospital's own: German words do, with some of them changed."""
    head = 'msgid ""\nmsgstr ""\n"Language: nl\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'
    said = dict(GERMAN.messages) | changes
    return head + "".join(f"msgid {_quoted(one)}\nmsgstr {_quoted(to)}\n\n" for one, to in said.items())


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def test_a_hospital_adds_a_language_by_one_file(tmp_path):
    _own(tmp_path / "study", _dutch(Report="Verslag"))
    study = make_study(tmp_path / "study", {"[report]\n": '[report]\nlanguage = "nl"\n'})
    with speaking(read_language(study.settings.report.language, study.root)):
        assert spoken("Report") == "Verslag"
        assert decimal("1.5") == "1,5"
    before = candidate_id(study)
    _own(study.root, _dutch(Report="Rapport"))
    assert candidate_id(study) != before, "other sentences are another release"


BAD = {
    "lacks 1 of": _dutch(Report=""),
    "other {places}": _dutch(**{"{low} to {high}": "{low} tot {hoog}"}),
    "digits": _dutch(Report="Verslag 2"),
    "no gettext catalogue": "hello",
}


@pytest.mark.parametrize("why", BAD)
def test_a_catalogue_that_is_not_fit_to_be_used_is_refused_before_anything_runs(tmp_path, why):
    _own(tmp_path / "study", BAD[why])
    with pytest.raises(StudyError, match=why.replace("{", r"\{")) as refused:
        make_study(tmp_path / "study", {"[report]\n": '[report]\nlanguage = "nl"\n'})
    assert "report.language" in str(refused.value)


def test_a_fuzzy_message_counts_as_none(tmp_path):
    _own(tmp_path, _dutch().replace('msgid "Report"', '#, fuzzy\nmsgid "Report"'))
    with pytest.raises(UsageError, match=r"lacks 1 of .*'Report'"):
        read_language("nl", tmp_path)


@pytest.mark.parametrize("code", ["nl", "xx", "klingon", "../../etc", "de_XX"])
def test_a_language_without_a_catalogue_is_refused(tmp_path, code):
    with pytest.raises(StudyError):
        make_study(tmp_path / "study", {"[report]\n": f'[report]\nlanguage = "{code}"\n'})
