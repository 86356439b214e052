"""The typed table of one file, and every row rule over it; set-based, details are fetched for broken rows only."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date

import duckdb

from outcomes.contract import Kind, Refusal, Rule
from outcomes.errors import StorageError
from outcomes.landing.formats.source_rows import SourceRows
from outcomes.landing.refusal import FileRefused
from outcomes.landing.rules.cells import RULES, flag, typed_cell
from outcomes.landing.rules.columns import ColumnPlan, PlannedColumn

PRACTICE = "practice_id"
"""Where a file names it for some rows only, the others lack it; one that is blank in every row is not given."""


@dataclass(frozen=True)
class Breach:
    """One rule that one row breaks; `column` is the file's name for the cell, empty where the whole row is meant."""

    rule: Rule
    column: str = ""


def keys_of(plan: ColumnPlan) -> tuple[str, ...]:
    """Return the contract columns that make a row's key; none where the order of rows is all there is."""
    if plan.kind is Kind.EPISODES:
        return ("episode_id",)
    if plan.kind is Kind.CLIENTS:
        return ("client_id",)
    episode = "episode_id" if plan.named("episode_id") else "client_id"
    match plan.source.order:
        case "number":
            return (episode, "session_number")
        case "date":
            return (episode, "session_date")
        case _:
            return ()


def create_typed(con: duckdb.DuckDBPyConnection, plan: ColumnPlan, rows: SourceRows, today: date) -> None:
    """Read the well-formed records into the temporary table `typed`: values `v_<column>`, flags `f_<column>`.

    Raises
    ------
    FileRefused
        If a Parquet file turns out to be damaged.
    StorageError
        If DuckDB fails, or reads another number of records than landing found.
    """
    try:
        if not rows.native_relation:
            raise duckdb.ConversionException
        _create(con, plan, rows, today, is_native=True)
    except (duckdb.ConversionException, duckdb.InvalidInputException):
        try:
            _create(con, plan, rows, today, is_native=False)
        except duckdb.OutOfMemoryException:
            raise
        except duckdb.Error:  # damage inside a Parquet file may raise any of them
            # DuckDB's messages quote the file's lines: none of them may be passed on.
            if rows.is_typed:
                raise FileRefused(
                    Refusal.UNREADABLE, "the file is damaged: its values cannot be read", "write it again"
                ) from None
            raise StorageError(
                "DuckDB cannot read rows that are well-formed", "keep the file and report this; nothing was landed"
            ) from None
    n_typed = con.execute("select count(*) from typed").fetchall()[0][0]
    if n_typed != rows.well_formed.size:
        raise StorageError(
            f"{rows.well_formed.size:,} well-formed records were found but {n_typed:,} were read",
            "keep the file and report this; nothing of it was landed",
        )


def _create(
    con: duckdb.DuckDBPyConnection, plan: ColumnPlan, rows: SourceRows, today: date, *, is_native: bool
) -> None:
    keys = keys_of(plan)
    cells = {
        planned.column.name: typed_cell(
            planned, plan, today, is_typed=rows.is_typed, is_native=is_native, has_blanks=rows.has_blanks,
            is_key=planned.column.is_never_empty or planned.column.name in (*keys, PRACTICE),
        )
        for planned in plan.columns if planned.has_source
    }  # fmt: skip
    steps = "".join(f", {sql} as {name}" for cell in cells.values() for name, sql in cell.steps.items())
    values = "".join(f", {cell.value} as v_{name}" for name, cell in cells.items())
    flags = [f"cast({cell.flag} as utinyint) as f_{name}" for name, cell in cells.items()]
    for rule, broken in _row_rules(plan):
        flags.append(f"cast(case when {broken} then {flag(rule)} else 0 end as utinyint) as r_{rule}")
    relation = rows.native_relation if is_native else rows.relation
    read = f"(select * {values} from (select * {steps} from {relation}))"
    scores = {planned.column.name: planned for planned in plan.columns if planned.made}
    taken = [f"v_{name}" for name in cells if name not in scores]
    if scores:
        sums = "".join(
            f", {one.made.total} as sum_{name}, {one.made.n_answered} as n_answered_{name}"
            f"{'' if one.has_source else f', cast(null as double) as v_{name}'}"
            for name, one in scores.items()
        )
        read = f"(select * {sums} from {read})"
        for name, one in scores.items():
            value = one.made.value(f"sum_{name}", f"n_answered_{name}", f"v_{name}")
            taken += [f"{value} as v_{name}", f"{one.made.told(value, f'n_answered_{name}', f'v_{name}')} as m_{name}"]
    con.execute(f"create or replace temp table typed as select {', '.join([*taken, *flags])} from {read}")


