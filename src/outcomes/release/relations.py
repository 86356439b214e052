"""What the SQL files read: landed rows and study settings as temporary relations, so that SQL needs no templating."""

from __future__ import annotations

import glob
from collections.abc import Mapping
from dataclasses import fields
from types import MappingProxyType

import duckdb

from outcomes.contract import CONTRACT, MEASURED, OTHER_SCORES, RULE_REASONS, Kind, Rule, ValueType, scales_of
from outcomes.errors import StudyError
from outcomes.release.batches import Batch
from outcomes.store.warehouse import insert_rows
from outcomes.study import StudySettings
from outcomes.study.tables.scales import Direction, has_other_metric, two_metrics

NOTHING: Mapping[Kind, frozenset[str]] = MappingProxyType({})

_SQL_TYPES = {
    ValueType.IDENTIFIER: "varchar",
    ValueType.CODE: "varchar",
    ValueType.INTEGER: "integer",
    ValueType.DATE: "date",
    ValueType.YES_NO: "boolean",
    ValueType.SCALE: "double",
}


def raw_columns(kind: Kind) -> dict[str, str]:
    """Return the columns of a landed batch of one kind with their DuckDB types, in the contract's order."""
    columns = {column.name: _SQL_TYPES[column.type] for column in CONTRACT[kind]}
    if kind is Kind.SESSIONS:
        columns[OTHER_SCORES] = "map(varchar, double)"
    how = "struct(instrument varchar, version varchar, n_answered integer, value double, stored double)"
    return {**columns, MEASURED: f"map(varchar, {how})", "source_line": "integer"}


