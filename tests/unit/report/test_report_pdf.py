"""The report as PDF: nothing lost, nothing cut, nothing run as code, the same bytes."""

from __future__ import annotations

import re
import shutil
import subprocess
from datetime import date
from html import escape
from pathlib import Path

import pytest
from page_text import visible_text

import outcomes.report
from outcomes.errors import StepFailed
from outcomes.report import is_written, write_report
from outcomes.report.page.page_tree import BLOCKS, LEFT_OUT, SPANS, read_page
from outcomes.report.page.pdf import pdf_of

MARGIN, WIDTH, HEIGHT = 20 / 25.4 * 72, 595.3, 841.9  # points
HOSTILE = (
    '#panic("x") \\u{41} #sys.inputs "]) $x^2$ @ref <label> *bold* // rest /* rest */ = head\n- item `raw` ~ --- \\'
)


@pytest.fixture
def read(tmp_path):
    """Run poppler's pdftotext over a PDF."""
    if not shutil.which("pdftotext"):
        pytest.skip("pdftotext (poppler-utils) is not installed: nothing else reads the PDF back")

    def read(pdf: bytes, *options: str) -> str:
        path = tmp_path / "read.pdf"
        path.write_bytes(pdf)
        return subprocess.run(["pdftotext", *options, path, "-"], check=True, capture_output=True, text=True).stdout

    return read


RELEASE_ID = "0123456789ab"  # of the synthetic release


def made(body: str, title: str = "A title") -> bytes:
    page = f'<!doctype html><html lang="en"><head><title>{escape(title)}</title></head><body>{body}</body></html>'
    return pdf_of(page, "The study", "aaaaaaaaaaaa", date(2026, 1, 2))


def words_outside(boxes: str) -> list[str]:
    """Words of `pdftotext -bbox` that reach into the margin at the sides or stand beyond the page's text."""
    return [
        word
        for left, top, right, bottom, word in re.findall(
            r'<word xMin="([\d.-]+)" yMin="([\d.-]+)" xMax="([\d.-]+)" yMax="([\d.-]+)">(.*?)</word>', boxes
        )
        if float(left) < MARGIN - 2
        or float(right) > WIDTH - MARGIN + 2
        or float(top) < 20
        or float(bottom) > HEIGHT - 20
    ]


@pytest.fixture(scope="module")
def written(fitted_release, template_study):
    page = write_report(fitted_release, template_study).read_text(encoding="utf-8")
    return page, (fitted_release / "report.pdf").read_bytes()


def test_the_same_release_gives_the_same_bytes(written, fitted_release, template_study):
    (fitted_release / "report.pdf").unlink()
    assert not is_written(fitted_release, template_study, RELEASE_ID)
    write_report(fitted_release, template_study)
    assert is_written(fitted_release, template_study, RELEASE_ID)
    assert (fitted_release / "report.pdf").read_bytes() == written[1]


def test_it_is_tagged_and_archival_with_title_and_language(written):
    _, pdf = written
    for mark in (b"<pdfaid:part>2<", b"<pdfaid:conformance>A<", b"<pdfuaid:part>1<", b"/Marked true", b"/Lang(en)"):
        assert mark in pdf
    assert re.search(rb"<dc:title>.*?Practice outcomes.*?</dc:title>", pdf, re.DOTALL)


def test_every_word_of_the_page_is_in_it_and_none_is_cut_off(written, read):
    page, pdf = written
    page = re.sub(
        r'<div class="narrow">.*?</svg></div>|aria-label="[^"]*"|<(title|nav)\b.*?</\1>', "", page, flags=re.DOTALL
    )
    wanted = set(re.findall(r"\w+", visible_text(page)))
    assert wanted - set(re.findall(r"\w+", read(pdf))) == set()
    assert words_outside(read(pdf, "-bbox")) == []


def test_each_page_has_its_number_and_the_release(written, read):
    pages = read(written[1], "-layout").split("\f")[:-1]
    assert len(pages) > 2
    for number, page in enumerate(pages, start=1):
        assert re.search(rf"{number} ?/ ?{len(pages)}\b", page)
        assert re.search(r"release \w+", page)
        assert number == 1 or "Practice outcomes" in page


def test_every_element_of_the_templates_is_known():
    known = SPANS | BLOCKS | LEFT_OUT
    folder = Path(outcomes.report.__file__).parent
    templates = [*folder.glob("*.html"), folder / "html.py"]
    used = {tag for path in templates for tag in re.findall(r"<([a-z][a-z0-9]*)\b", path.read_text(encoding="utf-8"))}
    assert len(used) > 10
    assert used - known == set()


