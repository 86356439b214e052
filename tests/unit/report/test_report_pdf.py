"""The report as PDF: nothing lost, nothing cut, nothing run as code, the same bytes."""

from __future__ import annotations

import re
import shutil
import subprocess
from datetime import date
from typing import get_args

import pytest
from markupsafe import Markup
from page_text import visible_text

from outcomes.mixed import FitStatus
from outcomes.report.page.blocks import (
    Block,
    Page,
    Picture,
    Section,
    bullets,
    fold,
    heading,
    headline,
    note,
    paragraph,
    table,
)
from outcomes.report.page.html import html
from outcomes.report.page.pdf import pdf
from outcomes.report.page.pieces import Estimate, Given, Piece, Strong, Unsaid, Words, say, words
from outcomes.report.page.spans import Look, spans
from outcomes.report.page.typeset import typeset
from outcomes.report.write import is_written, write_report
from outcomes.study.tables.delivery import Document

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


def page(
    *blocks: Block, title: str = "A title", section: str = "A section", document: Document = Document.ANNEX
) -> Page:
    """A page of one section; an annex has contents too."""
    sections = (Section("one", section, blocks),)
    return Page(
        document, title, "The study", "A question?", "readers", "en", "aaaaaaaaaaaa", date(2026, 1, 2), sections
    )


def made(*blocks: Block, **titles: str | Document) -> bytes:
    return pdf(page(*blocks, **titles))


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
    page = write_report(fitted_release, template_study).with_name("annex.html").read_text(encoding="utf-8")
    return page, (fitted_release / "annex.pdf").read_bytes()


def test_the_same_release_gives_the_same_bytes(written, fitted_release, template_study):
    (fitted_release / "annex.pdf").unlink()
    assert not is_written(fitted_release, template_study, RELEASE_ID)
    write_report(fitted_release, template_study)
    assert is_written(fitted_release, template_study, RELEASE_ID)
    assert (fitted_release / "annex.pdf").read_bytes() == written[1]


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


def test_a_table_wider_than_the_line_keeps_room_for_its_words():
    number, short = Given("92% (62% to 100%)"), Given("0.05")
    head = ("Question", "Smallest effect detected", "Worth detecting from", "Effect detected", "Effect detected")
    wide = typeset(table(head, [("Why? " * 30, short, short, number, number)]))["widths"]
    assert wide[0] > wide[3] == wide[4] > len(number.text)
    assert wide[1] > len("detected")
    assert typeset(table(("Question", "Answer"), [("Why?", number)]))["widths"] == []
    signed = Given("+0.27 (+0.25 to +0.28) ✓")
    rows = [("more guidance than usual for the client", *[signed] * 4)]
    four = typeset(table(("Satisfaction where", *["low"] * 4), rows))["widths"]
    assert four[0] > len("satisfaction")  # no word of it breaks
    assert four[1] == four[4] > len(signed.text)


def test_each_page_has_its_number_and_the_release(written, read):
    pages = read(written[1], "-layout").split("\f")[:-1]
    assert len(pages) > 2
    for number, page in enumerate(pages, start=1):
        assert re.search(rf"{number} ?/ ?{len(pages)}\b", page)
        assert re.search(r"release \w+", page)
        assert number == 1 or "Practice outcomes" in page


@pytest.mark.parametrize("write", [html, typeset])
def test_every_kind_of_block_can_be_written(write):
    kinds = [*get_args(Block), Section, Page]
    assert len(kinds) > 7
    assert all(write.dispatch(kind) is not write.dispatch(object) for kind in kinds)


def test_every_kind_of_piece_reads_the_same_on_the_page_and_on_paper():
    kinds = get_args(Piece)
    assert len(kinds) > 5
    assert all(spans.dispatch(kind) is not spans.dispatch(object) for kind in kinds)


@pytest.mark.parametrize("write", [html, typeset, spans])
@pytest.mark.parametrize("part", [None, 3, b"raw", ["a"], {"kind": "paragraph"}], ids=repr)
def test_a_part_of_a_page_that_is_not_understood_is_refused(write, part):
    with pytest.raises(TypeError, match=type(part).__name__):
        write(part)


