"""The study's page as an analyst sees it."""

from __future__ import annotations

import html
import json
import re

import duckdb
from browsing import opened_page

from outcomes.release.places import kept_releases
from outcomes.store.files import file_sha256
from outcomes.study import StudyFolder, create_study
from outcomes.study.tables.delivery import Document
from outcomes.ui.reading import DOCUMENTS


def words(text: str) -> str:
    """What a reader sees of a page."""
    body = re.sub(r"<svg.*?</svg>", " ", text, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def test_the_overview_says_what_is_published_and_how_runs_ended(page):
    study = StudyFolder.open(page.root)
    said = words(page.ask("/").text)
    for kept in kept_releases(study):
        assert kept.release_id in said
    landed = sum(json.loads(path.read_text())["rows_landed"] for path in study.landed.glob("*/manifest.json"))
    assert f"{landed:,} rows" in said
    assert said.count("refresh 2") + said.count("refresh published") >= 2
    assert "dropout refused" in said
    assert "neither suppressed nor rounded" in said


def test_every_page_is_linked_and_says_where_one_is(page):
    for address in re.findall(r'<a href="(/[a-z]*)"', page.ask("/").text):
        answer = page.ask(address)
        assert answer.status == 200, address
        assert answer.text.count('aria-current="page"') == 1


def test_all_documents_of_all_releases_are_there_as_they_were_published(page):
    links = re.findall(r'href="(/releases/[^"]+\.(?:html|pdf))"', page.ask("/documents").text)
    releases = kept_releases(StudyFolder.open(page.root))
    always = set(Document) - {Document.EXPLORER}  # which a study asks for
    assert len(links) == len(releases) * sum(len(one.files) for one in always)
    for link in links:
        answer = page.ask(link)
        assert answer.status == 200
        assert answer.headers["content-type"].startswith("application/pdf" if link.endswith(".pdf") else "text/html")
    kept = releases[0]
    shown = page.ask(f"/releases/{kept.release_id}/report.html").text
    assert shown == (kept.folder / "report.html").read_text(encoding="utf-8")


def test_every_document_has_a_title():
    assert set(DOCUMENTS) == set(Document)


def test_a_release_shows_its_verdicts_models_and_analyses_with_reasons(page):
    said = words(page.ask("/releases/latest").text)
    with duckdb.connect(str(page.root / "outcomes.duckdb"), read_only=True) as con:
        for (reason,) in con.execute("select reason from model_fits where reason <> ''").fetchall():
            assert reason in said
        for verdict, trace in con.execute("select verdict, trace from verdicts").fetchall():
            assert verdict.replace("_", " ") in said
            assert " ".join(trace.split()) in said


def test_a_refused_file_is_shown_with_what_to_do(page):
    before = page.ask("/findings").text
    assert "sessions-names.csv" not in before
    record = {"file_name": "sessions-names.csv", "sha256": "", "refusal": "direct_identifier",
              "message": "it has a column that names persons", "hint": "take the column out",
              "refused_at": "2026-01-01T00:00:00+00:00"}  # fmt: skip
    source = page.root / "inbox/sessions-names.csv"
    source.write_text("client_id,surname\n")
    planted = page.root / "quarantine/planted.refused.json"
    planted.write_text(json.dumps({**record, "sha256": file_sha256(source)}))
    try:
        said = words(page.ask("/findings").text)
        assert "sessions-names.csv it has a column that names persons What to do. take the column out" in said
        assert "1 refused" in words(page.ask("/").text)
    finally:
        planted.unlink()
        source.unlink()


def test_the_codebook_is_searched(page):
    said = words(page.ask("/codebook?word=directiveness_within").text)
    assert "mart_session_directiveness" in said
    with duckdb.connect(str(page.root / "outcomes.duckdb"), read_only=True) as con:
        ((n,),) = con.execute(
            "select count(*) from codebook where column_name is not null and concat_ws('|', table_name, column_name, "
            "description, unit) ilike '%directiveness_within%'"
        ).fetchall()
    assert f"{n} columns with" in said
    assert words(page.ask("/codebook?word=zzzz").text).count("0 columns with") == 1


def test_the_box_answers_what_the_database_says(page):
    said = words(page.question("select count(*) as n, max(session_date) as last from mart_sessions").text)
    with duckdb.connect(str(page.root / "outcomes.duckdb"), read_only=True) as con:
        ((n, last),) = con.execute("select count(*), max(session_date) from mart_sessions").fetchall()
    assert f"n last {n} {last}" in said
    for other in ("describe mart_sessions", "from verdicts", "show tables", "summarize mart_sessions", "values (1)"):
        assert page.question(other).status == 200, other


def test_the_history_has_a_picture_a_measure_and_a_point_a_release(page):
    text = page.ask("/history").text
    assert text.count("<svg") == text.count("<figure>") > 10
    assert "<style" not in text
    assert 'style="' not in text, "the page's policy would not apply it"
    sessions = re.search(r'aria-label="(Sessions, rows, over 2 release\(s\)[^"]*)"', text)
    assert sessions
    with duckdb.connect(str(page.root / "outcomes.duckdb"), read_only=True) as con:
        ((n,),) = con.execute("select count(*) from core_sessions").fetchall()
    assert sessions[1].endswith(f"to {n:,}")


def test_a_study_without_a_release_says_what_to_do(tmp_path):
    with opened_page(create_study(tmp_path / "new").root, tmp_path / "home") as empty:
        for address in ("/", "/findings", "/documents", "/history"):
            assert empty.ask(address).status == 200, address
        assert "outcomes refresh" in empty.ask("/codebook").text
        assert "outcomes refresh" in empty.question("select 1").text


def test_a_study_file_that_is_broken_meanwhile_is_named(page):
    path = page.root / "study.toml"
    kept = path.read_bytes()
    path.write_bytes(b"[study\n")
    try:
        answer = page.ask("/")
        assert answer.status in (404, 500)
        assert "not valid TOML" in answer.text
    finally:
        path.write_bytes(kept)


def test_a_port_that_is_taken_is_said(page, outcomes):
    run = outcomes("ui", page.root, "--port", page.port)
    assert run.returncode == 2
    assert f"Port {page.port}" in run.stderr
