-- Grain: one episode that the sessions or the episodes file know. Sources: core_sessions, stg_episodes.
-- What is known of the course and the end of an episode before any definition of dropout judges it.
create or replace temp table core_episode_facts as
with
attendance as (
    select
        episode_id,
        min(client_id) as client_id,
        count(*)::integer as n_appointments,
        (count(*) filter (where is_attended))::integer as n_attended,
        not arg_max(is_attended, session_number) as is_last_missed,
        max(session_date) filter (where is_attended) as last_attended_date
    from core_sessions
    group by episode_id
),
last_days as (
    select max(session_date) as last_session_date
    from core_sessions
),
declared_cuts as (
    select max(data_cut) as data_cut
    from stg_episodes
),
final as (
    select
        coalesce(stg_episodes.episode_id, attendance.episode_id) as episode_id,
        coalesce(stg_episodes.client_id, attendance.client_id) as client_id,
        stg_episodes.start_date,
        stg_episodes.end_date,
        stg_episodes.ending,
        stg_episodes.planned_sessions,
        stg_episodes.* like '%_score',
        coalesce(stg_episodes.data_cut, declared_cuts.data_cut, last_days.last_session_date) as data_cut,
        coalesce(attendance.n_appointments, 0) as n_appointments,
        coalesce(attendance.n_attended, 0) as n_attended,
        attendance.is_last_missed,
        (
            coalesce(stg_episodes.data_cut, declared_cuts.data_cut, last_days.last_session_date)
            - attendance.last_attended_date
        )::integer as days_silent,
        coalesce(
            stg_episodes.ending not in ('open', 'unknown')
            or (stg_episodes.ending is distinct from 'open' and stg_episodes.end_date is not null),
            false
        ) as is_ended
    from attendance
    full outer join stg_episodes on attendance.episode_id = stg_episodes.episode_id
    cross join last_days
    cross join declared_cuts
)
select * from final
