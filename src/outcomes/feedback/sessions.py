"""What pages are made from: one row a therapist, client and period, from the attended sessions of the cohort."""

from __future__ import annotations

import duckdb
import polars as pl

from outcomes.study.tables.feedback import PeriodLength

SESSIONS = "mart_sessions"
_WISHED, _GUIDANCE = "directiveness_preferred_score", "directiveness_score"


def client_periods(con: duckdb.DuckDBPyConnection, length: PeriodLength) -> pl.DataFrame:
    """Return each client's own means with each therapist in each period.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
        A release.
    length : PeriodLength
        Of the calendar.

    Returns
    -------
    DataFrame
        `therapist_id`, `client_id`, `start` (first day of the period), `satisfaction`, `distance`, `leaning` (means;
        null where nothing was rated), `asked`, `not_asked` (sessions). Sessions without a day or a therapist are left
        out.
    """
    months = length.months
    return con.sql(
        f"""select therapist_id, client_id,
                make_date(year(session_date), ((month(session_date) - 1) // {months}) * {months} + 1, 1) as start,
                avg(satisfaction_score) as satisfaction,
                avg(abs({_GUIDANCE} - {_WISHED})) as distance,
                avg({_GUIDANCE} - {_WISHED}) as leaning,
                count(*) filter (where is_asked_about_guidance) as asked,
                count(*) filter (where not is_asked_about_guidance) as not_asked
            from {SESSIONS}
            where session_date is not null and therapist_id is not null
            group by therapist_id, client_id, start
            order by therapist_id, client_id, start"""
    ).pl()


def n_clients_beside(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Return for each therapist how many clients of the study never came to them."""
    rows = con.execute(
        f"""with everybody as (select count(distinct client_id) as n from {SESSIONS})
            select therapist_id, any_value(everybody.n) - count(distinct client_id)
            from {SESSIONS} cross join everybody where therapist_id is not null group by therapist_id"""
    ).fetchall()
    return dict(rows)
