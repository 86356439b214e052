"""Brief, report and annex of one release: short, in plain words, every number from a table, told once."""

from __future__ import annotations

import dataclasses
import json
import math
import re
import shutil
from pathlib import Path

import duckdb
import pypdf
import pytest
from page_text import visible_text
from planted_answers import plant_answers, refuse_answers
from reading_ease import blocks, flesch, n_words, syllables
from synthetic_release import Cohort, make_release
from test_report_sections import pieces

from outcomes.answers.certainty.tables import CERTAINTIES, FindingName
from outcomes.answers.run import ANSWER_TABLES
from outcomes.disclosure import Shown, Teller
from outcomes.release.withholding import REASON
from outcomes.report.documents.brief import brief
from outcomes.report.findings.all_findings import findings
from outcomes.report.page.blocks import Paragraph
from outcomes.report.page.html import html as as_html
from outcomes.report.page.pieces import Estimate, Given, Kind, Ranged, Words
from outcomes.report.sections.report_section import Source
from outcomes.report.write import documents, write_report
from outcomes.study.tables.delivery import WRITTEN, Document

SHORT = (Document.BRIEF, Document.EASY, Document.REPORT)
JARGON = (
    "directiveness", "reactance", "hazard", "odds", "logit", "regression", "mixed model", "random", "standard error",
    "p <", "p =", "p-value", "significan", "coefficient", "covariate", "multiverse", "estimand", "converged",
    "singular", "bootstrap", "imputation", "cohort", "variance",
    "Akaike", "Lind", "cumulative", "confidence interval", "episode",
    "outcome variable", "undetermined",
)  # fmt: skip
"""What nobody but a methodologist should have to know: not above the annex."""


def sources(folder, study, **more):
    checks = json.loads((folder / "checks.json").read_text(encoding="utf-8"))["checks"]
    statements = {check["check_id"]: check["statement"] for check in checks}
    con = duckdb.connect(str(folder / "outcomes.duckdb"), read_only=True)
    return con, Source(con, study.settings, Teller(study.settings.disclosure), statements, **more)


@pytest.fixture(scope="module")
def source(fitted_release, template_study):
    con, made = sources(fitted_release, template_study)
    yield made
    con.close()


@pytest.fixture(scope="module")
def pages(source):
    return {page.document: page for page in documents(source)}


@pytest.fixture(scope="module")
def written(fitted_release, template_study):
    write_report(fitted_release, template_study)
    return {
        document: (fitted_release / document.files[0]).read_text(encoding="utf-8") for document in WRITTEN
    }  # fmt: skip


@pytest.fixture
def release(tmp_path, fitted_release):
    return shutil.copytree(fitted_release, tmp_path / "release")


def test_a_release_has_four_documents_each_as_page_and_as_pdf(written, fitted_release):
    assert set(written) == {Document.BRIEF, Document.EASY, Document.REPORT, Document.ANNEX}
    assert all((fitted_release / name).is_file() for document in WRITTEN for name in document.files)


@pytest.mark.parametrize(("document", "most"), [(Document.BRIEF, 350), (Document.EASY, 350), (Document.REPORT, 1800)])
def test_a_document_is_short(written, document, most):
    assert n_words(written[document]) <= most


def test_findings_of_many_words_leave_the_last_ones_out_of_the_brief(source):
    found = findings(source)
    told = [one for one in found if one.is_told]
    assert len(told) > 2
    longer = [dataclasses.replace(one, sentence=Words((*one.sentence.pieces, " and so on" * 15))) for one in told]
    short, full = (blocks(as_html(brief(source, these))).found for these in (longer, told))
    assert sum(len(text.split()) for _, text in short) <= 350
    n_findings = [sum(tag == "li" and "Certainty" in text for tag, text in page) for page in (short, full)]
    assert 1 <= n_findings[0] < n_findings[1]


@pytest.mark.parametrize(("document", "most"), [(Document.BRIEF, 1), (Document.EASY, 1), (Document.REPORT, 5)])
def test_a_document_fits_its_pages(written, fitted_release, document, most):
    assert len(pypdf.PdfReader(fitted_release / document.files[1]).pages) <= most


