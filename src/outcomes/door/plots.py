"""Pictures of a release: each an Altair chart, drawn from its tables alone."""

from __future__ import annotations

from typing import Protocol

import altair as alt
import duckdb
import polars as pl

from outcomes.door.charts import WIDTH, band, finished, squares
from outcomes.errors import UsageError, no_such
from outcomes.report.figures.style import BARS, BLUE, INK, QUIET

_USABLE = ("converged", "singular")


class Drawn(Protocol):
    """What pictures read of a release; see `outcomes.door.release.Release` for the meaning."""

    @property
    def release_id(self) -> str:
        """The release's id."""
        ...

    @property
    def tables(self) -> pl.DataFrame:
        """All tables."""
        ...

    @property
    def answers(self) -> pl.DataFrame:
        """State of each analysis."""
        ...

    @property
    def flow(self) -> pl.DataFrame:
        """From rows read to rows of models."""
        ...

    def table(self, name: str) -> duckdb.DuckDBPyRelation:
        """A table."""
        ...


class ReleasePlots:
    """Pictures of one release. Each is an Altair chart: a notebook shows it, `.save("x.html")` (or svg, png) keeps it.

    A picture whose numbers the release does not have is refused with the reason, never drawn empty.
    """

    def __init__(self, release: Drawn) -> None:
        self._release = release

    def surface(self, outcome: str = "satisfaction", level: str = "session") -> alt.LayerChart:
        """The response surface of guidance (across) and preferred guidance (up), from table `surface_grid`.

        Parameters
        ----------
        outcome : {"satisfaction", "dropout"}
            Heights are points of satisfaction, or logits of dropout, less those of the middle of the scale.
        level : {"session", "client"}

        Raises
        ------
        UsageError
            If the release has no such surface: no preferences, a refused analysis, or an earlier version.
        """
        grid = self._rows("surface_grid", "balance").filter(pl.col("outcome") == outcome, pl.col("level") == level)
        if grid.is_empty():
            raise UsageError(f"This release has no surface of {outcome} by {level}.", self._why("balance"))
        drawn = grid.rename({"guidance": "x", "preference": "y"})
        unit = "logits of dropout" if outcome == "dropout" else "points of satisfaction"
        chart = squares(
            drawn, "guidance in the session", "guidance that the client prefers", f"{unit},\nless the middle"
        )
        status = grid["status"][0]
        return finished(
            chart, f"What goes with {outcome}: guidance beside what the client prefers",
            f"Dashed: just as preferred. Pale: no rows there, the surface is a guess. Fit {status}.",
        )  # fmt: skip

    def satisfaction_curve(self, model: str = "") -> alt.LayerChart:
        """Average satisfaction over guidance compared with the client's usual, with its 95% band; `model_curves`.

        Parameters
        ----------
        model : str
            A declared model with a curve; the last one, which by default may bend, where empty.
        """
        curves = self._rows("model_curves").filter(pl.col("curve") == "satisfaction", pl.col("status").is_in(_USABLE))
        curve, name = self._of_model(curves, model)
        chart = band(curve, "guidance less the client's usual (points)", "average satisfaction (points)")
        usual = alt.Chart(pl.DataFrame({"x": [0.0]})).mark_rule(color=QUIET, strokeDash=[2, 3]).encode(x="x:Q")
        return finished(
            alt.layer(chart, usual),
            "Satisfaction over guidance", f"Model {name!r}. Dotted: the client's usual. Band: 95%.",
        )  # fmt: skip

    def dropout(self, model: str = "") -> alt.LayerChart:
        """Probability of dropout by sessions 3, 8 and 12 over guidance so far, with 95% bands; `model_curves`."""
        is_dropout = pl.col("curve").str.starts_with("dropout_by_session_")
        curves = self._rows("model_curves").filter(is_dropout, pl.col("status").is_in(_USABLE))
        curve, name = self._of_model(curves, model)
        by = pl.concat_str(pl.lit("by session "), pl.col("curve").str.extract(r"(\d+)$")).alias("by")
        chart = band(curve.with_columns(by), "guidance so far (points)", "probability of dropout", "by")
        return finished(chart, "Dropout over guidance", f"Model {name!r}. Bands: 95%.")

    def multiverse(self) -> alt.VConcatChart:
        """Every specification of the multiverse that has an estimate, from low to high, and what was chosen in each."""
        specs = self._rows("multiverse_specs", "multiverse").filter(pl.col("estimate").is_not_null())
        if specs.is_empty():
            raise UsageError("No specification of the multiverse has an estimate.", self._why("multiverse"))
        columns = specs.columns
        chosen = columns[columns.index("pool") + 1 : columns.index("formula")]
        ordered = specs.sort("estimate", "spec").with_row_index("place")
        varied = [name for name in chosen if ordered[name].n_unique() > 1]
        marks = ordered.select("place", *varied).unpivot(index="place", variable_name="dimension", value_name="choice")
        marks = marks.with_columns(choice=pl.col("dimension").str.replace_all("_", " ") + ": " + pl.col("choice"))
        x = alt.X("place:Q", axis=None, scale=alt.Scale(domain=[-1, ordered.height], nice=False))
        base = alt.Chart(ordered.select("place", "estimate", "conf_low", "conf_high", "spec"))
        zero = alt.Chart(pl.DataFrame({"y": [0.0]})).mark_rule(color=INK, strokeDash=[2, 3]).encode(y="y:Q")
        unit = specs["unit"][0]
        curve = alt.layer(
            base.mark_rule(color=BARS, strokeWidth=0.8).encode(
                x=x, y=alt.Y("conf_low:Q", title=unit), y2="conf_high:Q"
            ),
            zero,
            base.mark_point(filled=True, size=9, color=BLUE, opacity=1).encode(
                x=x, y="estimate:Q", tooltip=["spec:N", alt.Tooltip("estimate:Q", format=".3g")]
            ),
        ).properties(width=WIDTH, height=220)
        below = (
            alt.Chart(marks).mark_tick(color=INK, thickness=1, size=9)
            .encode(x=x, y=alt.Y("choice:N", title=None, sort="ascending", axis=alt.Axis(labelLimit=320)))
            .properties(width=WIDTH)
        )  # fmt: skip
        title = (
            f"{ordered.height} of {self._release.table('multiverse_specs').shape[0]} specifications have an estimate"
        )
        return finished(alt.vconcat(curve, below, spacing=6), "One question, every defensible analysis", title)

    def flow(self) -> alt.LayerChart:
        """From rows read to the rows of each declared model: sessions at each step, and the reason of each loss."""
        flow = self._release.flow.with_row_index("place")
        where = pl.when(pl.col("model").is_null()).then(pl.lit("")).otherwise(pl.lit("model ") + pl.col("model") + ": ")
        lost = (
            pl.when(pl.col("n_sessions_excluded") > 0)
            .then(
                pl.format("{} ({} left out: {})", _thousands("n_sessions"), _thousands("n_sessions_excluded"), "reason")
            )
            .otherwise(_thousands("n_sessions"))
        )
        drawn = flow.with_columns((where + pl.col("step")).alias("who"), lost.alias("words"))
        order = drawn["who"].to_list()
        most = max(drawn["n_sessions"].max(), 1)
        y = alt.Y("who:N", sort=order, title=None, axis=alt.Axis(labelLimit=250, grid=False, ticks=False, domain=False))
        base = alt.Chart(drawn.select("who", "n_sessions", "words"))
        bars = base.mark_bar(color=BARS, height=12).encode(
            x=alt.X("n_sessions:Q", title="sessions", scale=alt.Scale(domain=[0, most * 3.2], nice=False), axis=None),
            y=y,
        )
        text = base.mark_text(align="left", dx=6, color=INK, fontSize=11, limit=430).encode(
            x="n_sessions:Q", y=y, text="words:N"
        )
        chart = alt.layer(bars, text).properties(width=600, height=20 * drawn.height)
        return finished(
            chart, "Who is in, and who is not", "Sessions at each step; a model's last step are the rows of its fit."
        )

    def _rows(self, table: str, analysis: str = "") -> pl.DataFrame:
        if table not in self._release.tables["table_name"]:
            raise UsageError(
                f"Release {self._release.release_id} has no table {table}.",
                "it was made by an earlier version: refresh the study with this one",
            )
        rows = self._release.table(table).pl()
        if rows.is_empty():
            raise UsageError(f"The table {table} of release {self._release.release_id} is empty.", self._why(analysis))
        return rows

    def _why(self, analysis: str) -> str:
        """What the release says of an analysis, or of its declared models."""
        if not analysis:
            return '`.table("model_fits")` says why a model was refused'
        said = self._release.answers.filter(pl.col("analysis") == analysis)
        if said.is_empty():
            return "`.answers` says which analyses were made"
        return f"the analysis {analysis!r} is {said['status'][0]}: {said['reason'][0] or 'see docs/answers.md'}"

    def _of_model(self, curves: pl.DataFrame, model: str) -> tuple[pl.DataFrame, str]:
        if curves.is_empty():
            fits = self._release.table("model_fits").pl()
            refused = fits.filter(~pl.col("status").is_in(_USABLE)).to_dicts()
            said = "; ".join(f"{row['model']}: {row['status']}. {row['reason']}".strip() for row in refused)
            raise UsageError("No declared model has such a curve.", said or "see the models that study.toml declares")
        names = curves["model"].unique(maintain_order=True).to_list()
        if model and model not in names:
            raise no_such("model with such a curve", model, names)
        name = model or names[-1]
        return curves.filter(pl.col("model") == name), name


def _thousands(column: str) -> pl.Expr:
    return pl.col(column).map_elements(lambda n: f"{n:,}", return_dtype=pl.String)
