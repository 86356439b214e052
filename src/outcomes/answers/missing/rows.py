"""Sessions whose satisfaction is known, unknown or lost, and the sessions after which a client could leave."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import polars as pl

from outcomes.errors import FitRefused
from outcomes.store.warehouse import sql_table


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
    ratings, risk_set = (sql_table(con, f"answers/answer_{name}") for name in ("ratings", "staying"))
    planned = risk_set.filter("is_last and ending_state = 'planned'")
    ((typical,),) = planned.aggregate("quantile_disc(attended_number, 0.5)").fetchall()
    if typical is None:
        raise FitRefused("No course is known to have ended as planned, so it is not known how many sessions are lost.")
    lost = sql_table(con, "answers/answer_lost_sessions", typical_sessions=int(typical)).pl()
    return MissingRows(ratings, risk_set, lost, int(typical))


def people(rows: pl.DataFrame) -> tuple[int, int, int]:
    """Sessions, clients and therapists behind some rows."""
    return rows.height, rows["client_id"].n_unique(), rows["therapist_id"].n_unique()