def test_sections_tables_and_pictures_are_counted(pages, written):
    assert [section.name for section in pages[Document.BRIEF].sections] == ["findings", "who", "try", "limits", "on"]
    tags = {document: blocks(html).tags for document, html in written.items()}
    assert tags[Document.BRIEF].count("table") == tags[Document.EASY].count("table") == 0
    assert tags[Document.BRIEF].count("figure") == tags[Document.EASY].count("figure") == 1
    assert 4 <= tags[Document.REPORT].count("figure") <= 6
    assert tags[Document.REPORT].count("section") <= 14
    for row in re.findall(r"<tr[^>]*>(.*?)</tr>", written[Document.REPORT], flags=re.DOTALL):
        assert len(re.findall(r"<t[hd][ >]", row)) <= 4


def test_syllables_are_counted_as_spoken():
    assert [syllables(word) for word in ("guidance", "client's", "likely", "xqzt")] == [2, 2, 2, 1]


@pytest.mark.parametrize("document", SHORT)
def test_a_document_reads_easily(written, document):
    assert flesch(written[document]) >= 70


def test_the_annex_is_what_the_measure_calls_harder(written):
    assert flesch(written[Document.ANNEX]) < min(flesch(written[document]) for document in SHORT)


@pytest.mark.parametrize("document", SHORT)
def test_no_jargon_and_no_name_of_a_column_stands_above_the_annex(written, document):
    text = visible_text(written[document]).lower()
    assert [word for word in JARGON if word.lower() in text] == []
    columns = {column for table in ANSWER_TABLES.values() for column in table.columns if "_" in column}
    assert [name for name in columns if name in text] == []


def test_a_brief_has_at_most_six_findings_each_with_number_range_and_certainty(pages):
    (found,) = (one for one in pages[Document.BRIEF].sections if one.name == "findings")
    items = found.blocks[0].items
    assert 1 <= len(items) <= 6
    for item in items:
        assert any(isinstance(piece, Ranged) for piece in item.pieces)
        assert re.search(r"Certainty: (high|moderate|low)\.", "".join(p for p in item.pieces if isinstance(p, str)))


def _rows(con) -> list[tuple[float, float, float]]:
    """Estimate and interval of every row of every answer that converged."""
    found = []
    for table in ANSWER_TABLES.values():
        if {"estimate", "conf_low", "conf_high", "status"} <= set(table.columns):
            sql = f"select estimate, conf_low, conf_high from {table.name} where status = 'converged'"
            found += [row for row in con.execute(sql).fetchall() if None not in row]
    return found


@pytest.mark.parametrize("document", SHORT)
def test_every_number_is_a_row_of_a_table_with_its_interval_or_was_let_through_as_a_count(pages, source, document):
    rows = _rows(source.con)
    cells = [cell for table in source.teller.told.tables.values() for cell in table.cells.values()]
    counted = {cell.value for cell in (*cells, *source.teller.told.counts.values())} | {None}
    annex = {
        (one.value, one.low, one.high) for section in pages[Document.ANNEX].sections for one in _estimates(section)
    }
    n = 0
    for section in pages[document].sections:
        for piece in pieces(section):
            if isinstance(piece, Ranged):
                n += 1
                one = (piece.estimate.value, piece.estimate.low, piece.estimate.high)
                turned = (-one[0], -one[2], -one[1])
                is_row = any(all(map(_same, row, said)) for row in rows for said in (one, turned))
                assert is_row or one in annex, f"{one} is in no table"
            elif isinstance(piece, Shown):
                assert piece.value in counted
            elif isinstance(piece, Given):
                assert piece.kind in (Kind.DECLARED, Kind.PLACE, Kind.COUNT, Kind.REASON)
            else:
                assert not isinstance(piece, Estimate), "an estimate is told with its range"
    assert n >= 3


def _same(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)


def _estimates(section):
    return [piece for piece in pieces(section) if isinstance(piece, Estimate)]


def test_every_finding_has_the_certainty_of_its_row_and_leads_to_its_evidence(source, pages):
    rated = dict(source.con.execute(f"select finding, certainty from {CERTAINTIES.name}").fetchall())
    anchors = {section.name for section in pages[Document.ANNEX].sections}
    found = findings(source)
    assert len(found) >= 5
    for one in found:
        assert one.certainty == rated[one.name]
        assert one.evidence in anchors


