"""Sessions whose satisfaction is known, unknown or lost, and the sessions after which a client could leave."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import polars as pl

from outcomes.errors import FitRefused

RATINGS, RISK = "answer_ratings", "answer_staying"


@dataclass(frozen=True)
class MissingRows:
    """What the rungs of the ladder are fitted to; temporary tables of the connection.

    Attributes
    ----------
    ratings : relation
        Attended sessions with a rating of guidance: satisfaction_score (empty where not rated), the three parts of
        guidance, log_session, session_id, episode_id, client_id, therapist_id.
    risk_set : relation
        All attended sessions of these clients: is_dropout (empty where the ending is not known), the usual level of
        guidance (`directiveness_client`, `directiveness_therapist`), the course of the hazard, ratings so far.
    lost : pl.DataFrame
        Sessions that clients who dropped out would still have had in a course of typical length; without ratings.
    typical_sessions : int
        Median number of attended sessions of courses that ended as planned.
    """

    ratings: duckdb.DuckDBPyRelation
    risk_set: duckdb.DuckDBPyRelation
    lost: pl.DataFrame
    typical_sessions: int


def missing_rows(con: duckdb.DuckDBPyConnection) -> MissingRows:
    """Build the rows.

    Raises
    ------
    FitRefused
        Where no ending is recorded, or no course ended as planned.
    """
    if not con.execute("select count(*) from mart_person_session where is_dropout is not null").fetchall()[0][0]:
        raise FitRefused("No endings are recorded in these data, so it is not known which ratings dropout took away.")
    con.execute(
        f"""create or replace temp table {RATINGS} as
        select session_id, episode_id, client_id, therapist_id, attended_number, log_session,
            satisfaction_score::double as satisfaction_score,
            directiveness_within, directiveness_client, directiveness_therapist
        from mart_session_directiveness
        where therapist_id is not null
        order by episode_id, attended_number"""
    )
    # A form that was not returned takes the session's guidance away, not the client's usual level.
    con.execute(
        f"""create or replace temp table {RISK} as
        with
        usual as (
            select client_id, therapist_id,
                any_value(directiveness_client) as directiveness_client,
                any_value(directiveness_therapist) as directiveness_therapist
            from {RATINGS}
            group by client_id, therapist_id
        )
        select sessions.session_id, sessions.episode_id, sessions.client_id, sessions.therapist_id,
            sessions.attended_number, session_1, session_2, session_3, sessions.log_session, is_last, ending_state,
            is_dropout::integer as is_dropout, satisfaction_so_far, alliance_so_far,
            usual.directiveness_client, usual.directiveness_therapist
        from mart_person_session as sessions
        inner join usual on sessions.client_id = usual.client_id and sessions.therapist_id = usual.therapist_id
        order by sessions.episode_id, sessions.attended_number"""
    )
    typical = con.execute(
        f"select quantile_disc(attended_number, 0.5) from {RISK} where is_last and ending_state = 'planned'"
    ).fetchall()[0][0]
    if typical is None:
        raise FitRefused("No course is known to have ended as planned, so it is not known how many sessions are lost.")
    lost = con.sql(
        f"""select episode_id, client_id, therapist_id, directiveness_client, directiveness_therapist,
            ln(session) as log_session
        from {RISK}, range(attended_number + 1, {int(typical)} + 1) as later(session)
        where is_last and ending_state = 'dropout'
        order by episode_id, session"""
    ).pl()
    return MissingRows(con.table(RATINGS), con.table(RISK), lost, int(typical))


def people(rows: pl.DataFrame) -> tuple[int, int, int]:
    """Sessions, clients and therapists behind some rows."""
    return rows.height, rows["client_id"].n_unique(), rows["therapist_id"].n_unique()