@pytest.mark.parametrize("body", ["<marquee>a</marquee>", "<p>a", "<p>a</div>", "<b><p>a</p></b>"])
def test_a_page_that_is_not_understood_is_refused(body):
    with pytest.raises(StepFailed, match="cannot be made into a PDF"):
        made(f"<h1>a</h1>{body}")


@pytest.mark.parametrize(
    "place", ["<h1>{}</h1>", "<p>{}</p>", "<table><tr><td>{}</td></tr></table>", "<ul><li>{}</li></ul>"]
)
def test_hostile_text_stays_text(place, read):
    said = read(made(place.format(escape(HOSTILE)), title=HOSTILE))
    assert '#panic("x") \\u{41} #sys.inputs "]) $x^2$ @ref <label> *bold* // rest /* rest */ = head' in " ".join(
        said.split()
    )


def test_a_link_that_would_run_something_or_lead_nowhere_is_text_only(read):
    pdf = made(
        '<h1>a</h1><p><a href="javascript:alert(1)">one</a> <a href="#gone">two</a> <a href="#here">three</a> '
        '<a href="https://example.org/x">four</a></p><section id="here"><h2>Here</h2></section>'
    )
    assert [word in read(pdf) for word in ("one", "two", "three", "four")] == [True] * 4
    assert b"javascript" not in pdf
    assert pdf.count(b"/Subtype/Link") == 2


def test_characters_without_a_glyph_are_replaced_and_it_is_said(read):
    said = read(made("<h1>Studie Größe</h1><p>心理療法 \U0001f600 \ue000 kept</p>"))
    assert "Größe" in said
    assert "kept" in said
    assert said.count("\N{REPLACEMENT CHARACTER}") == 7
    assert "Some characters have no form" in said
    assert "Some characters" not in read(made("<h1>Größe, Łódź, Ωμέγα, Жизнь, ≤ −1</h1>"))


def test_a_wide_table_of_long_words_stays_within_the_margins(read):
    row = "".join(
        f"<td>{word}</td>" for word in ["a" * 70, "directiveness_therapist_mean", "b " * 60, *["1,234.56"] * 7]
    )
    head = "".join(f"<th>column_{n}</th>" for n in range(10))
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{f'<tr>{row}</tr>' * 60}</tbody></table>"
    pdf = made(f"<h1>a</h1>{table}<p>{'x' * 300}</p>")
    assert words_outside(read(pdf, "-bbox")) == []
    pages = read(pdf).split("\f")[:-1]
    assert len(pages) > 3
    assert all("column_" in page for page in pages if "1,234.56" in page), "the header is repeated"


@pytest.mark.parametrize(("width", "height"), [(600, 400), (300, 4000), (4000, 300)])
def test_a_picture_of_any_shape_is_whole_on_its_page_with_its_caption(width, height, read):
    labels = f'<text x="0" y="20">topmost</text><text x="{width}" y="{height - 4}" text-anchor="end">lowest</text>'
    drawing = f'<svg viewBox="0 0 {width} {height}" aria-label="What it shows">{labels}</svg>'
    screen = drawing.replace("lowest", "phone")
    figure = (
        f'<figure><div>{drawing}</div><div class="narrow">{screen}</div><figcaption>A caption</figcaption></figure>'
    )
    pdf = made(f"<h1>a</h1>{'<p>filler</p>' * 30}{figure}")
    assert words_outside(read(pdf, "-bbox")) == []
    (page,) = [page for page in read(pdf).split("\f") if "topmost" in page]
    assert "lowest" in page
    assert "A caption" in " ".join(page.split())
    assert "phone" not in read(pdf)


def test_what_is_folded_on_the_screen_is_open_on_paper(read):
    said = read(made("<h1>a</h1><details><summary>More</summary><p>folded away</p></details>"))
    assert "More" in said
    assert "folded away" in said


def test_white_space_of_the_source_does_not_reach_the_text():
    page = read_page(
        "<html><body><p>\n  one <b>two </b> three\n</p>four <i>five</i><ul>\n<li>six</li></ul></body></html>"
    )
    paragraph, run, listed = page["blocks"][0]["children"]
    assert [c if isinstance(c, str) else c["children"][0] for c in paragraph["children"]] == ["one ", "two ", "three"]
    assert run["name"] == "run"
    assert listed["children"][0]["children"] == ["six"]
