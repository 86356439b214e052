"""One release as a researcher meets it: tables, words, answers, fits and pictures."""

from __future__ import annotations

from contextlib import ExitStack
from functools import cached_property
from typing import TYPE_CHECKING
from weakref import WeakSet

import duckdb
import polars as pl

from outcomes.errors import UsageError, no_such
from outcomes.release.places import KeptRelease
from outcomes.store.html_tables import as_html_table
from outcomes.store.warehouse import connect

if TYPE_CHECKING:
    from outcomes.door.fits import OwnFit
    from outcomes.door.plots import ReleasePlots
    from outcomes.operate.comparing.comparison import Comparison

_WRITES = {duckdb.StatementType.COPY, duckdb.StatementType.EXPORT}
_SEVERITY = "case severity when 'fatal' then 1 when 'warning' then 2 else 3 end"


class Release:
    """A finished release: data, checks, fits and answers that belong together.

    Made by `Study.release`. The database is opened read-only, when it is first asked, and let go by `close()`.
    """

    def __init__(self, kept: KeptRelease, study_name: str) -> None:
        self.kept = kept
        self.study_name = study_name
        self._stack = ExitStack()
        self._con: duckdb.DuckDBPyConnection | None = None
        self._cursors: WeakSet[duckdb.DuckDBPyConnection] = WeakSet()

    @property
    def release_id(self) -> str:
        """The release's id."""
        return self.kept.release_id

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The read-only connection behind all that is asked; opened when it is first asked."""
        if self._con is None:
            self._con = self._stack.enter_context(connect(self.kept.database, read_only=True))
        return self._con

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection of its own for one answer: one that is not read to its end then blocks nothing else."""
        cursor = self.connection.cursor()
        self._cursors.add(cursor)
        return cursor

    def sql(self, query: str) -> duckdb.DuckDBPyRelation:
        """Ask in SQL.

        Parameters
        ----------
        query : str
            One statement that reads.

        Returns
        -------
        duckdb.DuckDBPyRelation
            `.pl()`, `.df()` and `.arrow()` turn it into a polars or pandas frame or an Arrow reader.

        Raises
        ------
        UsageError
            If DuckDB does not accept it, or it does not read.
        """
        cursor = self._cursor()
        try:
            if _WRITES & {statement.type for statement in cursor.extract_statements(query)}:
                raise UsageError(
                    "This statement writes files.", "write a `select`; `.pl().write_parquet(...)` keeps it"
                )
            answer = cursor.sql(query)
        except duckdb.Error as wrong:
            raise UsageError(
                f"The database did not accept this: {wrong}", "`.tables` and `.codebook()` list what there is"
            ) from wrong
        if answer is None:
            raise UsageError("This statement reads nothing.", "write a `select`; a release is read-only")
        return answer

    def table(self, name: str) -> duckdb.DuckDBPyRelation:
        """Return a table or view.

        Parameters
        ----------
        name : str
            E.g. `"mart_sessions"`; `.tables` lists them.

        Raises
        ------
        UsageError
            If there is no such table.
        """
        if name not in self._names:
            raise no_such("table of this release", name, self._names)
        return self._cursor().table(name)

    @cached_property
    def _names(self) -> tuple[str, ...]:
        rows = self.connection.execute(
            "select table_name from codebook where column_name is null order by table_name"
        ).fetchall()
        return tuple(name for (name,) in rows)

    @property
    def tables(self) -> pl.DataFrame:
        """All tables: `table_name`, `description` (what one row is), `n_rows`."""
        words = self.sql(
            "select table_name, description from codebook where column_name is null order by table_name"
        ).pl()
        counts = [self.connection.execute(f'select count(*) from "{name}"').fetchall()[0][0] for name in self._names]
        return words.with_columns(pl.Series("n_rows", counts, pl.Int64))

    def codebook(self, name: str = "") -> pl.DataFrame:
        """Say what a column or a table means.

        Parameters
        ----------
        name : str
            A column (in all its tables), a table (all its columns), or `table.column`; everything where empty.

        Returns
        -------
        polars.DataFrame
            `table_name`, `column_name` (empty for the table itself), `type`, `description`, `unit`, `range`, `source`.

        Raises
        ------
        UsageError
            If nothing is called so.
        """
        book = self.connection.table("codebook").pl()
        if not name:
            return book
        is_named = (pl.col("table_name") == name) | (pl.col("column_name") == name)
        found = book.filter(is_named | (pl.col("table_name") + "." + pl.col("column_name") == name))
        if found.is_empty():
            raise no_such(
                "column or table of this release", name, [*self._names, *book["column_name"].drop_nulls().unique()]
            )
        return found

    @property
    def verdicts(self) -> pl.DataFrame:
        """What guidance does to each outcome at each level: `outcome`, `level`, `verdict`, `trace`.

        `undecided` where the data do not decide; empty where the analysis was refused or left out (`answers`).
        """
        return self.table("verdicts").pl()

    @property
    def estimates(self) -> pl.DataFrame:
        """Fixed effects of the declared models with interval and the state of their fit; hazards in logits."""
        return self.table("model_estimates").pl()

    @property
    def contrasts(self) -> pl.DataFrame:
        """Differences in absolute terms, from all tables `contrasts_*`; column `table_name` says which.

        Raises
        ------
        UsageError
            If the release was made by a version that computes none.
        """
        names = [name for name in self._names if name.startswith("contrasts_")]
        if not names:
            raise UsageError(
                f"Release {self.release_id} has no contrasts", "refresh the study with a version that has them"
            )
        frames = [self.table(name).pl().insert_column(0, pl.lit(name).alias("table_name")) for name in names]
        return pl.concat(frames, how="diagonal_relaxed")

    @property
    def checks(self) -> pl.DataFrame:
        """Data-quality checks: open findings first, the gravest of them on top; violated of how many."""
        return self.sql(
            f"select * from dq_results order by status not in ('failed', 'error'), {_SEVERITY}, check_id"
        ).pl()

    @property
    def answers(self) -> pl.DataFrame:
        """Which analyses were answered, refused or left out, and why."""
        return self.table("answer_states").pl()

    @property
    def flow(self) -> pl.DataFrame:
        """From rows read to the rows of each declared model: `model` is empty in the steps that all share."""
        shared = self.sql(
            "select null::varchar as model, * replace (step_number::integer as step_number) "
            "from mart_participant_flow order by step_number"
        ).pl()
        if "model_flow" not in self._names:  # releases of earlier versions
            return shared
        return pl.concat([shared, self.sql("select * from model_flow order by all").pl()], how="diagonal_relaxed")

    def fit(self, formula: str, *, table: str = "", link: str = "logit", engine: str = "outcomes") -> OwnFit:
        """Fit a mixed model of your own to the mart that has its columns.

        Parameters
        ----------
        formula : str
            In lme4's syntax. `satisfaction` stands for `satisfaction_score`, `dropout` for `is_dropout`, and so on for
            every rating. E.g. `"satisfaction ~ directiveness_within + (1 | client_id) + (1 | therapist_id)"`.
        table : str
            The mart to read; the first of `outcomes.door.fits.MARTS` that has all columns where empty: sessions rated
            for guidance, the risk set of dropout, all sessions, episodes.
        link : {"logit", "probit", "cloglog"}
            For outcomes that are 0 or 1; others are modelled linearly.
        engine : {"outcomes", "statsmodels"}

        Returns
        -------
        OwnFit
            The fit with counts of what was left out and why. Look at its status before the estimates.

        Raises
        ------
        FormulaError, UsageError, FitRefused
            The formula cannot be read, no mart has its columns, or the data cannot carry the model.
        """
        from outcomes.door.fits import fit_own

        if table and table not in self._names:
            raise no_such("table of this release", table, self._names)
        return fit_own(self.connection, formula, table=table, link=link, engine=engine)

    @property
    def plot(self) -> ReleasePlots:
        """Pictures: `surface()`, `satisfaction_curve()`, `dropout()`, `multiverse()`, `flow()`."""
        from outcomes.door.plots import ReleasePlots

        return ReleasePlots(self)

    def compare(self, other: Release) -> Comparison:
        """Say what changed from another release to this one, and why.

        Parameters
        ----------
        other : Release
            The release before; `self` is the release after.

        Returns
        -------
        Comparison
            `rows`, `checks`, `estimates`, `verdicts`, `definitions` and `causes`; prints as a table.
        """
        from outcomes.operate.comparing import compare_releases

        return compare_releases(other.kept, self.kept)

    def close(self) -> None:
        """Let go of the database; answers that were not read by then are lost."""
        for cursor in list(self._cursors):
            cursor.close()
        self._stack.close()
        self._con = None

    def __enter__(self) -> Release:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _facts(self) -> list[tuple[str, str]]:
        kept = self.kept
        return [
            ("study", self.study_name),
            ("release", kept.release_id + (" (published)" if kept.is_current else "")),
            ("published", kept.published_at),
            ("code", kept.code_version),
            ("tables", str(len(self._names))),
        ]

    def __repr__(self) -> str:
        return "Release\n" + "\n".join(f"  {name:<10}{value}" for name, value in self._facts())

    def _repr_html_(self) -> str:
        return as_html_table(("", ""), self._facts())
