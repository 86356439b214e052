"""Which of the study's questions a release's data can answer: told beside its checks, before anything is fitted."""

from __future__ import annotations

import duckdb

from outcomes.contract import CONTRACT, Column, Ending, Kind, Role, ValueType
from outcomes.study import StudySettings
from outcomes.study.answerable import OF_A_SOURCE, Answer, answers_of

_ATTENDED, _ENDING = "attended", "ending"
_NO_ENDING = (Ending.OPEN, Ending.UNKNOWN)


def answerable(con: duckdb.DuckDBPyConnection) -> tuple[Answer, ...]:
    """Say how far each question can be answered from the columns in which anything stands.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
        A release's tables; only counts are read.
    """
    return answers_of({column.name for kind in Kind for column in _filled(con, kind)})


def of_sources(settings: StudySettings) -> tuple[str, ...]:
    """Return what is known of the study's kinds of sources, whatever columns they have."""
    formats = dict.fromkeys(source.format for source in settings.sources.values())
    return tuple(f"{name}: {OF_A_SOURCE[name]}" for name in formats if name in OF_A_SOURCE)


def _filled(con: duckdb.DuckDBPyConnection, kind: Kind) -> list[Column]:
    columns = [column for column in CONTRACT[kind] if column.role is not Role.KEY or column.required]
    counted = ", ".join(_count(column) for column in columns)
    found = con.execute(f"select {counted} from core_{kind}").fetchall()[0]
    return [column for column, n in zip(columns, found, strict=True) if n]


def _count(column: Column) -> str:
    """SQL: how often a column tells anything.

    Where all sessions were attended, nothing is known of missed ones; that a course is open or its ending unknown tells
    of no ending.
    """
    if column.name == _ATTENDED and column.type is ValueType.YES_NO:
        return f'count(*) filter (not "{column.published}")'
    if column.name == _ENDING:
        words = ", ".join(f"'{one}'" for one in _NO_ENDING)
        return f'count(*) filter ("{column.published}" not in ({words}))'
    return f'count("{column.published}")'