def test_every_look_is_set_on_paper(read):
    estimate = Estimate(0.2, 0.1, 0.3, FitStatus.CONVERGED)
    pieces = ("plain", Strong("strong"), estimate, Unsaid(FitStatus.REFUSED, "unsaid"))
    assert {span.look for piece in pieces for span in spans(piece)} == set(Look)
    line = "plainstrong0.20 (95% interval 0.10 to 0.30) ✓unsaid"
    assert line in " ".join(read(made(paragraph(Words(pieces)))).split())


@pytest.mark.parametrize(
    "place",
    [
        paragraph,
        headline,
        note,
        heading,
        bullets,
        fold,
        lambda text: paragraph(Unsaid(FitStatus.REFUSED, text.text)),
        lambda text: table(("a",), [(text,)]),
        lambda text: table((text,), []),
    ],
)
def test_hostile_text_stays_text(place, read):
    said = " ".join(read(made(place(Given(HOSTILE)))).split())
    assert '#panic("x") \\u{41} #sys.inputs "]) $x^2$ @ref <label> *bold* // rest /* rest */ = head' in said


def test_hostile_titles_and_captions_stay_text(read):
    drawing = Markup('<svg viewBox="0 0 60 40"></svg>')
    figure = Picture(lambda: drawing, lambda: drawing, words(Given(HOSTILE)), description=HOSTILE)
    for document, n in ((Document.REPORT, 3), (Document.ANNEX, 4)):  # the annex has its sections in its contents too
        said = " ".join(read(made(figure, title=HOSTILE, section=HOSTILE, document=document)).split())
        assert said.count("#sys.inputs") == n


def test_a_link_in_a_text_is_text_only(read):
    link = '<a href="javascript:alert(1)">one</a> https://example.org/x #link("https://example.org/y")'
    made_of_links = made(paragraph(Given(link)), document=Document.REPORT)
    assert "one" in read(made_of_links)
    assert b"/Subtype/Link" not in made_of_links
    assert b"/JavaScript" not in made_of_links


def test_characters_without_a_glyph_are_replaced_and_it_is_said(read):
    said = read(made(paragraph("心理療法 \U0001f600 \ue000 kept"), title="Studie Größe"))
    assert "Größe" in said
    assert "kept" in said
    assert said.count("\N{REPLACEMENT CHARACTER}") == 7
    assert "Some characters have no form" in said
    assert "Some characters" not in read(made(title="Größe, Łódź, Ωμέγα, Жизнь, ≤ −1"))


def test_a_wide_table_of_long_words_stays_within_the_margins(read):
    row = tuple(map(Given, ["a" * 70, "directiveness_therapist_mean", "b " * 60, *["1,234.56"] * 7]))
    head = tuple(Given(f"column_{n}") for n in range(10))
    wide = made(table(head, [row] * 60), paragraph("x" * 300))
    assert words_outside(read(wide, "-bbox")) == []
    pages = read(wide).split("\f")[:-1]
    assert len(pages) > 3
    assert all("column_" in page for page in pages if "1,234.56" in page), "the header is repeated"


@pytest.mark.parametrize(("width", "height"), [(600, 400), (300, 4000), (4000, 300)])
def test_a_picture_of_any_shape_is_whole_on_its_page_with_its_caption(width, height, read):
    labels = f'<text x="0" y="20">topmost</text><text x="{width}" y="{height - 4}" text-anchor="end">lowest</text>'
    drawing = Markup(f'<svg viewBox="0 0 {width} {height}">{labels}</svg>')
    screen = drawing.replace("lowest", "phone")
    figure = Picture(lambda: drawing, lambda: screen, words("A caption"), "What it shows")
    drawn = made(*[paragraph("filler")] * 30, figure)
    assert words_outside(read(drawn, "-bbox")) == []
    (page,) = [page for page in read(drawn).split("\f") if "topmost" in page]
    assert "lowest" in page
    assert "A caption" in " ".join(page.split())
    assert "phone" not in read(drawn)


def test_what_is_folded_on_the_screen_is_open_on_paper(read):
    said = read(made(fold("More", paragraph("folded away"))))
    assert "More" in said
    assert "folded away" in said


def test_white_space_of_the_source_does_not_reach_the_text():
    said = say("\n  one {two} three\n{none} ", two=Strong("two "), none="")
    assert [span["text"] for span in typeset(paragraph(said))["words"]] == ["one ", "two ", "three"]
