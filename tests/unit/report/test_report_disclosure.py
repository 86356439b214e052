"""What a report must not give away: attacked on the page itself, with exact counts known from the database."""

import re

import duckdb
import pytest
from page_text import parsed, visible_text, whole_numbers
from planted_answers import plant_answers
from synthetic_release import Cohort, make_release, make_study

from outcomes.disclosure import Teller
from outcomes.models import fit_models
from outcomes.report.figures.density import preference_cells, session_bins
from outcomes.report.write import write_report
from outcomes.study.settings import Disclosure
from outcomes.study.tables.delivery import WRITTEN

HARMLESS = set(range(13)) | {95, 100}
"""Whole numbers that any report holds: sessions 3, 8 and 12, points of scales, '95% interval', 'of 100 clients'."""


@pytest.fixture(scope="module", params=[(60, 1), (400, 10)], ids=["without rounding", "with rounding"])
def attacked(request, tmp_path_factory):
    """A small cohort under thresholds that most of its counts break: page, exact counts, threshold, rounding."""
    minimum, rounding = request.param
    study = make_study(
        tmp_path_factory.mktemp("study"),
        {"minimum_count = 10 ": f"minimum_count = {minimum} ", "rounding = 5 ": f"rounding = {rounding} "},
    )
    folder = make_release(tmp_path_factory.mktemp("release"), Cohort(n_therapists=14, clients_per_therapist=23, seed=3))
    fit_models(folder, study)
    plant_answers(folder)
    page = write_report(folder, study)
    html = page.with_name("annex.html").read_text(encoding="utf-8")
    others = (page.with_name(f"{name}.html").read_text(encoding="utf-8") for name in ("report", "brief", "brief-easy"))
    others = map(_without_pictures_of_estimates, others)
    return _without_estimates(html + "".join(others)), _exact_counts(folder), minimum, rounding


def _without_estimates(html: str) -> str:
    """A page without its estimates: some say clients of a hundred as whole numbers, and are no counts."""
    return re.sub(r"<strong>[^<]*</strong>[^<]*<em class=\"interval\">[^<]*</em>", "", html)


def _without_pictures_of_estimates(html: str) -> str:
    return re.sub(r"<figure>(?:(?!</figure>).)*\(\d[\d.%]* to (?:(?!</figure>).)*</figure>", "", html, flags=re.DOTALL)


def _exact_counts(folder) -> set[int]:
    """Every count of people, episodes and sessions that the report is made from."""
    queries = [
        "select n_sessions from mart_participant_flow",
        "select n_clients from mart_participant_flow",
        "select n_therapists from mart_participant_flow",
        "select n_sessions_excluded from mart_participant_flow",
        "select n_clients_excluded from mart_participant_flow",
        "select count(*) from core_episodes group by ending_state",
        "select unnest([n_rows, n_missing, n_clients, n_therapists]) from model_fits",
        "select n_violated from dq_results",
        "select count(*) from mart_session_directiveness group by therapist_id",
        "select count(distinct client_id) from mart_person_session group by therapist_id",
        "select sum(is_dropout) from mart_person_session group by therapist_id",
    ]
    with duckdb.connect(str(folder / "outcomes.duckdb"), read_only=True) as con:
        return {int(n) for query in queries for (n,) in con.execute(query).fetchall() if n is not None}


def test_no_count_under_the_threshold_is_on_the_page(attacked):
    html, exact, minimum, _ = attacked
    small = {count for count in exact if count < minimum} - HARMLESS - {minimum}
    assert len(small) > 5, "the cohort must have small counts, or this test shows nothing"
    assert not small & whole_numbers(html)


@pytest.mark.parametrize("attacked", [(400, 10)], indirect=True)
def test_counts_that_are_shown_are_rounded(attacked):
    html, exact, _, rounding = attacked
    unrounded = {count for count in exact if count % rounding} - HARMLESS
    assert len(unrounded) > 5
    assert not unrounded & whole_numbers(html)


def test_shares_of_small_groups_are_not_told(attacked):
    html, *_ = attacked
    assert "fewer than" in visible_text(html)
    assert "not shown" in visible_text(html)


def test_no_identifier_is_anywhere_in_the_file(attacked):
    html, *_ = attacked
    assert not re.search(r"(client|therapist|episode|session|practice)-(\d{4,}|north)", html)


