"""How far the data reach, as a month: the day of the last session is one client's day."""

from __future__ import annotations

from datetime import date

import duckdb

from outcomes.disclosure import Teller

_MONTHS = """
    with months as (
        select date_trunc('month', session_date)::date as month, client_id
        from core_sessions
        where session_date is not null
    ),
    reached as (select client_id, max(month) as last_month from months group by client_id)
    select last_month, sum(count(*)) over (order by last_month desc)::bigint as n_clients
    from reached
    group by last_month
    order by last_month desc
"""


def last_month(con: duckdb.DuckDBPyConnection, teller: Teller) -> date | None:
    """Return the first day of the last month that enough clients had a session in or after; None without one.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
        A release; table `core_sessions`.
    teller : Teller
        Says how many clients are enough.
    """
    known = con.execute("select count(*) from duckdb_tables() where table_name = 'core_sessions'").fetchall()[0][0]
    months = con.execute(_MONTHS).fetchall() if known else []
    return next((month for month, n_clients in months if teller.are_enough(n_clients)), None)


def data_cut(con: duckdb.DuckDBPyConnection, teller: Teller) -> str:
    """The last month of the data in words; empty where the sources have no dates, or too few clients with one."""
    month = last_month(con, teller)
    return f"{month:%B %Y}" if month else ""
