-- Grain: one appointment. Sources: core_sessions, study_settings.
-- The one place that says which appointments lie within the study's dates: an appointment without a date is out where
-- the study declares dates.
create or replace temp view core_window_sessions as
with
final as (
    select
        core_sessions.*,
        (study_settings.first_session is null or coalesce(core_sessions.session_date >= study_settings.first_session, false))
        and (study_settings.last_session is null or coalesce(core_sessions.session_date <= study_settings.last_session, false))
            as is_in_window
    from core_sessions
    cross join study_settings
)
select * from final