def offer_settings(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> None:
    """Create `study_settings` (one row), `study_scales` (one row per scale) and `study_instruments`.

    A scale that counts downwards is turned about `turning_point` = minimum + maximum: score = turning_point - rating.
    `study_instruments` has one row per scale that is made of items: which way is better, the clinical cutoff, the
    standard error of a difference and the smallest reliable change, each empty where it is not known.
    """
    con.execute(
        "create or replace temp table study_settings as select ? as study_name, ? as order_by, ?::integer as "
        "min_attended_sessions, ?::date as first_session, ?::date as last_session, ? as dropout_definition, "
        "?::integer as silent_days",
        [
            settings.study.name,
            settings.sources[Kind.SESSIONS].order,
            settings.cohort.min_attended_sessions,
            settings.cohort.first_session or None,
            settings.cohort.last_session or None,
            settings.dropout.definition.value,
            settings.dropout.silent_days,
        ],
    )
    con.execute(
        "create or replace temp table study_scales "
        "(scale varchar, minimum double, maximum double, is_turned boolean, turning_point double)"
    )
    scales = [
        (name, scale.minimum, scale.maximum, scale.direction is Direction.LESS, scale.minimum + scale.maximum)
        for name, scale in settings.scales.items()
    ]
    insert_rows(con, "study_scales", scales)
    con.execute(
        "create or replace temp table study_instruments (scale varchar, instrument varchar, is_higher_better boolean, "
        "cutoff double, std_error double, smallest_reliable_change double)"
    )
    from outcomes.scoring.reliable_change import known_change  # with NumPy, which a look at a study does not load

    for name, scored in settings.instruments.items():
        con.execute("insert into study_instruments values (?, ?, ?, ?, ?, ?)", [
            name, scored.known.instrument_id, scored.known.is_higher_better, scored.rule.clinical,
            *known_change(scored.spread, scored.rule.reliable_change, is_own=scored.sd_before is not None),
        ])  # fmt: skip


def offer_batches(
    con: duckdb.DuckDBPyConnection, batches: tuple[Batch, ...], withheld: Mapping[Kind, frozenset[str]] = NOTHING
) -> None:
    """Create `raw_batches`, `raw_quarantine`, `raw_agreement` and a view of landed rows a kind, such as `raw_sessions`.

    Columns and own scales that are withheld are empty in the views.
    """
    from outcomes.scoring.agreement import Agreement  # with NumPy, which a look at a study does not load

    con.execute(
        "create or replace temp table raw_batches (batch_id varchar, kind varchar, sequence integer, n_read bigint, "
        "n_quarantined bigint, file_name varchar)"
    )
    con.execute(
        "create or replace temp table raw_quarantine "
        "(batch_id varchar, kind varchar, rule varchar, reason varchar, n_rows bigint)"
    )
    con.execute(
        "create or replace temp table raw_agreement (batch_id varchar, scale varchar, n_coders integer, "
        "n_sessions integer, n_utterances_twice integer, n_sessions_twice integer, cohens_kappa double, "
        "krippendorffs_alpha double, reliability double)"
    )
    for batch in batches:
        if batch.agreement:
            con.execute(
                "insert into raw_agreement values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [batch.batch_id, *(batch.agreement[one.name] for one in fields(Agreement))],
            )
        con.execute(
            "insert into raw_batches values (?, ?, ?, ?, ?, ?)",
            [batch.batch_id, batch.kind.value, batch.sequence, batch.n_read, batch.n_quarantined, str(batch.rows)],
        )
        for rule, n_rows in batch.quarantined_by_rule.items():
            reason = RULE_REASONS[Rule(rule)]
            con.execute(
                "insert into raw_quarantine values (?, ?, ?, ?, ?)",
                [batch.batch_id, batch.kind.value, rule, reason, n_rows],
            )
    for kind in Kind:
        _offer_rows(con, kind, [batch for batch in batches if batch.kind is kind], withheld.get(kind, frozenset()))


def _offer_rows(con: duckdb.DuckDBPyConnection, kind: Kind, batches: list[Batch], empty: frozenset[str]) -> None:
    """Create the view of one kind's landed rows; an empty one where nothing of that kind was landed."""
    columns = raw_columns(kind)
    if not batches:
        typed = ", ".join(f'null::{sql_type} as "{name}"' for name, sql_type in columns.items())
        select = f"select {typed}, null::varchar as batch_id, null::integer as sequence where false"
    else:
        # DuckDB takes a path for a pattern; escaped, a study folder may have any name.
        paths = ", ".join("'" + glob.escape(str(batch.rows)).replace("'", "''") + "'" for batch in batches)
        found = con.execute(f"select name, count(distinct file_name) from parquet_schema([{paths}]) group by name")
        n_with = dict(found.fetchall())
        named = ", ".join(
            f'null::{sql_type} as "{name}"' if name in empty else _landed(name, columns, n_with, len(batches), empty)
            for name, sql_type in columns.items()
        )
        select = (
            f"select {named}, raw_batches.batch_id, raw_batches.sequence "
            f"from read_parquet([{paths}], filename = true, union_by_name = {len(set(n_with.values())) > 1}) as landed "
            "inner join raw_batches on landed.filename = raw_batches.file_name"
        )
    con.execute(f"create or replace temp view raw_{kind} as {select}")


def refuse_two_metrics(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> None:
    """Refuse ratings whose difference is told, landed under scales that now have different ranges.

    Raises
    ------
    StudyError
    """
    for kind in Kind:
        for column in scales_of(kind):
            if not has_other_metric(column, settings.scales):
                continue
            if con.execute(f'select count("{column.name}") from raw_{kind}').fetchall()[0][0]:
                raise StudyError(two_metrics(column), "correct one of them in [scales] of study.toml")


def _landed(
    name: str, columns: Mapping[str, str], n_with: Mapping[str, int], n_batches: int, empty: frozenset[str]
) -> str:
    """Write a landed column; of the own scales those that are not withheld.

    Batches that were landed before the contract had a column lack it. Where it was a scale of the study's own until
    then, its ratings are in the map.
    """
    if name in (OTHER_SCORES, MEASURED) and name in n_with and empty:
        withheld = ", ".join(f"'{scale}'" for scale in sorted(empty))
        shown = f"list_filter(map_entries(landed.{name}), lambda entry: entry.key not in ({withheld}))"
        return f"map_from_entries({shown}) as {name}"
    if n_with.get(name) == n_batches:
        return f'landed."{name}"'
    held = [f'landed."{name}"'] if name in n_with else []
    if OTHER_SCORES in columns and columns[name] == _SQL_TYPES[ValueType.SCALE]:
        held.append(f"landed.{OTHER_SCORES}['{name}']")
    return f'coalesce({", ".join([*held, f"null::{columns[name]}"])}) as "{name}"'
