"""The page to point at: only where asked for, nothing from outside, the numbers of the release and no others."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tomllib

import duckdb
import pytest
from axe import BROWSER, FLAGS
from page_text import visible_text
from test_documents import sources

from outcomes.answers.dropout.tables import RATES
from outcomes.report.explorer.page import POLICY, explorer
from outcomes.report.explorer.views import views
from outcomes.report.write import documents, is_written, write_report
from outcomes.study import StudyFolder
from outcomes.study.tables.delivery import Document


@pytest.fixture(scope="module")
def release(fitted_release, tmp_path_factory):
    """The synthetic release, whose curve's fit did not converge, as if it had."""
    folder = shutil.copytree(fitted_release, tmp_path_factory.mktemp("explored") / "release")
    with duckdb.connect(str(folder / "outcomes.duckdb")) as con:
        con.execute("update model_curves set status = 'converged'")
    return folder


@pytest.fixture(scope="module")
def source(release, template_study):
    con, made = sources(release, template_study)
    documents(made)  # the explorer comes after them
    yield made
    con.close()


@pytest.fixture(scope="module")
def page(source):
    return explorer(source)


@pytest.fixture
def interactive(tmp_path, template_study, release):
    """A study that asks for the page, and a release of it."""
    root = shutil.copytree(template_study.root, tmp_path / "study")
    path = root / "study.toml"
    text = path.read_text(encoding="utf-8")
    key = "\n[report]\n"
    assert text.count(key) == 1
    path.write_text(text.replace(key, f"{key}interactive = true\n"), encoding="utf-8")
    assert tomllib.loads(path.read_text(encoding="utf-8"))["report"]["interactive"]
    return StudyFolder.open(root), shutil.copytree(release, tmp_path / "release")


def test_it_is_written_only_where_the_study_asks_for_it(interactive, template_study):
    study, release = interactive
    write_report(release, study)
    assert (release / "explorer.html").is_file()
    assert is_written(release, study, "0123456789ab")
    (release / "explorer.html").unlink()
    assert not is_written(release, study, "0123456789ab")
    (release / "explorer.html").write_text("of another time", encoding="utf-8")
    write_report(release, template_study)
    assert not (release / "explorer.html").exists()


def test_nothing_is_loaded_from_outside(page):
    assert re.findall(r"""(?:src|href|action|data)\s*=\s*["']?\s*(?:https?:)?//""", page) == []
    outside = re.sub(r'<script type="module">.*?</script>', "", page, flags=re.DOTALL)  # texts of the libraries
    assert re.findall(r"url\(\s*['\"]?https?:|@import|<link|<iframe|<img|import\s*\(", outside) == []
    assert page.index(f'http-equiv="Content-Security-Policy" content="{POLICY}"'.replace("'", "&#39;")) < page.index(
        "<style"
    )
    assert "unsafe-eval" not in POLICY
    assert "connect-src" not in POLICY  # so that `default-src 'none'` holds for it


def test_specs_name_no_address_and_cannot_end_their_script(source, page):
    text = re.search(r'<script type="application/json" id="views">(.*?)</script>', page, flags=re.DOTALL)[1]
    assert "http" not in text
    assert set(json.loads(text)) == {"surface", "curve", "definitions"}
    hostile = source.settings.scales["directiveness"].model_copy(update={"unit": "</script><b>&"})
    scales = dict(source.settings.scales) | {"directiveness": hostile}
    made = explorer(type(source)(source.con, source.settings.model_copy(update={"scales": scales}), source.teller))
    assert made.count("</script>") == page.count("</script>")
    assert "<b>&" not in made


def rows(source, name):
    (view,) = (one for one in views(source) if one.name == name)
    return view.rows.rows()


def test_shares_are_those_of_the_release(source):
    told = {round(100 * row[0], 0) for row in source.con.execute(f"select estimate from {RATES.name}").fetchall()}
    found = rows(source, "definitions")
    assert len(found) >= 2
    assert {share for _, share, _, _ in found} <= told
    assert all(low <= share <= high for _, share, low, high in found)


def test_the_curve_is_that_of_the_release_as_printed(source):
    sql = "select round(x, 2), estimate from model_curves where curve = 'satisfaction' "
    stored = source.con.execute(sql).fetchall()
    found = rows(source, "curve")
    assert found
    for x, value, low, high in found:
        assert any(place == x and abs(value - estimate) <= 0.05 + 1e-9 for place, estimate in stored)
        assert low <= value <= high


def test_sessions_are_told_counts(source):
    told = {cell.value for cell in source.teller.told.counts.values()} - {None}
    found = rows(source, "surface")
    assert found
    assert {sessions for *_, sessions in found} <= told
    assert all(round(height, 1) == height for _, _, height, _ in found)


def test_no_count_is_told_that_the_other_documents_do_not_tell(release, template_study):
    con, made = sources(release, template_study)
    with con:
        documents(made)
        before = set(made.teller.told.counts), set(made.teller.told.tables)
        explorer(made)
        assert (set(made.teller.told.counts), set(made.teller.told.tables)) == before


def test_numbers_can_be_read_without_scripts(page, source):
    text = visible_text(re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL))
    assert "This picture needs scripts" in text
    for label, share, low, high in rows(source, "definitions"):
        assert f"{label} {share:g} {low:g} {high:g}" in text


def test_a_browser_without_network_draws_all_pictures(page, tmp_path):
    if BROWSER is None:
        pytest.skip("no Chromium on this machine")
    path = tmp_path / "explorer.html"
    path.write_text(page, encoding="utf-8")
    done = subprocess.run(
        [BROWSER, *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=20000",
         "--host-resolver-rules=MAP * ~NOTFOUND", "--enable-logging=stderr", "--dump-dom", path.as_uri()],
        capture_output=True, text=True, timeout=600, check=True,
    )  # fmt: skip
    assert len(re.findall(r'<div class="view[^>]*id="view-\w+".*?<svg', done.stdout, flags=re.DOTALL)) == 3
    assert 'type="range"' in done.stdout
    assert "<select" in done.stdout
    assert "CONSOLE" not in done.stderr, "an error, or a load that the page's policy stopped"


def test_it_has_a_name_in_deliveries_and_no_pdf():
    assert Document.EXPLORER.files == ("explorer.html",)
