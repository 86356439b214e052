-- Grain: one appointment, attended or missed. Sources: core_ordered_sessions.
-- The appointments as they are published; who is in the study is decided after them.
create or replace table core_sessions as
with
final as (
    select
        session_id,
        practice_id,
        therapist_id,
        client_id,
        episode_id,
        session_number,
        attended_number,
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
    from core_ordered_sessions
)
select * from final
