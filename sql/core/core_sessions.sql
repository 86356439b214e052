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
        core_ordered_sessions.* like '%_score',
        is_asked_about_guidance,
        batch_id
    from core_ordered_sessions
)
select * from final
