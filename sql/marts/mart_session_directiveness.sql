-- Grain: one attended session of the cohort with a directiveness rating. Sources: core_cohort_sessions,
-- core_client_means, core_therapist_means, core_episodes.
-- Splits directiveness into this session's departure from the client's usual level, the client's departure from the
-- therapist's, and the therapist's from the grand mean (the mean of client means), so that "directive therapists" and
-- "more directive than usual" get separate slopes: score = grand + therapist + client + within.
create or replace table mart_session_directiveness as
with
grand as (
    select avg(directiveness_mean::decimal(24, 12)) as directiveness_mean
    from core_client_means
),
final as (
    select
        sessions.session_id,
        sessions.practice_id,
        sessions.therapist_id,
        sessions.client_id,
        sessions.episode_id,
        sessions.session_number,
        sessions.attended_number,
        ln(sessions.attended_number) as log_session,
        sessions.* like '%_score',
        sessions.is_asked_about_guidance,
        sessions.directiveness_score - clients.directiveness_mean as directiveness_within,
        clients.directiveness_mean - therapists.directiveness_mean as directiveness_client,
        therapists.directiveness_mean - grand.directiveness_mean as directiveness_therapist,
        clients.directiveness_mean as directiveness_client_mean,
        therapists.directiveness_mean as directiveness_therapist_mean,
        clients.n_directiveness as n_sessions_client,
        sessions.directiveness_score - clients.directiveness_preferred_score as directiveness_misfit,
        clients.* like '%_score',
        core_episodes.* like '%_score',
        sessions.satisfaction_previous,
        sessions.directiveness_previous,
        sessions.directiveness_previous - clients.directiveness_mean as directiveness_within_previous,
        sessions.satisfaction_next,
        sessions.directiveness_next,
        sessions.directiveness_next - clients.directiveness_mean as directiveness_within_next,
        sessions.is_asked_about_guidance_previous
    from core_cohort_sessions as sessions
    inner join core_client_means as clients on sessions.client_id = clients.client_id
    inner join core_therapist_means as therapists on sessions.therapist_id = therapists.therapist_id
    inner join core_episodes on sessions.episode_id = core_episodes.episode_id
    cross join grand
    where sessions.directiveness_score is not null
)
select * from final
