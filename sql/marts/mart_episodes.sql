-- Grain: one episode of the cohort with an attended session. Sources: mart_person_session, core_sessions, mart_clients,
-- core_episodes.
-- One course of therapy with its means, how it ended, and what is known of the client. A view, so that what is withheld
-- of clients' age band and gender is withheld here as well. Means are exact (decimal sums).
create or replace view mart_episodes as
with
courses as (
    select
        mart_person_session.episode_id,
        arg_max(mart_person_session.therapist_id, mart_person_session.attended_number) as therapist_id,
        arg_max(mart_person_session.practice_id, mart_person_session.attended_number) as practice_id,
        count(distinct mart_person_session.therapist_id)::integer as n_therapists,
        avg(core_sessions.directiveness_score::decimal(18, 6)) as directiveness_mean,
        avg(core_sessions.satisfaction_score::decimal(18, 6)) as satisfaction_mean
    from mart_person_session
    inner join core_sessions on mart_person_session.session_id = core_sessions.session_id
    group by mart_person_session.episode_id
),
final as (
    select
        core_episodes.episode_id,
        core_episodes.client_id,
        courses.therapist_id,
        courses.practice_id,
        core_episodes.start_date,
        core_episodes.end_date,
        core_episodes.planned_sessions,
        core_episodes.n_appointments,
        core_episodes.n_attended,
        courses.n_therapists,
        courses.directiveness_mean,
        courses.satisfaction_mean,
        mart_clients.* like '%_score',
        core_episodes.* like '%_score',
        mart_clients.age_band,
        mart_clients.gender,
        core_episodes.ending_state,
        case
            when core_episodes.ending_state <> 'undetermined' then (core_episodes.ending_state = 'dropout')::integer
        end as is_dropout
    from courses
    inner join core_episodes on courses.episode_id = core_episodes.episode_id
    inner join mart_clients on core_episodes.client_id = mart_clients.client_id
)
select * from final