def test_links_between_documents_lead_to_sections_that_exist(written):
    for html in written.values():
        for name, anchor in re.findall(r'href="([\w-]+\.html)(?:#([\w-]+))?"', html):
            target = next(document for document in WRITTEN if document.files[0] == name)
            assert not anchor or f'id="{anchor}"' in written[target]


def test_contents_of_the_annex_list_every_section(pages, written):
    contents = re.search(r"<nav.*?</nav>", written[Document.ANNEX], flags=re.DOTALL)[0]
    assert re.findall(r'href="#([\w-]+)"', contents) == [section.name for section in pages[Document.ANNEX].sections]


def test_the_places_where_the_handbook_says_that_questions_are_answered_exist(written):
    said = (Path(__file__).parents[3] / "docs" / "report.md").read_text(encoding="utf-8")
    places = re.findall(r"^\| an? [\w ]+ \| [^|]+\? \| ([^|]+) \|$", said, flags=re.MULTILINE)
    assert len(places) == 5
    for place in places:
        named = re.findall(r"`([\w-]+)`: ([^;`]+)", place)
        assert named
        for document, parts in named:
            titles = [text for tag, text in blocks(written[Document(document)]).found if tag == "h2"]
            left = parts
            for title in sorted(titles, key=len, reverse=True):
                left = left.replace(title, "")
            assert left.strip(" ,") == "", f"{document} has no part {left!r}"


def test_pictures_say_in_title_and_description_what_they_show_and_give_their_data(pages):
    drawn = [block for page in (Document.REPORT, Document.BRIEF) for section in pages[page].sections
             for block in section.blocks if hasattr(block, "wide")]  # fmt: skip
    for picture in drawn:
        assert re.search(r"\d", picture.title)
        assert re.search(r"\d", picture.description)
        assert picture.data.count("\n") >= 2


@pytest.mark.parametrize("is_simulated", [True, False])
def test_simulated_data_are_said_to_be_simulated_in_every_document(source, is_simulated):
    for page in documents(dataclasses.replace(source, is_simulated=is_simulated)):
        assert page.file_title.startswith("Simulated data: ") is is_simulated


def test_a_refused_study_gets_words_in_all_documents_and_the_same_reason(release, template_study):
    refuse_answers(release, "Only 4 of 1,238 clients rated it.")
    write_report(release, template_study)
    for document in WRITTEN:
        text = visible_text((release / document.files[0]).read_text(encoding="utf-8"))
        assert "Only 4" not in text
        assert "1,238" not in text
        if document is not Document.EASY:
            assert "Only fewer than 10 of 1,240 clients rated it." in text
    assert "do not answer the question yet" in visible_text((release / "brief.html").read_text(encoding="utf-8"))


def test_nothing_is_claimed_from_fits_that_are_not_clean(release, template_study):
    plant_answers(release, "singular")
    con, made = sources(release, template_study)
    with con:
        assert not any(one.is_told for one in findings(made))


def test_what_changed_is_said_in_words_of_both_reports(release, source):
    with duckdb.connect(str(release / "outcomes.duckdb")) as con:
        con.execute(f"update {CERTAINTIES.name} set certainty = 'very low' where finding like 'distance%satisfaction'")
        con.execute(f"delete from {CERTAINTIES.name} where finding like 'amount%'")
    with duckdb.connect(str(release / "outcomes.duckdb"), read_only=True) as before:
        page = documents(dataclasses.replace(source, before=before))[1]
    (since,) = (section for section in page.sections if section.name == "since")
    said = " ".join(str(piece) for piece in pieces(since))
    assert "New." in said
    assert "Changed." in said
    assert "We cannot tell whether guidance far from the client's wish and satisfaction go together" in said


def test_a_release_of_an_older_version_is_not_compared(source):
    with duckdb.connect() as before:
        page = documents(dataclasses.replace(source, before=before))[1]
    (since,) = (section for section in page.sections if section.name == "since")
    assert "cannot be compared" in " ".join(str(piece) for piece in pieces(since))


def test_where_outcomes_are_withheld_nothing_is_said_to_be_seen_or_small(release, template_study):
    refuse_answers(release, REASON)
    with duckdb.connect(str(release / "outcomes.duckdb")) as con:
        con.execute("create or replace table seal as select 'withheld' as status, 'Outcomes are withheld.' as sentence")
    con, source = sources(release, template_study)
    _, *pages = documents(source)
    con.close()
    for page in pages[:2]:
        text = visible_text(as_html(page))
        assert "Nothing is said yet: the researchers have to fix first" in text
        assert "Who is in it is said once the plan is fixed" in text
        for wrong in ("The plan was not fixed before", "Small numbers are not shown", "outcomes seal"):
            assert wrong not in text


