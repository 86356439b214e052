"""The history of a study as small multiples: one picture a measure, one point a release."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import altair as alt
import polars as pl
from altair.utils.schemapi import debug_mode
from markupsafe import Markup

from outcomes.door.release import Release
from outcomes.operate import read_trend
from outcomes.release.manifest import MANIFEST
from outcomes.release.places import KeptRelease, kept_releases
from outcomes.report.figures.style import BAND, BLUE, QUIET, inline_svg
from outcomes.report.page.palette import in_roles
from outcomes.store.files import read_json
from outcomes.study import StudyFolder
from outcomes.ui.reading import rows_of

MOST_RELEASES = 30
_TABLES = {
    "core_clients": "Clients", "core_sessions": "Sessions", "core_episodes": "Courses of therapy",
    "core_quarantine": "Rows in quarantine",
}  # fmt: skip
_WIDTH, _HEIGHT = 232, 92


@dataclass(frozen=True)
class Point:
    """A measure in one release.

    Attributes
    ----------
    place : int
        Of the release, from 1, the oldest first.
    value : float
    low, high : float or None
        Ends of the 95% interval; None where there is none.
    """

    place: int
    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Panel:
    """One small picture: a measure over releases.

    Attributes
    ----------
    title, unit : str
    points : tuple of Point
    n_releases : int
        How many releases all panels show.
    """

    title: str
    unit: str
    points: tuple[Point, ...]
    n_releases: int

    @property
    def last(self) -> str:
        """The measure in the last release that has it."""
        return _short(self.points[-1].value)

    @property
    def description(self) -> str:
        """What the picture shows, in words."""
        first, last = self.points[0].value, self.points[-1].value
        where = f"from {_short(first)} to {_short(last)}" if len(self.points) > 1 else _short(last)
        return f"{self.title}, {self.unit}, over {len(self.points)} release(s): {where}"

    @property
    def svg(self) -> Markup:
        """The picture, its colours as the reader's screen has them."""
        return _drawn(self)


@dataclass(frozen=True)
class Group:
    """Panels that belong together.

    Attributes
    ----------
    title : str
    panels : tuple of Panel
    """

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True)
class History:
    """The measures of the last releases.

    Attributes
    ----------
    releases : tuple of KeptRelease
        The oldest first.
    groups : tuple of Group
    """

    releases: tuple[KeptRelease, ...]
    groups: tuple[Group, ...]


def read_history(study: StudyFolder) -> History:
    """Read rows, findings, main estimates and seconds of the last releases."""
    releases = kept_releases(study)[-MOST_RELEASES:]
    trend = {found.release_id: found for found in read_trend(study)}
    manifests = [read_json(kept.folder / MANIFEST) for kept in releases]
    by_title: dict[str, dict[tuple[str, str], list[Point]]] = {"Data": {}, "Models": {}, "Time": {}}

    def add(group: str, title: str, unit: str, point: Point) -> None:
        by_title[group].setdefault((title, unit), []).append(point)

    for place, (kept, manifest) in enumerate(zip(releases, manifests, strict=True), start=1):
        for table in (one for one in _TABLES if one in manifest["row_counts"]):
            add("Data", _TABLES[table], "rows", Point(place, manifest["row_counts"][table]))
        found = trend[kept.release_id]
        add("Data", "Open findings", "checks", Point(place, found.n_open))
        for row in _estimates(study, kept):
            title = f"{row['model']}: {row['term']}"
            add("Models", title, row["unit"], Point(place, row["estimate"], row["conf_low"], row["conf_high"]))
        for step, seconds in manifest.get("timings_seconds", {}).items():
            add("Time", f"Step {step}", "seconds", Point(place, seconds))
    groups = tuple(
        Group(title, tuple(Panel(*name, tuple(points), len(releases)) for name, points in panels.items()))
        for title, panels in by_title.items()
        if panels
    )
    return History(releases, groups)


def _estimates(study: StudyFolder, kept: KeptRelease) -> list[Mapping]:
    """The terms of guidance in the declared models, as they were fitted, each with its unit."""
    with Release(kept, study.settings.study.name) as release:
        rows = rows_of(lambda: release.estimates)
        kinds = {row["model"]: row["kind"] for row in rows_of(lambda: release.table("model_specs").pl())}
    return [
        {**row, "unit": "points" if kinds.get(row["model"]) == "linear" else "logits"}
        for row in sorted(rows, key=lambda row: row["model"])
        if row["variant"] == "main" and row["estimate"] is not None and "directiveness" in row["term"]
    ]


@lru_cache(maxsize=512)  # a release never changes, and so does a picture of some
def _drawn(panel: Panel) -> Markup:
    frame = pl.DataFrame(
        [(p.place, float(p.value), p.low, p.high) for p in panel.points],
        schema={"place": pl.Int64, "value": pl.Float64, "low": pl.Float64, "high": pl.Float64},
        orient="row",
    )
    has_interval = frame["low"].null_count() < frame.height
    x = alt.X(
        "place:Q", title=None, scale=alt.Scale(domain=[0.6, panel.n_releases + 0.4], nice=False),
        axis=alt.Axis(values=sorted({1, panel.n_releases}), format="d", grid=False),
    )  # fmt: skip
    most = frame["value"].max() or 1.0
    scale = alt.Scale(zero=False) if has_interval else alt.Scale(domain=[0, most * 1.1])
    y = alt.Y("value:Q", title=None, scale=scale, axis=alt.Axis(tickCount=3, minExtent=38))
    base = alt.Chart(frame)
    layers = [
        base.mark_line(color=BLUE, strokeWidth=1.5).encode(x=x, y=y),
        base.mark_point(color=BLUE, filled=True, size=36, opacity=1).encode(x=x, y=y),
    ]
    if has_interval:
        zero = alt.Chart(pl.DataFrame({"value": [0.0]})).mark_rule(color=QUIET, strokeDash=[2, 3]).encode(y=y)
        bars = base.mark_rule(color=BAND, strokeWidth=5).encode(x=x, y=alt.Y("low:Q", scale=scale), y2="high:Q")
        layers = [zero, bars, *layers]
    with debug_mode(False):
        return Markup(in_roles(inline_svg(alt.layer(*layers).properties(width=_WIDTH, height=_HEIGHT))))


def _short(value: float) -> str:
    """A number as a person reads it in a small picture."""
    return f"{value:,.0f}" if float(value).is_integer() or abs(value) >= 1000 else f"{value:.3g}"
