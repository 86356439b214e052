-- Grain: one appointment of a study whose sessions are ordered by their dates; no rows otherwise. Sources:
-- stg_sessions, study_settings.
-- Numbers the appointments of an episode where the source does not. Apart from the other windows, so that studies that
-- number their sessions do not pay for it.
create or replace temp table stg_session_numbers as
with
final as (
    select
        stg_sessions.episode_id,
        stg_sessions.place,
        row_number() over (partition by stg_sessions.episode_id order by stg_sessions.place)::integer as session_number
    from stg_sessions
    inner join study_settings on study_settings.order_by = 'date'
)
select * from final
