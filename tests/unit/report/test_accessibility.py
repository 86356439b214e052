"""Every document under axe-core, in light at a desk and in dark on a phone: nothing is found."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe import LOOKS, found
from test_documents import sources

from outcomes.report.explorer.page import explorer
from outcomes.report.write import documents, write_report
from outcomes.study.tables.delivery import WRITTEN


@pytest.fixture(scope="module")
def folder(fitted_release, template_study) -> Path:
    write_report(fitted_release, template_study)
    return fitted_release


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("document", WRITTEN)
def test_axe_finds_nothing(document, look, folder, axe, tmp_path):
    said = found((folder / document.files[0]).read_text(encoding="utf-8"), axe, tmp_path, *LOOKS[look])
    assert said["n"] > 15, "axe must have looked"
    assert said["violations"] == []


@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_nothing_on_the_page_to_point_at(look, folder, template_study, axe, tmp_path):
    con, source = sources(folder, template_study)
    documents(source)
    page = explorer(source)
    con.close()
    said = found(page, axe, tmp_path, *LOOKS[look])
    assert said["n"] > 15
    assert said["violations"] == []


def test_axe_finds_what_is_planted(axe, tmp_path):
    page = '<!doctype html><html><head><title></title></head><body><img src="x.png"></body></html>'
    assert {"image-alt", "html-has-lang"} <= {one["rule"] for one in found(page, axe, tmp_path)["violations"]}
