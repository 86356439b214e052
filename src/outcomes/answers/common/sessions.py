"""Sessions as the questions about time and paths need them: the mart with a few columns more."""

from __future__ import annotations

import duckdb

from outcomes.models.refusals import Refusal, RefusalRule, refuse
from outcomes.store.warehouse import sql_table

SESSIONS = "answer_sessions"
"""The table that `session_rows` makes."""


def session_rows(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyRelation:
    """Rows of mart_session_directiveness with more columns.

    `asked` (0/1); `misfit_size` |d - preferred| and `misfit_size_next`; `guidance_above`, `guidance_below` (points over
    and under the preferred level, 0 on the other side); `<x>_client` and `<x>_within` (client mean, and departure from
    it) of satisfaction, alliance, felt_overwhelmed, asked, guidance_above, guidance_below; `satisfaction_first` and
    `directiveness_first` (the episode's first ratings, only in later sessions: the initial condition of a model with a
    lagged outcome).
    """
    return sql_table(con, f"answers/{SESSIONS}")


def refuse_steady(sessions: duckdb.DuckDBPyRelation) -> None:
    """Refuse sessions whose rated guidance differs in no client: nobody is then compared with the same client.

    Raises
    ------
    FitRefused
        If there are rated sessions, and guidance is the same in all of each client's.
    """
    spread = sessions.aggregate("max(directiveness_score) - min(directiveness_score) as spread", "client_id")
    n_rated, n_differing = spread.aggregate("count(spread), count(*) filter (spread > 0)").fetchall()[0]
    refuse(Refusal(RefusalRule.STEADY, n_differing, min(n_rated, 1)))
