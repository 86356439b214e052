"""Charts put together as plain Vega-Lite: in layers, above and beside each other.

Altair's own `layer` and `concat` copy every chart that is put into them, to look for selections that ours have not; for
the pictures of a release that took nearly as much processor time as drawing them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import altair as alt


@dataclass(frozen=True)
class Drawing:
    """A chart as Vega-Lite.

    Attributes
    ----------
    spec : dict
        Without data.
    datasets : dict
        Rows by the names that the spec has for them.
    """

    spec: dict[str, Any]
    datasets: dict[str, Any]

    def sized(self, width: float, height: float, title: alt.TitleParams | None = None) -> Drawing:
        """The same with width and height of its plotting area, and a title."""
        said = {"title": title.to_dict(validate=False)} if title else {}
        return replace(self, spec=self.spec | {"width": width, "height": height} | said)

    def asking(self, question: alt.Parameter) -> Drawing:
        """The same with an input of the reader's, for the whole chart."""
        return replace(self, spec=self.spec | {"params": [question.param.to_dict(validate=False)]})


def drawing(chart: alt.TopLevelMixin | Drawing) -> Drawing:
    """Return a chart as Vega-Lite."""
    if isinstance(chart, Drawing):
        return chart
    datasets: dict[str, Any] = {}
    spec = chart.to_dict(validate=False, context={"top_level": False, "datasets": datasets})
    return Drawing(spec, datasets)


def layer(*charts: alt.Chart | Drawing) -> Drawing:
    """Put charts on each other, the last on top."""
    return _together("layer", charts, {})


def above(*charts: alt.Chart | Drawing, spacing: float) -> Drawing:
    """Put charts above each other, so many px apart."""
    return _together("vconcat", charts, {"spacing": spacing})


def beside(*charts: alt.Chart | Drawing, spacing: float) -> Drawing:
    """Put charts beside each other, so many px apart."""
    return _together("hconcat", charts, {"spacing": spacing})


def _together(how: str, charts: tuple[alt.Chart | Drawing, ...], more: dict[str, Any]) -> Drawing:
    parts = [drawing(chart) for chart in charts]
    datasets = {name: rows for part in parts for name, rows in part.datasets.items()}
    return Drawing({how: [part.spec for part in parts]} | more, datasets)