def test_a_pathway_of_one_stage_is_no_picture(tmp_path, template_study):
    folder = make_release(tmp_path / "release", Cohort(n_therapists=12, clients_per_therapist=6, has_endings=False))
    with duckdb.connect(str(folder / "outcomes.duckdb")) as con:  # as the mart has it: nobody ended at other sessions
        con.execute("update mart_person_session set is_dropout = 0 where not is_last")
    con, source = sources(refuse_answers(folder, REASON), template_study)
    annex, report, *_ = documents(source)
    con.close()
    (people,) = (section for section in report.sections if section.name == "people")
    assert [type(block) for block in people.blocks] == [Paragraph]
    text = visible_text(as_html(report))
    assert "A client dropped out if" not in text  # nor is said what it would be, or who could have
    assert "For the questions on dropout" not in visible_text(as_html(annex))
    assert "Each client is first compared" not in text  # nothing is compared where guidance is refused


VERY_LOW = "Of very low certainty, so that brief and report conclude nothing from it: "


def told_of(folder, study, sql="select 1"):
    """Findings, and the text of all pages, after a change of the release's database."""
    with duckdb.connect(str(folder / "outcomes.duckdb")) as con:
        con.execute(sql)
    con, source = sources(folder, study)
    with con:
        found = {one.name: one for one in findings(source)}
        return found, {page.document: visible_text(as_html(page)) for page in documents(source)}


@pytest.mark.parametrize(
    ("verdict", "sure"),
    [("no_effect", ""), ("undecided", ""), ("best_level", ""), ("monotone", ""), ("fit", "very low")],
)
def test_nobody_is_advised_to_stay_near_the_wish_unless_a_verdict_says_that_the_wish_counts(
    release, template_study, verdict, sure
):
    changed = f"update verdicts set verdict = '{verdict}', certainty = '{sure}' where level = 'session'"
    found, text = told_of(release, template_study, changed)
    assert found[FindingName.FIT_SATISFACTION].is_told
    assert not any("they want" in one.advice for one in found.values())
    assert "stay near to it" not in text[Document.BRIEF]


def test_a_slope_that_responses_explain_is_not_told_in_short(release, template_study):
    _, before = told_of(release, template_study)
    assert "went with a difference in satisfaction of" in before[Document.ANNEX]
    changed = f"update {CERTAINTIES.name} set responsiveness = 'another' where finding like 'more guidance%'"
    _, after = told_of(release, template_study, changed)
    assert "went with a difference in satisfaction of" not in after[Document.ANNEX]


def test_all_calculations_of_a_slope_that_is_too_unsure_say_so(release, template_study):
    changed = f"update {CERTAINTIES.name} set certainty = 'very low' where finding like 'more guidance%'"
    _, text = told_of(release, template_study, changed)
    unsure = f"{VERY_LOW}more guidance than usual and satisfaction."
    assert text[Document.ANNEX].count(unsure) == 2, "where it is estimated, and where all calculations stand"


def test_a_verdict_of_very_low_certainty_is_no_result_in_the_annex_either(release, template_study):
    _, text = told_of(
        release,
        template_study,
        "update verdicts set verdict = 'no_effect', certainty = 'very low' where level = 'session'",
    )
    assert "makes no difference that matters to satisfaction. That is a result" not in text[Document.ANNEX]
    assert "Satisfaction, session by session. The data do not decide" in text[Document.ANNEX]
    assert "Taken alone the analysis says: Over all clients, how much guidance they get" in text[Document.ANNEX]


def test_the_annex_says_which_of_its_numbers_are_too_unsure_for_brief_and_report(release, template_study):
    _, before = told_of(release, template_study)
    assert VERY_LOW not in before[Document.ANNEX]
    changed = f"update {CERTAINTIES.name} set certainty = 'very low' where finding like 'distance%dropout'"
    _, after = told_of(release, template_study, changed)
    assert f"{VERY_LOW}distance from the preference and dropout." in after[Document.ANNEX]


