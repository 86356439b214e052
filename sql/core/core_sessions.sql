-- Grain: one appointment, attended or missed. Sources: stg_sessions, study_settings.
-- Numbers the appointments of an episode (the source's number is kept where it gives one) and the attended ones.
create or replace table core_sessions as
with
numbered as (
    select
        stg_sessions.*,
        case
            when study_settings.order_by = 'date' then row_number() over in_order
            else stg_sessions.place
        end::integer as session_number,
        (count(*) filter (where stg_sessions.is_attended) over in_order)::integer as n_attended_so_far
    from stg_sessions
    cross join study_settings
    window in_order as (
        partition by stg_sessions.episode_id order by stg_sessions.place
        rows between unbounded preceding and current row
    )
),
final as (
    select
        episode_id || '-' || session_number as session_id,
        practice_id,
        therapist_id,
        client_id,
        episode_id,
        session_number,
        case when is_attended then n_attended_so_far end as attended_number,
        session_date,
        is_attended,
        directiveness_score,
        satisfaction_score,
        alliance_score,
        autonomy_support_score,
        felt_overwhelmed_score,
        is_asked_about_guidance,
        empowerment_score,
        other_scores,
        batch_id
    from numbered
)
select * from final
