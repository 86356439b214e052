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
by_person as (
    select
        episode_id,
        client_id,
        therapist_id,
        grouping(episode_id) = 0 as is_episode,
        [
            sum(n_3), sum(n_4), sum(n_5), sum(n_6), sum(n_7), sum(n_8), sum(n_9), sum(n_10), sum(n_11)
        ] as n_sessions
    from counted
    group by grouping sets ((episode_id), (client_id), (therapist_id))
),
by_step as (
    select
        episode_id,
        client_id,
        therapist_id,
        is_episode,
        unnest([3, 4, 5, 6, 7, 8, 9, 10, 11]) as step_number,
        unnest(n_sessions) as n_sessions
    from by_person
),
people as (
    select
        step_number,
        (sum(n_sessions) filter (where is_episode))::bigint as n_sessions,
        count(episode_id) filter (where n_sessions > 0) as n_episodes,
        count(client_id) filter (where n_sessions > 0) as n_clients,
        count(therapist_id) filter (where n_sessions > 0) as n_therapists
    from by_step
    group by step_number
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
            else coalesce(people.n_sessions, 0)
        end as n_sessions,
        case when steps.step_number > 2 then coalesce(people.n_episodes, 0) end as n_episodes,
        case when steps.step_number > 2 then coalesce(people.n_clients, 0) end as n_clients,
        case when steps.step_number > 2 then coalesce(people.n_therapists, 0) end as n_therapists
    from steps
    cross join batches
    left join people on steps.step_number = people.step_number
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
