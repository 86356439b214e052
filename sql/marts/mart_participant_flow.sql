-- Grain: one step from the rows that were read to the sessions that a model sees. Sources: core_batches,
-- core_attendance, core_cohort_clients, core_episodes, mart_person_session, study_settings.
-- Who is in and who is not, with a reason at every exclusion. Steps 1 to 8 lead to the models of satisfaction; step 9
-- starts again from step 6 and leads to the models of dropout. Rows of a file (steps 1 and 2) are not yet people:
-- empty counts.
create or replace table mart_participant_flow as
with
unknown_ends as (
    select
        mart_person_session.client_id,
        mart_person_session.therapist_id,
        mart_person_session.episode_id,
        (
            coalesce(core_episodes.ending, 'unknown') in ('open', 'unknown')
            and core_episodes.end_date is null
            and coalesce(core_episodes.days_silent >= study_settings.silent_days, false)
        )::integer as n_silent
    from mart_person_session
    inner join core_episodes on mart_person_session.episode_id = core_episodes.episode_id
    cross join study_settings
    where mart_person_session.is_dropout is null
),
counted as (
    select
        core_attendance.client_id,
        core_attendance.therapist_id,
        core_attendance.episode_id,
        core_attendance.n_appointments_all as n_3,
        core_attendance.n_appointments as n_4,
        core_attendance.n_attended as n_5,
        case when core_cohort_clients.client_id is null then 0 else core_attendance.n_attended end as n_6,
        case when core_cohort_clients.client_id is null then 0 else core_attendance.n_directiveness end as n_7,
        case when core_cohort_clients.client_id is null then 0 else core_attendance.n_both end as n_8,
        n_6 as n_9,
        n_9 - coalesce(unknown_ends.n_silent, 0) as n_10,
        n_9 - (unknown_ends.n_silent is not null)::integer as n_11
    from core_attendance
    left join core_cohort_clients on core_attendance.client_id = core_cohort_clients.client_id
    left join unknown_ends
        on core_attendance.client_id = unknown_ends.client_id
        and core_attendance.therapist_id = unknown_ends.therapist_id
        and core_attendance.episode_id = unknown_ends.episode_id
),
sessions as (
    select
        unnest([3, 4, 5, 6, 7, 8, 9, 10, 11]) as step_number,
        unnest([sum(n_3), sum(n_4), sum(n_5), sum(n_6), sum(n_7), sum(n_8), sum(n_9), sum(n_10), sum(n_11)])::bigint
            as n_sessions
    from counted
),
by_client as (
    select
        client_id,
        max(n_3) as n_3,
        max(n_4) as n_4,
        max(n_5) as n_5,
        max(n_6) as n_6,
        max(n_7) as n_7,
        max(n_8) as n_8,
        max(n_9) as n_9,
        max(n_10) as n_10,
        max(n_11) as n_11
    from counted
    group by client_id
),
clients as (
    select
        unnest([3, 4, 5, 6, 7, 8, 9, 10, 11]) as step_number,
        unnest(
            [
                count(*) filter (where n_3 > 0),
                count(*) filter (where n_4 > 0),
                count(*) filter (where n_5 > 0),
                count(*) filter (where n_6 > 0),
                count(*) filter (where n_7 > 0),
                count(*) filter (where n_8 > 0),
                count(*) filter (where n_9 > 0),
                count(*) filter (where n_10 > 0),
                count(*) filter (where n_11 > 0)
            ]
        ) as n_clients
    from by_client
),
by_episode as (
    select
        episode_id,
        max(n_3) as n_3,
        max(n_4) as n_4,
        max(n_5) as n_5,
        max(n_6) as n_6,
        max(n_7) as n_7,
        max(n_8) as n_8,
        max(n_9) as n_9,
        max(n_10) as n_10,
        max(n_11) as n_11
    from counted
    group by episode_id
),
episodes as (
    select
        unnest([3, 4, 5, 6, 7, 8, 9, 10, 11]) as step_number,
        unnest(
            [
                count(*) filter (where n_3 > 0),
                count(*) filter (where n_4 > 0),
                count(*) filter (where n_5 > 0),
                count(*) filter (where n_6 > 0),
                count(*) filter (where n_7 > 0),
                count(*) filter (where n_8 > 0),
                count(*) filter (where n_9 > 0),
                count(*) filter (where n_10 > 0),
                count(*) filter (where n_11 > 0)
            ]
        ) as n_episodes
    from by_episode
),
by_therapist as (
    select
        therapist_id,
        max(n_3) as n_3,
        max(n_4) as n_4,
        max(n_5) as n_5,
        max(n_6) as n_6,
        max(n_7) as n_7,
        max(n_8) as n_8,
        max(n_9) as n_9,
        max(n_10) as n_10,
        max(n_11) as n_11
    from counted
    group by therapist_id
),
therapists as (
    select
        unnest([3, 4, 5, 6, 7, 8, 9, 10, 11]) as step_number,
        unnest(
            [
                count(*) filter (where n_3 > 0),
                count(*) filter (where n_4 > 0),
                count(*) filter (where n_5 > 0),
                count(*) filter (where n_6 > 0),
                count(*) filter (where n_7 > 0),
                count(*) filter (where n_8 > 0),
                count(*) filter (where n_9 > 0),
                count(*) filter (where n_10 > 0),
                count(*) filter (where n_11 > 0)
            ]
        ) as n_therapists
    from by_therapist
),
batches as (
    select
        coalesce(sum(n_read), 0)::bigint as n_read,
        coalesce(sum(n_read - n_quarantined), 0)::bigint as n_landed
    from core_batches
    where kind = 'sessions'
),
steps as (
    select 1 as step_number, 'rows of the session files' as step, 'all rows that were read' as reason
    union all
    select 2 as step_number, 'accepted rows' as step, 'quarantined: see core_quarantine for the rules' as reason
    union all
    select 3 as step_number, 'appointments' as step, 'superseded by a later file' as reason
    union all
    select
        4 as step_number,
        'within the study''s dates' as step,
        'before the first day, after the last, or undated' as reason
    union all
    select 5 as step_number, 'attended sessions' as step, 'missed appointments' as reason
    union all
    select
        6 as step_number,
        'sessions of the cohort' as step,
        'clients with fewer than ' || min_attended_sessions || ' attended session(s)' as reason
    from study_settings
    union all
    select 7 as step_number, 'with a directiveness rating' as step, 'directiveness not rated' as reason
    union all
    select 8 as step_number, 'in models of satisfaction' as step, 'satisfaction not rated' as reason
    union all
    select 9 as step_number, 'at risk of dropout' as step, 'starts again from step 6; a rating is not needed' as reason
    union all
    select
        10 as step_number,
        'not silent' as step,
        'last session of an episode without a recorded ending, silent for ' || silent_days || ' days or more' as reason
    from study_settings
    union all
    select
        11 as step_number,
        'in models of dropout' as step,
        'last session of an episode that is open, or whose ending the definition cannot judge' as reason
),
filled as (
    select
        steps.step_number,
        steps.step,
        steps.reason,
        case steps.step_number
            when 1 then batches.n_read
            when 2 then batches.n_landed
            else coalesce(sessions.n_sessions, 0)
        end as n_sessions,
        case when steps.step_number > 2 then coalesce(episodes.n_episodes, 0) end as n_episodes,
        case when steps.step_number > 2 then coalesce(clients.n_clients, 0) end as n_clients,
        case when steps.step_number > 2 then coalesce(therapists.n_therapists, 0) end as n_therapists
    from steps
    cross join batches
    left join sessions on steps.step_number = sessions.step_number
    left join episodes on steps.step_number = episodes.step_number
    left join clients on steps.step_number = clients.step_number
    left join therapists on steps.step_number = therapists.step_number
),
final as (
    select
        step_number,
        step,
        reason,
        n_sessions,
        n_episodes,
        n_clients,
        n_therapists,
        lag(n_sessions) over branch - n_sessions as n_sessions_excluded,
        lag(n_clients) over branch - n_clients as n_clients_excluded
    from filled
    window branch as (partition by step_number >= 9 order by step_number)
    order by step_number
)
select * from final
