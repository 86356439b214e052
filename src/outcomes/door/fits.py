"""A researcher's own model on the mart that has its columns, with counts of what was left out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import polars as pl

from outcomes.door.columns import GUIDANCE, PREFERENCE
from outcomes.errors import FormulaError, UsageError, no_such
from outcomes.mixed import BinomialFit, FitStatus, LinearFit, fit_binomial, fit_linear
from outcomes.mixed.design.data import quoted
from outcomes.models.flow import flow_of
from outcomes.models.state import FlowStep
from outcomes.store.html_tables import as_html_table

if TYPE_CHECKING:
    from outcomes.door.fit_plots import FitPlots

MARTS = ("mart_session_directiveness", "mart_person_session", "mart_sessions", "mart_episodes")
"""Tables that models read, in the order in which they are tried; the last two have age band and gender."""

_PEOPLE = ("episode_id", "client_id", "therapist_id")  # who is counted

_SHORT = {"dropout": "is_dropout"}
_NAME = re.compile(r"(?<![\w.])([A-Za-z_]\w*)(?!\w*\s*\()(?!\w)")


@dataclass(frozen=True)
class OwnFit:
    """A model of the researcher's own, fitted to a release.

    Attributes
    ----------
    formula : str
        As it was fitted: short names written out.
    table : str
        The mart that it read.
    fit : LinearFit or BinomialFit
        The engine's result, with everything that it offers: `tidy()`, `random_effects(...)`, `predict(...)`.
    steps : tuple of FlowStep
        From the mart's rows to those in the model.
    """

    formula: str
    table: str
    fit: LinearFit | BinomialFit
    steps: tuple[FlowStep, ...]
    _con: duckdb.DuckDBPyConnection = field(repr=False)
    _columns: tuple[str, ...] = field(repr=False)

    @property
    def status(self) -> FitStatus:
        """How the fit ended; no estimate may be read without it."""
        return self.fit.status

    @property
    def estimates(self) -> pl.DataFrame:
        """One row a fixed effect: term, estimate, std_error, degrees of freedom, p_value, interval, status."""
        return self.fit.tidy()

    @property
    def left_out(self) -> pl.DataFrame:
        """From the mart's rows to those in the model: step, reason, counts; `n_sessions` counts rows (see `table`)."""
        return pl.DataFrame(self.steps)

    @property
    def rows(self) -> pl.DataFrame:
        """The model's rows with the columns that it read, `fitted` and (outcome less fitted) `residual`.

        Fitted values are for each row's own client and therapist; of a binomial model they are probabilities.
        """
        data = self._complete()
        fitted = self.fit.predict(data, kind="conditional")["estimate"]
        outcome = pl.col(self._columns[0]).cast(pl.Float64)
        return data.with_columns(fitted.alias("fitted")).with_columns((outcome - pl.col("fitted")).alias("residual"))

    def surface(self, x: str = GUIDANCE, y: str = PREFERENCE, steps: int = 20) -> pl.DataFrame:
        """Predict over two columns of the model, the others as is typical (mean, or most frequent).

        Parameters
        ----------
        x, y : str
            Columns of the formula.
        steps : int
            Steps along each, from the 5th to the 95th percentile of the model's rows.

        Returns
        -------
        polars.DataFrame
            `x`, `y`, `estimate`, `conf_low`, `conf_high`, and `n_rows` of the model nearest to each point.

        Raises
        ------
        UsageError
            If the model does not read both.
        """
        data = self._complete()
        grids = [self._grid(data, name, steps) for name in (x, y)]
        at = np.array(np.meshgrid(*grids, indexing="ij")).reshape(2, -1)
        predicted = self._predict(data, {x: at[0], y: at[1]})
        place = [
            pl.col(name).map_batches(lambda s, g=grid: _nearest(s, g), return_dtype=pl.Int64).alias(f"i{i}")
            for i, (name, grid) in enumerate(zip((x, y), grids, strict=True))
        ]
        near = data.select(place).group_by("i0", "i1").agg(pl.len().alias("n_rows"))
        index = np.array(np.meshgrid(range(steps + 1), range(steps + 1), indexing="ij")).reshape(2, -1)
        frame = pl.DataFrame({"i0": index[0], "i1": index[1], "x": at[0], "y": at[1]}).hstack(predicted)
        joined = frame.join(near, on=["i0", "i1"], how="left", maintain_order="left")
        return joined.drop("i0", "i1").with_columns(pl.col("n_rows").fill_null(0))

    def curve(self, x: str, steps: int = 30) -> pl.DataFrame:
        """Predict over one column of the model, the others as is typical: `x`, `estimate`, `conf_low`, `conf_high`."""
        data = self._complete()
        grid = self._grid(data, x, steps)
        return pl.DataFrame({"x": grid}).hstack(self._predict(data, {x: grid}))

    @property
    def plot(self) -> FitPlots:
        """Pictures: `residuals()`, `qq()`, `curve(column)`, `surface()`."""
        from outcomes.door.fit_plots import FitPlots

        return FitPlots(self)

    def summary(self) -> str:
        """The fit as text in lme4's order, with what was left out below."""
        return f"{self.fit.summary()}\n\nRead from {self.table}\n{_aligned(self._counts())}"

    def __str__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        head, *rows = self._counts()
        counts = as_html_table(head, rows, [False, True, True, True, False])
        return f"{self.fit._repr_html_()}<p>Read from <code>{self.table}</code></p>{counts}"

    def _counts(self) -> list[list[str]]:
        rows = [["", "rows", "clients", "left out", "why"]]
        for step in self.steps:
            lost = "" if step.n_sessions_excluded is None else f"{step.n_sessions_excluded:,}"
            rows.append([step.step, f"{step.n_sessions:,}", f"{step.n_clients:,}", lost, step.reason])
        return rows

    def _complete(self) -> pl.DataFrame:
        named = ", ".join(map(quoted, self._columns))
        filled = " and ".join(f"{quoted(name)} is not null" for name in self._columns)
        return self._con.sql(f"select {named} from {quoted(self.table)} where {filled} order by all").pl()

    def _grid(self, data: pl.DataFrame, name: str, steps: int) -> np.ndarray:
        if name not in self._columns[1:]:
            raise no_such("predictor of the model", name, self._columns[1:])
        low, high = np.percentile(data[name].cast(pl.Float64).to_numpy(), [5, 95])
        return np.linspace(low, high, steps + 1)

    def _predict(self, data: pl.DataFrame, values: dict[str, np.ndarray]) -> pl.DataFrame:
        typical: dict[str, Any] = {
            name: data[name].mean() if data[name].dtype.is_numeric() else data[name].mode().sort()[0]
            for name in self._columns[1:]
        }
        n = len(next(iter(values.values())))
        frame = pl.DataFrame({name: [value] * n for name, value in typical.items()} | values)
        return self.fit.predict(frame, kind="marginal").select("estimate", "conf_low", "conf_high")


