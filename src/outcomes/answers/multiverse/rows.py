"""Sessions for the multiverse: one pair of ratings at a time, with everything that any specification reads."""

from __future__ import annotations

import duckdb

from outcomes.contract import SCORE
from outcomes.study.settings import StudySettings

TABLE = "multiverse_sessions"


def ratings(settings: StudySettings, construct: str) -> tuple[str, ...]:
    """Scales that measure a construct, the contract's own first."""
    return construct, *(name for name in settings.extra_scales if settings.scales[name].measures == construct)


def rating_sql(settings: StudySettings, construct: str, scale: str) -> str:
    """SQL of a rating in `core_sessions`; another scale is stretched onto the range of the construct's own."""
    if scale == construct:
        return f"sessions.{construct}{SCORE}"
    own, other = settings.scales[construct], settings.scales[scale]
    stretch = (own.maximum - own.minimum) / (other.maximum - other.minimum)
    return f"{own.minimum!r} + (sessions.{scale}{SCORE} - {other.minimum!r}) * {stretch!r}"


def session_table(con: duckdb.DuckDBPyConnection, satisfaction: str, directiveness: str) -> duckdb.DuckDBPyRelation:
    """Attended sessions of the cohort with a rating of guidance, as a temporary table.

    Parameters
    ----------
    con : connection
    satisfaction, directiveness : str
        SQL of the ratings, from `rating_sql`.

    Returns
    -------
    relation
        client_id, therapist_id, y, y_next, y_first, d_first, within, within_next (departure from the client's mean),
        client_mean; client and therapist (each client of a therapist counts once), client_by_sessions and
        therapist_by_sessions (each session does); session, log_session; severity, preference; n_sessions (rated ones
        of the client), n_therapists (of the client). Next ratings are empty at a change of therapist and at the end of
        the episode; first ones in the first rated session.
    """
    con.execute(
        f"""create or replace temp table {TABLE} as
        with
        rated as (
            select
                risk.client_id, risk.therapist_id, risk.episode_id, risk.attended_number,
                risk.intake_severity_score as severity, risk.directiveness_preferred_score as preference,
                {satisfaction} as y, {directiveness} as d
            from mart_person_session as risk
            inner join core_sessions as sessions on risk.session_id = sessions.session_id
        ),
        in_order as (
            select *,
                case when lead(therapist_id) over next_one = therapist_id then lead(y) over next_one end as y_next,
                case when lead(therapist_id) over next_one = therapist_id then lead(d) over next_one end as d_next,
                min(attended_number) filter (y is not null) over of_episode as first_number,
                arg_min(y, attended_number) over of_episode as y_of_first,
                arg_min(d, attended_number) over of_episode as d_of_first
            from rated
            window
                next_one as (partition by episode_id order by attended_number),
                of_episode as (partition by episode_id)
        ),
        with_guidance as (select * from in_order where d is not null),
        clients as (
            select client_id, avg(d) as client_mean, count(*) as n_sessions,
                count(distinct therapist_id) as n_therapists
            from with_guidance group by client_id
        ),
        pairs as (
            select therapist_id, avg(d) as pair_mean, sum(d) as pair_sum, count(*) as n
            from with_guidance group by therapist_id, client_id
        ),
        therapists as (
            select therapist_id, avg(pair_mean) as therapist_mean, sum(pair_sum) / sum(n) as therapist_by_sessions
            from pairs group by therapist_id
        ),
        final as (
            select
                client_id, therapist_id, y, y_next, client_mean, severity, preference, n_sessions, n_therapists,
                d - client_mean as within,
                d_next - client_mean as within_next,
                case when attended_number > first_number then y_of_first end as y_first,
                case when attended_number > first_number then d_of_first end as d_first,
                client_mean - therapist_mean as client,
                therapist_mean as therapist,
                client_mean - therapists.therapist_by_sessions as client_by_sessions,
                therapists.therapist_by_sessions,
                attended_number::double as session,
                ln(attended_number) as log_session
            from with_guidance
            inner join clients using (client_id)
            inner join therapists using (therapist_id)
        )
        select * from final"""
    )
    return con.table(TABLE)


def clients(rows: duckdb.DuckDBPyRelation) -> dict[str, tuple[int, int]]:
    """Each client's number of rated sessions and of therapists."""
    found = rows.aggregate("client_id, any_value(n_sessions), any_value(n_therapists)", "client_id").fetchall()
    return {client: (n_sessions, n_therapists) for client, n_sessions, n_therapists in found}
