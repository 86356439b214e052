"""Every number in the answers has its state and interval, or words in its place: walked over all sections."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator

import duckdb
import pytest
from page_text import visible_text
from planted_answers import REFUSAL, plant_answers, refuse_answers

from outcomes.answers.run import ANSWER_TABLES
from outcomes.disclosure import Shown, Teller
from outcomes.errors import UsageError
from outcomes.mixed import FitStatus
from outcomes.report.documents.annex import SECTIONS
from outcomes.report.page.blocks import Block, Bullets, Fold, Heading, Paragraph, Picture, Section, Table
from outcomes.report.page.html import html
from outcomes.report.page.pieces import Estimate, Given, Kind, Piece, Range, Unsaid, Words
from outcomes.report.sections.report_section import Source

ANSWERS = (
    "short",
    "recovery",
    "dropout",
    "contrasts",
    "risks",
    "effects",
    "balance",
    "connection",
    "therapists",
    "missing",
    "multiverse",
    "changes",
)


def words_of(block: Block) -> Iterator[Words]:
    """Every sentence and cell of a block."""
    match block:
        case Paragraph(words=words) | Heading(words=words) | Picture(caption=words):
            yield words
        case Bullets(items=items):
            yield from items
        case Table(head=head, rows=rows):
            yield from head
            for row in rows:
                yield from row
        case Fold(summary=summary, blocks=blocks):
            yield summary
            for inner in blocks:
                yield from words_of(inner)
        case _:
            raise AssertionError(f"a new block, {type(block).__name__}: say here where its words are")


def pieces(section: Section) -> Iterator[Piece]:
    """Every piece of a section."""
    for block in section.blocks:
        for words in words_of(block):
            yield from words.pieces


def made(folder, study) -> dict[str, Section]:
    """The sections of a release by name."""
    checks = json.loads((folder / "checks.json").read_text(encoding="utf-8"))["checks"]
    statements = {check["check_id"]: check["statement"] for check in checks}
    with duckdb.connect(str(folder / "outcomes.duckdb"), read_only=True) as con:
        source = Source(con, study.settings, Teller(study.settings.disclosure), statements)
        found = [section.made(source) for section in SECTIONS]
    return {section.name: section for section in found if section}


@pytest.fixture
def release(tmp_path, fitted_release):
    """A copy of the fitted release, to plant in."""
    return shutil.copytree(fitted_release, tmp_path / "release")


@pytest.fixture(scope="module")
def answered(fitted_release, template_study):
    return made(fitted_release, template_study)


def test_all_sections_of_the_answer_are_there_in_their_order(answered):
    assert [name for name in answered if name in ANSWERS] == list(ANSWERS)


@pytest.mark.parametrize("name", ANSWERS)
def test_every_number_says_what_it_is(answered, name):
    """A string has no digit; everything else is an estimate, a range, a shown count, or given with its kind."""
    for piece in pieces(answered[name]):
        if isinstance(piece, str):
            assert not re.search(r"\d", piece)
        else:
            assert isinstance(piece, Estimate | Unsaid | Range | Shown | Given) or not re.search(r"\d", piece.text)


@pytest.mark.parametrize("name", ANSWERS)
def test_every_estimate_is_printed_with_its_interval_and_the_mark_of_its_state(answered, name):
    page = html(answered[name])
    estimates = [piece for piece in pieces(answered[name]) if isinstance(piece, Estimate)]
    assert all(piece.state is FitStatus.CONVERGED for piece in estimates)
    for piece in estimates:
        assert re.search(rf"<strong>{re.escape(piece.in_number)}</strong>[^<]*<em class=\"interval\">\([^)]*"
                         rf"{re.escape(piece.in_interval)}\) ✓</em>", page)  # fmt: skip


def test_what_is_given_without_an_interval_is_no_decimal_but_a_level_of_guidance(answered):
    for name in ANSWERS:
        for piece in pieces(answered[name]):
            if isinstance(piece, Given) and piece.kind not in (Kind.PLACE, Kind.TEST, Kind.SIMULATED):
                assert not re.search(r"\d\.\d", piece.text), f"{name}: {piece.text}"


def test_test_results_stand_only_where_the_way_to_a_verdict_is_told(answered):
    held = {name for name in ANSWERS for p in pieces(answered[name]) if isinstance(p, Given) and p.kind is Kind.TEST}
    assert held == {"balance", "effects", "multiverse"}


def test_the_planted_cohort_has_estimates_in_every_section_that_holds_numbers(answered):
    counts = {name: sum(isinstance(p, Estimate) for p in pieces(answered[name])) for name in ANSWERS}
    assert {name for name, n in counts.items() if n} == set(ANSWERS) - {"changes"}


@pytest.mark.parametrize("status", [s for s in FitStatus if s is not FitStatus.CONVERGED])
def test_no_estimate_of_a_fit_that_is_not_clean_is_in_any_section(release, template_study, status):
    plant_answers(release, status)
    with duckdb.connect(str(release / "outcomes.duckdb")) as con:
        con.execute("update model_curves set status = ?", [status])
    sections = made(release, template_study)
    for name in ANSWERS:
        found = list(pieces(sections[name]))
        assert not [piece for piece in found if isinstance(piece, Estimate | Range)], name
        if name in ("dropout", "contrasts", "risks", "effects", "balance", "connection", "therapists", "missing"):
            assert any(isinstance(piece, Unsaid) for piece in found), name
        assert not [block for block in sections[name].blocks if isinstance(block, Picture)], name


def test_a_singular_fit_still_says_which_way_it_points(release, template_study):
    plant_answers(release, "singular")
    sections = made(release, template_study)
    assert "Clients were more satisfied with sessions" in html(sections["effects"])
    assert "higher (no number, because a part of its model is estimated as zero)" in html(sections["effects"])


def test_a_refused_analysis_is_said_in_words_and_gives_no_number(release, template_study):
    refuse_answers(release)
    sections = made(release, template_study)
    for name in ("contrasts", "risks", "effects", "balance", "connection", "therapists", "missing"):
        text = visible_text(str(html(sections[name])))
        assert "These data cannot answer this." in text
        assert REFUSAL in text
        assert not re.search(r"\d", text), name
    assert not re.search(r"\d", visible_text(str(html(sections["short"]))))


def test_dropout_without_a_verdict_has_its_own_reason(release, template_study):
    plant_answers(release)
    with duckdb.connect(str(release / "outcomes.duckdb")) as con:
        con.execute("delete from verdicts where outcome = 'dropout'")
        con.execute("update answer_states set status = 'refused', reason = 'Ratings lack.' where analysis = 'balance'")
        con.execute("update answer_states set status = 'refused', reason = 'No endings.' where analysis = 'dropout'")
    text = visible_text(str(html(made(release, template_study)["short"])))
    assert "Dropout. These data cannot give a verdict: No endings." in text


def test_what_the_data_can_answer_stands_before_every_result_with_the_numbers_behind_it(answered):
    names = list(answered)
    assert names.index("recovery") < min(names.index(name) for name in ("dropout", "risks", "effects", "balance"))
    text = visible_text(str(html(answered["recovery"])))
    assert "Some of the questions, and not others." in text
    assert "20 studies were simulated" in text
    assert "Only if the effect is large Are clients of therapists who guide more also more satisfied?" in text
    assert "0.054 0.14 95% (75% to 100%) ✓ 80% (56% to 94%) ✓" in text


def test_figures_of_simulated_studies_stand_only_in_their_section(answered):
    simulated = {name for name in answered for p in pieces(answered[name])
                 if isinstance(p, Given) and p.kind is Kind.SIMULATED}  # fmt: skip
    assert simulated == {"recovery"}


def test_data_that_can_answer_nothing_are_told_so_first(release, template_study):
    plant_answers(release, "refused")
    text = visible_text(str(html(made(release, template_study)["recovery"])))
    assert "No: data of this size can answer none of the questions." in text


def test_counts_in_the_reason_of_a_refusal_are_suppressed(release, template_study):
    refuse_answers(release, "Only 4 of 1,238 clients were asked.")
    text = visible_text(str(html(made(release, template_study)["connection"])))
    assert "Only fewer than 10 of 1,240 clients were asked." in text


def test_an_analysis_that_the_study_leaves_out_is_said_to_be_left_out(release, template_study):
    refuse_answers(release)
    with duckdb.connect(str(release / "outcomes.duckdb")) as con:
        con.execute("update answer_states set status = 'left out', reason = 'the study file leaves it out'")
    assert "The study file leaves it out." in html(made(release, template_study)["therapists"])


def test_without_preferences_no_turning_point_is_told(release, template_study):
    with duckdb.connect(str(release / "outcomes.duckdb")) as con:
        con.execute("delete from balance_evidence where quantity like 'response surface%'")
    balance = html(made(release, template_study)["balance"])
    assert "Turning point" not in balance
    assert "7.3" not in balance
    assert "no turning point is shown" in balance


def test_rows_of_one_session_are_said_to_have_no_order_in_time(answered):
    table = next(block for block in answered["connection"].blocks if isinstance(block, Table))
    times = {row[1].pieces[0] for row in table.rows}
    assert times == {"same session: no order in time", "next session"}


def test_therapists_variance_share_and_median_odds_ratio_have_their_bootstrap_intervals(answered):
    text = visible_text(str(html(answered["therapists"])))
    assert "13% (5% to 24%) ✓" in text
    assert "1.93 (1.48 to 2.60) ✓" in text


def test_dropout_that_depends_on_the_definition_is_said_where(release, template_study):
    with duckdb.connect(str(release / "outcomes.duckdb")) as con:
        con.execute("update dropout_effects set conf_low = -0.2 where definition = 'count_3'")
    text = visible_text(str(html(made(release, template_study)["risks"])))
    assert "Yes: the conclusion is another one where a dropout is when the client came to fewer than three" in text


def test_a_verdict_of_no_effect_is_said_as_a_result(answered):
    text = visible_text(str(html(answered["short"])))
    assert "makes no difference that matters to dropout. That is a result, not the lack of one." in text


def test_the_short_answer_tells_dropouts_near_to_and_far_from_the_preference_before_those_by_amount(answered):
    text = visible_text(str(html(answered["short"])))
    near = text.index("Of 100 clients, so many have dropped out by session 8")
    for told in ("2 points too little: 15 (", "guidance as preferred: 9 (", "2 points too much: 16 ("):
        assert near < text.index(told) < text.index("with little guidance")


def test_the_section_on_distance_says_on_which_side_clients_left_and_what_is_not_told(release, template_study):
    text = visible_text(str(html(made(release, template_study)["contrasts"])))
    assert "Clients left more often where guidance was less, and where it was more, than the client prefers." in text
    assert "4 points too much not calculated: Too few clients had guidance near this level." in text
    with duckdb.connect(str(release / "outcomes.duckdb")) as con:
        con.execute(
            "update contrasts_dropout set conf_low = -0.01 where level = 'too much' and quantity = 'difference'"
        )
    text = visible_text(str(html(made(release, template_study)["contrasts"])))
    assert "Clients left more often where guidance was less than the client prefers." in text
    with duckdb.connect(str(release / "outcomes.duckdb")) as con:
        con.execute("update contrasts_dropout set conf_low = -0.01 where quantity = 'difference'")
    text = visible_text(str(html(made(release, template_study)["contrasts"])))
    assert "does not show in these data" in text


def test_a_share_of_dropout_that_rests_on_few_is_withheld(release, template_study):
    with duckdb.connect(str(release / "outcomes.duckdb")) as con:
        con.execute("update dropout_rates set estimate = 4 / 580, conf_low = 0.002, conf_high = 0.02")
    text = visible_text(str(html(made(release, template_study)["dropout"])))
    assert "not shown: it would rest on too few clients" in text
    assert "1% (" not in text


def test_where_the_slope_by_therapist_is_zero_the_model_without_it_is_quoted(release, template_study):
    richest = "three levels, slope by therapist"
    with duckdb.connect(str(release / "outcomes.duckdb")) as con:
        con.execute("update guidance_effects set status = 'singular' where model = ?", [richest])
        con.execute(
            "update guidance_effects set estimate = 0.28 where model = 'three levels' and part = 'within client'"
        )
    text = visible_text(str(html(made(release, template_study)["effects"])))
    assert "with one point more guidance than usual +0.28 (+0.22 to +0.40) ✓" in text
    assert "so a simpler model without that part is quoted" in text


def test_two_levels_never_speak_for_effects_between_clients(release, template_study):
    with duckdb.connect(str(release / "outcomes.duckdb")) as con:
        con.execute("update guidance_effects set status = 'singular' where model like 'three levels%'")
    text = visible_text(str(html(made(release, template_study)["effects"])))
    assert "than usual +0.31 (+0.22 to +0.40) ✓" in text
    assert "other clients of the same therapist higher (no number" in text


def test_every_reading_of_the_missing_ratings_has_both_differences_and_tipping_is_said(answered):
    text = visible_text(str(html(answered["missing"])))
    assert "The conclusions are the same however the missing ratings are read." in text
    assert text.count("+0.31 (+0.22 to +0.40) ✓") == 5  # four readings and the shift of none
    assert "No shift of the missing ratings that was tried turns the difference within clients round." in text
    assert "Missing ratings that were 1.3 points higher: this changes what the interval" in text


def test_a_reading_under_which_the_conclusion_is_another_one_is_said_first(release, template_study):
    with duckdb.connect(str(release / "outcomes.duckdb")) as con:
        con.execute("update missing_ladder set conf_low = -0.1 where rung = 'shared-parameter model'")
    assert "A conclusion is another one under some readings" in html(made(release, template_study)["missing"])


@pytest.mark.parametrize(
    ("trace", "said"),
    [
        (
            "No effect is shown (p = .41). An effect that matters is not ruled out.",
            "An effect that matters is not ruled",
        ),
        ("Some effect. But guidance alone accounts for 61% of the effect.", "Why it stays open, the last part"),
    ],
)
def test_an_undecided_verdict_says_why_without_a_bare_share(release, template_study, trace, said):
    with duckdb.connect(str(release / "outcomes.duckdb")) as con:
        con.execute("update verdicts set trace = ? where verdict = 'undecided'", [trace])
    balance = visible_text(str(html(made(release, template_study)["balance"])))
    open_part, fold = balance.split("How the verdicts were reached")
    assert said in open_part
    assert "61%" not in open_part
    assert trace in fold


def test_what_another_model_says_beside_a_verdict_is_told_with_its_numbers_and_without_small_counts(
    release, template_study
):
    beside = "Therapists who guide more have less satisfied clients (correlation -0.41, -0.52 to -0.28)."
    other = (
        "A model that does not allow for responses gives +0.02 points, not -0.11 (-0.13 to -0.09): 7 clients are few."
    )
    with duckdb.connect(str(release / "outcomes.duckdb")) as con:
        con.execute("update verdicts set apart = ?, disagreement = ? where level = 'session'", [beside, other])
    balance = visible_text(str(html(made(release, template_study)["balance"])))
    assert beside in balance
    assert other.replace("7 clients", "fewer than 10 clients") in balance


@pytest.mark.parametrize(
    ("table", "column"),
    [
        (table.name, name)
        for table in ANSWER_TABLES.values()
        if table.name
        not in ("surface_terms", "surface_covariances", "surface_grid")  # for drawing; no section tells them
        for name, column in table.columns.items()
        if column.values
    ],
)
def test_a_word_that_the_report_does_not_know_is_refused_and_not_left_out(release, template_study, table, column):
    with duckdb.connect(str(release / "outcomes.duckdb")) as con:
        con.execute(f"update {table} set {column} = 'sideways'")
    with pytest.raises((UsageError, ValueError)):
        made(release, template_study)