def test_the_extremes_of_guidance_are_not_on_the_page(template_study, fitted_release):
    html = write_report(fitted_release, template_study).with_name("annex.html").read_text(encoding="utf-8")
    with duckdb.connect(str(fitted_release / "outcomes.duckdb"), read_only=True) as con:
        low, high = con.execute(
            "select min(directiveness_within), max(directiveness_within) from mart_session_directiveness"
        ).fetchall()[0]
    decimals = {float(n.replace("−", "-")) for n in re.findall(r"[−-]?\d+\.\d+", visible_text(html))}
    assert not any(abs(value - extreme) < 0.05 for value in decimals for extreme in (low, high))


@pytest.mark.parametrize("document", WRITTEN)
def test_a_page_needs_no_network_and_no_script(template_study, fitted_release, document):
    if not (fitted_release / document.files[0]).is_file():
        write_report(fitted_release, template_study)
    html = (fitted_release / document.files[0]).read_text(encoding="utf-8")
    page = parsed(html)
    assert not {"script", "link", "img", "iframe", "object", "embed"} & set(page.tags)
    assert "http" not in re.sub(r"data:text/csv;base64,[^\"]*", "", html)
    assert "@import" not in html
    assert not re.search(r"url\((?!#)", html)
    assert not [name for name, _ in page.attributes if name.startswith("on") or name in ("src", "xlink:href")]
    own = "|".join(other.files[0] for other in WRITTEN)
    led = rf"#[\w-]+|({own})(#[\w-]+)?|data:text/csv;base64,[\w+/=]*"
    assert all(re.fullmatch(led, value) for name, value in page.attributes if name == "href")


def test_ids_inside_pictures_are_unique_and_every_reference_finds_its_own(template_study, fitted_release):
    html = write_report(fitted_release, template_study).with_name("annex.html").read_text(encoding="utf-8")
    ids = [value for name, value in parsed(html).attributes if name == "id"]
    assert len(ids) == len(set(ids))
    assert set(re.findall(r"url\(#([^)]+)\)", html)) <= set(ids)


def test_hostile_words_of_a_study_are_shown_and_not_run(tmp_path, fitted_release):
    study = make_study(tmp_path, {'name = "Practice outcomes"': 'name = "<script>alert(1)</script>"'})
    html = write_report(fitted_release, study).with_name("annex.html").read_text(encoding="utf-8")
    assert "<script" not in html
    assert "<script>alert(1)</script>" in visible_text(html)


def test_a_small_bin_of_sessions_leaves_a_gap_in_the_picture(fitted_release):
    loose, strict = Disclosure(), Disclosure(minimum_count=200)
    with duckdb.connect(str(fitted_release / "outcomes.duckdb"), read_only=True) as con:
        hidden = {}
        for rule in (loose, strict):
            bins = session_bins(con, "directiveness_within", -2.0, 2.0, Teller(rule))
            assert all(b.sessions.value is None or b.sessions.value >= rule.minimum_count for b in bins)
            hidden[rule.minimum_count] = sum(b.sessions.value is None for b in bins)
    assert hidden[200] > hidden[10]


def test_a_square_of_few_clients_is_not_on_the_surface(fitted_release):
    rule = Disclosure()
    with duckdb.connect(str(fitted_release / "outcomes.duckdb"), read_only=True) as con:
        cells = preference_cells(con, 0, 10, 10, Teller(rule))
        (few,) = con.execute(
            """select count(*) from (select floor(directiveness_score), floor(directiveness_preferred_score)
               from mart_session_directiveness group by all having count(distinct client_id) < 10)"""
        ).fetchall()[0]
    assert few > 0, "the cohort must have small squares, or this test shows nothing"
    assert cells
    assert all(cell.sessions >= rule.minimum_count and cell.sessions % rule.rounding == 0 for cell in cells)
    assert len(preference_cells_of_few(fitted_release)) < len(cells)


def preference_cells_of_few(folder):
    """Squares that are left where a square needs 60 clients."""
    with duckdb.connect(str(folder / "outcomes.duckdb"), read_only=True) as con:
        return preference_cells(con, 0, 10, 10, Teller(Disclosure(minimum_count=60)))
