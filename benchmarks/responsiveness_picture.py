"""The picture of docs/responsiveness.md: a link between guidance and satisfaction that no effect has made.

python benchmarks/responsiveness_picture.py --out docs/images/responsiveness.svg
"""

from __future__ import annotations

import argparse
from pathlib import Path

import altair as alt
import numpy as np
import polars as pl

SEED = 11
CLIENTS, SESSIONS = 400, 12
RESPOND, SERIAL = 0.35, 0.4  # field guide, section 6
SHOWN = 0


def one_world() -> pl.DataFrame:
    """Satisfaction lasts from week to week, therapists guide more after good sessions; guidance does nothing."""
    rng = np.random.default_rng(SEED)
    good = rng.normal(size=CLIENTS)
    guidance = rng.normal(size=CLIENTS)
    rows = []
    for t in range(1, SESSIONS + 1):
        rows.append(
            pl.DataFrame({"client": np.arange(CLIENTS), "session": t, "guidance": guidance, "satisfaction": good})
        )
        guidance = RESPOND * good + rng.normal(size=CLIENTS)
        good = SERIAL * good + np.sqrt(1 - SERIAL**2) * rng.normal(size=CLIENTS)
    return pl.concat(rows)


def picture(sessions: pl.DataFrame) -> alt.HConcatChart:
    """One client's course, and all sessions: as they are, and what is left when the session before is known."""
    course = sessions.filter(client=SHOWN).unpivot(
        ["guidance", "satisfaction"], index="session", variable_name="rating", value_name="points"
    )
    left = (
        alt.Chart(course.to_pandas(), title="One client: guidance follows satisfaction")
        .mark_line(point=True)
        .encode(
            x=alt.X("session:Q", title="session", scale=alt.Scale(domain=[1, SESSIONS])),
            y=alt.Y("points:Q", title="above or below what is usual"),
            color=alt.Color("rating:N", title=None, legend=alt.Legend(orient="bottom")),
            strokeDash=alt.StrokeDash("rating:N", title=None),
        )
        .properties(width=260, height=200)
    )
    later = sessions.sort("client", "session").with_columns(
        before=pl.col("satisfaction").shift(1).over("client"), earlier=pl.col("guidance").shift(1).over("client")
    )
    later = later.drop_nulls()
    X = np.column_stack([np.ones(later.height), later["before"], later["earlier"]])
    bins = []
    for title, parts in (
        ("as they are", later.select("guidance", "satisfaction").to_numpy()),
        ("the session before known", _left(X, later.select("guidance", "satisfaction").to_numpy())),
    ):
        edges = np.quantile(parts[:, 0], np.linspace(0, 1, 11))
        group = np.clip(np.searchsorted(edges, parts[:, 0]) - 1, 0, 9)
        for i in range(10):
            mine = parts[group == i]
            bins.append((title, float(mine[:, 0].mean()), float(mine[:, 1].mean())))
    frame = pl.DataFrame(bins, schema=["sessions", "guidance", "satisfaction"], orient="row")
    right = (
        alt.Chart(frame.to_pandas(), title="All sessions: a link without any effect")
        .mark_line(point=True)
        .encode(
            x=alt.X("guidance:Q", title="guidance in the session"),
            y=alt.Y("satisfaction:Q", title="mean satisfaction", scale=alt.Scale(domain=[-0.4, 0.4])),
            color=alt.Color("sessions:N", title=None, legend=alt.Legend(orient="bottom")),
            strokeDash=alt.StrokeDash("sessions:N", title=None),
        )
        .properties(width=260, height=200)
    )
    return alt.hconcat(left, right).resolve_scale(color="independent", strokeDash="independent")


def _left(X: np.ndarray, Y: np.ndarray) -> np.ndarray:
    """What least squares leave of Y when X is known."""
    return Y - X @ np.linalg.lstsq(X, Y, rcond=None)[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    picture(one_world()).save(str(arguments.out), format="svg")


if __name__ == "__main__":
    main()
