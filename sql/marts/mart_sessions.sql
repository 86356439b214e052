-- Grain: one attended session of the cohort, rated or not. Sources: core_sessions, mart_person_session, mart_clients,
-- core_episodes, mart_session_directiveness.
-- Where a researcher looks first: ratings, parts of directiveness and what is known of the client in one place. A view,
-- so that what is withheld of clients' age band and gender is withheld here as well.
create or replace view mart_sessions as
with
final as (
    select
        core_sessions.session_id,
        core_sessions.practice_id,
        core_sessions.therapist_id,
        core_sessions.client_id,
        core_sessions.episode_id,
        core_sessions.session_number,
        core_sessions.attended_number,
        core_sessions.session_date,
        core_sessions.* like '%_score',
        core_sessions.is_asked_about_guidance,
        parts.directiveness_within,
        parts.directiveness_client,
        parts.directiveness_therapist,
        parts.directiveness_misfit,
        mart_clients.* like '%_score',
        core_episodes.* like '%_score',
        mart_clients.age_band,
        mart_clients.gender,
        mart_person_session.is_last,
        mart_person_session.ending_state
    from mart_person_session
    inner join core_sessions on mart_person_session.session_id = core_sessions.session_id
    inner join mart_clients on mart_person_session.client_id = mart_clients.client_id
    inner join core_episodes on mart_person_session.episode_id = core_episodes.episode_id
    left join mart_session_directiveness as parts on mart_person_session.session_id = parts.session_id
)
select * from final