_DISTANCE = "contrast = 'distance from the preference'"


def test_a_picture_of_the_distance_names_the_levels_that_it_shows(release, template_study):
    found, _ = told_of(release, template_study)
    title = found[FindingName.FIT_SATISFACTION].picture.title
    assert "with too little," in title
    assert title.endswith("with too much guidance")  # four points too much are refused
    assert "far" not in title


def test_advice_and_subject_are_of_the_side_that_costs(release, template_study):
    both, _ = told_of(release, template_study)
    assert both[FindingName.FIT_SATISFACTION].advice.endswith("stay near to it.")
    one, text = told_of(
        release, template_study,
        f"update contrasts_satisfaction set estimate = 0.1, conf_low = -0.1, conf_high = 0.3 where {_DISTANCE} "
        "and level = 'too much' and quantity = 'difference'",
    )  # fmt: skip
    about = one[FindingName.FIT_SATISFACTION]
    assert about.heading.startswith("Too little guidance for the client's wish")
    assert about.advice == (
        "Ask each client how much guidance they want, and do not give less. Whether more than that goes with less "
        "satisfied clients does not show in these data."
    )
    assert about.advice in text[Document.BRIEF]
    more, _ = told_of(
        release, template_study,
        f"update contrasts_satisfaction set estimate = 0.1, conf_low = -0.1, conf_high = 0.3 where {_DISTANCE} "
        "and level = 'too little' and quantity = 'difference'; update contrasts_satisfaction set conf_low = 0.2, "
        f"conf_high = 0.6, estimate = 0.4 where {_DISTANCE} and level = 'too much' and quantity = 'difference'",
    )  # fmt: skip
    about = more[FindingName.FIT_SATISFACTION]
    assert about.heading.startswith("Too much guidance for the client's wish")
    assert about.heading.endswith("more satisfied clients")
    assert about.advice == ""
    opposite, _ = told_of(
        release, template_study,
        f"update contrasts_satisfaction set conf_low = 0.2, conf_high = 0.6, estimate = 0.4 where {_DISTANCE} "
        "and level = 'too much' and quantity = 'difference'; update contrasts_satisfaction set conf_low = -0.6, "
        f"conf_high = -0.2, estimate = -0.4 where {_DISTANCE} and level = 'too little' and quantity = 'difference'",
    )  # fmt: skip
    about = opposite[FindingName.FIT_SATISFACTION]
    assert about.is_told  # one side surely better and the other surely worse is not "we cannot tell"
    assert about.heading.startswith("Too little guidance for the client's wish")
    assert about.heading.endswith("less satisfied clients")
    assert about.advice == ""


def test_each_side_has_its_own_distance_where_they_differ(release, template_study):
    _, same = told_of(release, template_study)
    assert "That is 2 points off the wish." in same[Document.REPORT]
    _, text = told_of(
        release, template_study, f"update contrasts_dropout set points = -4 where {_DISTANCE} and level = 'too little'"
    )
    assert "That is 4 points under and 2 points over the wish." in text[Document.REPORT]


def test_only_checks_that_were_carried_out_are_counted(release, template_study):
    _, before = told_of(release, template_study)
    assert "because these data hold nothing for them to check: 1." in before[Document.REPORT]
    _, text = told_of(
        release, template_study, "update dq_results set status = 'not_applicable' where category = 'plausibility'"
    )
    assert "Can it be true?" not in text[Document.REPORT]
    assert "because these data hold nothing for them to check: 2." in text[Document.REPORT]
    assert "1 of 2 automatic checks" in text[Document.ANNEX]


def test_why_responses_are_asked_for_claims_none(source, pages):
    text = visible_text(as_html(pages[Document.ANNEX]))
    assert "Therapists respond:" not in text
    assert "Why this is asked: where how a session went changes what the therapist does" in text


def test_the_brief_says_what_was_refused_beside_what_was_found(release, template_study):
    _, text = told_of(
        release, template_study,
        "update answer_states set status = 'refused', reason = 'No endings are recorded in these data, so nothing can "
        "be said about dropout.' where analysis = 'dropout'",
    )  # fmt: skip
    assert "Certainty:" in text[Document.BRIEF]
    assert "Dropout. No endings are recorded in these data" in text[Document.BRIEF]
