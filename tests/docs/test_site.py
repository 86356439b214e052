"""The documentation becomes a site whose every link leads somewhere, and that asks no other server for anything."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """Build the site; a link or an anchor that leads nowhere, or a page outside the contents, ends the build."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--site-dir", folder],
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_every_page_of_the_docs_is_in_the_site(site):
    pages = {path.relative_to(ROOT / "docs").with_suffix("") for path in (ROOT / "docs").rglob("*.md")}
    shown = {path.relative_to(site).with_suffix("") for path in site.rglob("*.html")}
    assert {page if page.name != "README" else page.with_name("index") for page in pages} <= shown


def test_the_pages_load_nothing_from_elsewhere(site):
    loaded = re.compile(
        r"""<(?:script|img|iframe|source)[^>]+src=["']?https?:|<link[^>]+rel=["']?(?:stylesheet|preload)["']?[^>]+href=["']?https?:"""
    )
    assert [path.name for path in site.rglob("*.html") if loaded.search(path.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("door", ("open_study", "Study", "Release", "OwnFit")),
        ("mixed-models", ("fit_linear", "fit_binomial", "fit_dynamic", "LinearFit")),
        ("methods", ("two_lines_test", "response_surface", "cumulative_incidence")),
    ],
)
def test_the_reference_is_made_from_the_docstrings(site, page, names):
    text = (site / "reference" / f"{page}.html").read_text(encoding="utf-8")
    for name in names:
        assert re.search(rf'id="outcomes\.[\w.]*{name}"', text), name
