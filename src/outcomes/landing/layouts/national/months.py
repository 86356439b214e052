"""Tables of several months in one: which month a row is of, and which rows a refreshed submission replaces."""

from __future__ import annotations

import re

import polars as pl

from outcomes.landing.layouts.national.archive import LINE, Member

MONTH = "\0month"
"""Column of a table: the month that a row was submitted for; '' where neither row nor file name tells it."""

IS_OLD = "\0old"
"""Column of a table: the row is of a primary submission of a month that was refreshed."""

_COLUMNS = ("unique_monthid", "uniqmonthid", "uniquemonthid", "reportingperiodstartdate")
_IN_NAME = re.compile(r"(20\d{2})[-_]?(0[1-9]|1[0-2])")
_REFRESH = "refresh"
_DIGITS = 6  # numbers of months are compared as texts


def in_one(members: list[Member]) -> pl.DataFrame:
    """Lay the files of one table under each other, with the month of each row and whether a refresh replaced it.

    Lines count on from file to file, in the order of the files' names.
    """
    parts, after = [], 0
    for one in members:
        month = next(
            (pl.col(name).str.zfill(_DIGITS) for name in _COLUMNS if name in one.frame.columns),
            pl.lit(_month_in(one.name)),
        )
        is_refresh = pl.lit(_REFRESH in one.name)
        if "file_type" in one.frame.columns:
            is_refresh = is_refresh | (pl.col("file_type").str.to_lowercase() == _REFRESH)
        parts.append(
            one.frame.with_columns(month.alias(MONTH), is_refresh.alias(_REFRESH), (pl.col(LINE) + after).alias(LINE))
        )
        after += int(one.frame[LINE].max() or 0)
    every = pl.concat(parts, how="diagonal").with_columns(pl.col(pl.String).fill_null(""))
    is_old = ~pl.col(_REFRESH) & pl.col(_REFRESH).any().over(MONTH)
    return every.with_columns(is_old.alias(IS_OLD)).drop(_REFRESH)


def key_of_client(referrals: pl.DataFrame, contacts: pl.DataFrame) -> str:
    """Return the column of referrals that tells the client and that contacts do not have; '' where there is none."""
    names = ("localpatientid", "person_id")
    return next((name for name in names if name in referrals.columns and name not in contacts.columns), "")


def _month_in(name: str) -> str:
    found = _IN_NAME.search(name)
    return f"{found[1]}-{found[2]}" if found else ""
