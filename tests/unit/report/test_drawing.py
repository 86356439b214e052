"""Charts put together as plain Vega-Lite are drawn as Altair's own layers and rows are, without its copies."""

from __future__ import annotations

import altair as alt
import polars as pl
import pytest
import vl_convert

from outcomes.report.figures.drawing import above, beside, drawing, layer
from outcomes.report.figures.style import finished
from outcomes.report.figures.svg import drawing_aside, drawn, svg

ROWS, OTHERS = pl.DataFrame({"x": [1.0, 2.0, 3.0], "y": [2.0, 1.0, 4.0]}), pl.DataFrame({"x": [0.5], "y": [3.0]})


def charts() -> list[alt.Chart]:
    base = alt.Chart(ROWS)
    x, y = alt.X("x:Q", title="Place"), alt.Y("y:Q", title=None)
    marks = [base.mark_line(), base.mark_point(), alt.Chart(OTHERS).mark_point()]
    return [mark.encode(x=x, y=y) for mark in marks]


@pytest.mark.parametrize(
    ("own", "altairs"),
    [
        (lambda c: layer(*c).sized(200, 100, alt.TitleParams("T")),
         lambda c: alt.layer(*c).properties(width=200, height=100, title=alt.TitleParams("T"))),
        (lambda c: above(c[0], layer(*c[1:]), spacing=4), lambda c: alt.vconcat(c[0], alt.layer(*c[1:]), spacing=4)),
        (lambda c: beside(c[0], c[2], spacing=4), lambda c: alt.hconcat(c[0], c[2], spacing=4)),
    ],
    ids=["layers", "above", "beside"],
)  # fmt: skip
def test_it_draws_what_altair_draws(own, altairs):
    config = finished(drawing(charts()[0]))["config"]
    expected = altairs(charts()).to_dict() | {"config": config}
    assert vl_convert.vegalite_to_svg(finished(own(charts()))) == vl_convert.vegalite_to_svg(expected)


def test_the_charts_that_were_put_in_are_not_changed():
    made = charts()
    before = [chart.to_dict() for chart in made]
    layer(*made).sized(200, 100)
    assert [chart.to_dict() for chart in made] == before


SPEC = {
    "data": {"values": [{"a": 0.5}, {"a": 1.5}]},
    "mark": "point",
    "encoding": {"x": {"field": "a", "type": "quantitative"}},
}


def test_a_picture_drawn_aside_is_the_one_drawn_at_once():
    numbers = {"decimal": ",", "thousands": ".", "grouping": [3], "currency": ["", ""]}
    with drawing_aside():
        aside = [drawn(SPEC, wanted) for wanted in (None, numbers)]
        assert [picture() for picture in aside] == [svg(SPEC, None), svg(SPEC, numbers)]
    assert "0,2<" in svg(SPEC, numbers)
    assert drawn(SPEC, None)() == svg(SPEC, None), "outside of the block it is drawn at once"


def test_a_picture_has_the_same_ids_whenever_it_is_drawn():
    """The library numbers ids through all pictures of a process; two equal releases would differ in them."""
    clipped = SPEC | {"mark": {"type": "point", "clip": True}}
    first = svg(clipped, None)
    svg(clipped | {"title": "another"}, None)
    assert 'id="fig-' in first
    assert svg(clipped, None) == first


def test_what_cannot_be_drawn_aside_is_said_where_the_picture_is_wanted():
    with drawing_aside():
        picture = drawn({"mark": {"type": "nonsense"}}, None)
        with pytest.raises(ValueError, match="conversion failed"):
            picture()