def _row_rules(plan: ColumnPlan) -> list[tuple[Rule, str]]:
    """Return the rules that look at several cells of one row, as conditions over the values."""
    names = {planned.column.name for planned in plan.columns}
    rules = []
    if {"start", "end"} <= names:
        rules.append((Rule.END_BEFORE_START, "v_end < v_start"))
    if "end" in names:
        contradictions = []
        if "ending" in names:
            contradictions.append("(v_ending = 'open' and v_end is not null)")
        if "data_cut" in names:
            contradictions.append("v_end > v_data_cut")
        if contradictions:
            rules.append((Rule.ENDED_BUT_OPEN, " or ".join(contradictions)))
    if "attended" in names:
        rated = [
            f"v_{planned.column.name}" for planned in plan.columns
            if (planned.column.is_rating or planned.is_item) and planned.place is not None
        ]  # fmt: skip
        if rated:
            rules.append((Rule.RATED_BUT_ABSENT, f"v_attended = false and coalesce({', '.join(rated)}) is not null"))
    return rules


def find_breaches(con: duckdb.DuckDBPyConnection, plan: ColumnPlan) -> dict[int, list[Breach]]:
    """Return the breaches of the rows of `typed` by row id, each row's in the order of the rules."""
    found: dict[int, list[Breach]] = defaultdict(list)
    read = [planned for planned in plan.columns if planned.has_source and not _is_practice_left_out(con, planned)]
    flags = [f"f_{planned.column.name}" for planned in read]
    flags += [f"r_{rule}" for rule, _ in _row_rules(plan)]
    columns = [planned.source_name for planned in read] + [""] * (len(flags) - len(read))
    broken = con.execute(
        f"select rowid, {', '.join(flags)} from typed where ({' | '.join(flags)}) <> 0 order by rowid"
    ).fetchall()
    for row, *codes in broken:
        found[row] += [Breach(RULES[code - 1], column) for code, column in zip(codes, columns, strict=True) if code]
    for row, breach in _breaches_between_rows(con, plan):
        found[row].append(breach)
    order = {rule: place for place, rule in enumerate(RULES)}
    return {row: sorted(found[row], key=lambda breach: order[breach.rule]) for row in sorted(found)}


def _is_practice_left_out(con: duckdb.DuckDBPyConnection, planned: PlannedColumn) -> bool:
    """Whether this column is the practice's and blank in every row."""
    return (
        planned.column.name == PRACTICE and not con.execute(f"select count(v_{PRACTICE}) from typed").fetchall()[0][0]
    )


def _breaches_between_rows(con: duckdb.DuckDBPyConnection, plan: ColumnPlan) -> list[tuple[int, Breach]]:
    keys = [f"v_{name}" for name in keys_of(plan)]
    found: list[tuple[int, Breach]] = []
    if keys and _has_repeats(con, keys):
        values = ", ".join(f"v_{planned.column.name}" for planned in plan.columns)
        missing = " or ".join(f"{key} is null" for key in keys)
        # Flags belong to what a row says: two cells that cannot be read are both empty and not the same.
        flags = ", ".join(f"f_{planned.column.name}" for planned in plan.columns if planned.has_source)
        said = f"hash({values}, {flags})"
        repeated = con.execute(
            f"""
            with said as (
                select rowid as place, hash({", ".join(keys)}) as key, {said} as content
                from typed where not ({missing})
            ),
            ranked as (
                select place, row_number() over (partition by key, content order by place) as copy,
                    min(content) over (partition by key) <> max(content) over (partition by key) as is_conflict
                from said
                where key in (select key from said group by key having count(*) > 1)
            )
            select place, copy > 1, is_conflict from ranked where copy > 1 or is_conflict order by place
            """
        ).fetchall()
        for row, is_copy, is_conflict in repeated:
            if is_copy:
                found.append((row, Breach(Rule.DUPLICATE_ROW)))
            if is_conflict:
                found += [(row, Breach(Rule.CONFLICTING_ROWS, plan.named(name).source_name)) for name in keys_of(plan)]
    if plan.kind is not Kind.CLIENTS and plan.named("episode_id"):
        shared = con.execute(
            """
            select rowid from typed where v_client_id is not null and v_episode_id in (
                select v_episode_id from typed group by v_episode_id having min(v_client_id) <> max(v_client_id)
            ) order by rowid
            """
        ).fetchall()
        column = plan.named("episode_id").source_name
        found += [(row, Breach(Rule.EPISODE_OF_TWO_CLIENTS, column)) for (row,) in shared]
    return found


def _has_repeats(con: duckdb.DuckDBPyConnection, keys: list[str]) -> bool:
    """Say cheaply whether a key may stand twice: as many different hashes as rows proves that none does."""
    missing = " or ".join(f"{key} is null" for key in keys)
    n_rows, n_different = con.execute(
        f"select count(*), count(distinct hash({', '.join(keys)})) from typed where not ({missing})"
    ).fetchall()[0]
    return n_rows != n_different