def fit_own(
    con: duckdb.DuckDBPyConnection, formula: str, *, table: str = "", link: str = "logit", engine: str = "outcomes"
) -> OwnFit:
    """Fit a model to the first mart that has all its columns; see `Release.fit`."""
    if "~" not in formula:
        raise FormulaError(
            f"There is no ~ in the formula {formula!r}.", "write it as outcome ~ predictors + (1 | client_id)"
        )
    tried = (table,) if table else _marts_of(con)
    choices = {name: _written_out(con, formula, name) for name in tried}
    mart = next((name for name, (_, missing) in choices.items() if not missing), "")
    if not mart:
        _refuse_names(con, formula, tried, choices)
    written = choices[mart][0]
    columns = _columns(con, written, mart)
    if lacking := set(_PEOPLE) - set(con.table(mart).columns):
        raise UsageError(
            f"{mart} has no {', '.join(sorted(lacking))}: who was left out could not be counted.",
            f"take one of {', '.join(MARTS)}",
        )
    data = con.table(mart)
    fit = fit_binomial(written, data, link=link, engine=engine) if _is_binary(con, mart, columns[0]) else (
        fit_linear(written, data, engine=engine)
    )  # fmt: skip
    return OwnFit(written, mart, fit, flow_of(con, mart, columns), con, columns)


def _marts_of(con: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
    """The marts that a release has: one of an earlier version lacks some."""
    there = con.execute(
        "select table_name from duckdb_tables() where not internal union all "
        "select view_name from duckdb_views() where not internal"
    ).fetchall()
    return tuple(name for name in MARTS if (name,) in there)


def _written_out(con: duckdb.DuckDBPyConnection, formula: str, mart: str) -> tuple[str, list[str]]:
    """The formula with short names written out for one mart, and the names that it does not have."""
    known = set(con.table(mart).columns)
    missing: list[str] = []

    def named(match: re.Match[str]) -> str:
        name = match[1]
        full = next((one for one in (name, f"{name}_score", _SHORT.get(name, "")) if one in known), None)
        if full is None:
            missing.append(name)
        return full or name

    return _NAME.sub(named, formula), missing


def _columns(con: duckdb.DuckDBPyConnection, formula: str, mart: str) -> tuple[str, ...]:
    """Columns that a formula reads, its outcome first."""
    known = set(con.table(mart).columns)
    return tuple(dict.fromkeys(name for name in _NAME.findall(formula) if name in known))


def _refuse_names(
    con: duckdb.DuckDBPyConnection, formula: str, tried: Sequence[str], choices: dict[str, tuple[str, list[str]]]
) -> None:
    nearest = min(tried, key=lambda name: len(choices[name][1]))
    missing = dict.fromkeys(choices[nearest][1])
    if len(missing) == 1:
        raise no_such(f"column of {nearest}", next(iter(missing)), con.table(nearest).columns)
    raise UsageError(
        f"No table has all columns of the formula; {nearest} lacks {', '.join(missing)}.",
        '`.codebook("column")` says where a column is',
    )


def _is_binary(con: duckdb.DuckDBPyConnection, mart: str, outcome: str) -> bool:
    types = dict(zip(con.table(mart).columns, map(str, con.table(mart).types), strict=True))
    if types[outcome] == "BOOLEAN":
        return True
    if not types[outcome].endswith("INTEGER"):
        return False
    ((low, high),) = con.execute(
        f"select min({quoted(outcome)}), max({quoted(outcome)}) from {quoted(mart)}"
    ).fetchall()
    return low is not None and low >= 0 and high <= 1


def _nearest(values: pl.Series, grid: np.ndarray) -> pl.Series:
    """Place of the nearest point of an even grid; -1 for values beyond its ends."""
    step = (grid[-1] - grid[0]) / (len(grid) - 1)
    places = np.rint((values.cast(pl.Float64).to_numpy() - grid[0]) / step).astype(np.int64)
    return pl.Series(np.where((places < 0) | (places >= len(grid)), -1, places))


def _aligned(rows: list[list[str]]) -> str:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            f"{c:>{w}}" if i in (1, 2, 3) else f"{c:<{w}}" for i, (c, w) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
