"""The explorer as one HTML file: scripts inside, nothing from outside, and the numbers as tables for those without."""

from __future__ import annotations

import json
from dataclasses import replace

import vl_convert
from altair.utils.schemapi import debug_mode
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from outcomes.languages import ENGLISH, speaking, spoken
from outcomes.report.documents.annex import in_english
from outcomes.report.documents.pages import page_with
from outcomes.report.explorer.views import View, views
from outcomes.report.figures.drawing import Drawing
from outcomes.report.figures.style import NARROW, WIDE, finished
from outcomes.report.page.blocks import Notice, table
from outcomes.report.page.html import html, styles
from outcomes.report.page.palette import in_variables
from outcomes.report.page.pieces import Given, Kind, Link, say
from outcomes.report.sections.report_section import Source
from outcomes.study.tables.delivery import Document

POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"
"""What the page may load: nothing. A browser keeps to it whatever the scripts in it try."""
_START = """
const views = JSON.parse(document.getElementById("views").textContent);
const isPhone = window.matchMedia("(max-width: 640px)").matches;
for (const [name, specs] of Object.entries(views)) {
  vegaEmbed(document.getElementById("view-" + name), isPhone ? specs.narrow : specs.wide,
    {mode: "vega-lite", ast: true, actions: false, renderer: "svg", tooltip: {theme: "custom"}});
}
"""
NOTHING = "These data show nothing that could be explored; the annex says why."


def explorer(source: Source) -> str:
    """Return the page of a release, in English; make it after the annex, whose numbers it repeats."""
    notice = in_english(spoken("This page is in English. Brief and report say the findings in your language."))
    with speaking(ENGLISH):
        return _explored(source, notice)


def _explored(source: Source, notice: Notice | None) -> str:
    found = views(source)
    page = replace(page_with(source, Document.EXPLORER, "those who want to look closer", ()), notice=notice)
    environment = Environment(
        loader=PackageLoader(__package__, "."), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    with debug_mode(False):
        specs = {view.name: {"wide": _spec(view.draw(WIDE)), "narrow": _spec(view.draw(NARROW))} for view in found}
    return environment.get_template("explorer.html").render(
        page=page, css=styles(), policy=POLICY, nothing=NOTHING,
        views=[(view, _table(view)) for view in found], specs=_as_json(specs), script=_script() if found else "",
        annex=html(say("{annex} has the pictures without scripts.", annex=Link("The annex", Document.ANNEX.files[0]))),
    )  # fmt: skip


def _spec(drawn: Drawing) -> dict:
    """The chart in the reader's colours, without the address of its schema."""
    return {name: value for name, value in finished(drawn).items() if name != "$schema"}


def _as_json(specs: dict) -> Markup:
    """JSON that can stand in a script element: no text of it can end that."""
    text = in_variables(json.dumps(specs))
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


def _script() -> Markup:
    bundle = vl_convert.javascript_bundle(_START)
    return Markup(bundle.replace("</script", "<\\/script"))


def _table(view: View) -> Markup:
    """What is drawn, as rows."""
    rows = [tuple(Given(_number(cell), Kind.COUNT) for cell in row) for row in view.rows.iter_rows()]
    head = tuple(Given(name) for name in view.rows.columns)
    return html(replace(table(head, rows), caption=view.title))


def _number(cell: object) -> str:
    """A cell as it is read."""
    if isinstance(cell, float):
        return f"{cell:g}".replace("-", "\N{MINUS SIGN}")
    return f"{cell:,}" if isinstance(cell, int) else str(cell)
