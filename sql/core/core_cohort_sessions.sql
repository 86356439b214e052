-- Grain: one attended session of the cohort. Sources: core_window_sessions, core_cohort_clients.
-- The population of the session marts, stated once.
create or replace temp view core_cohort_sessions as
with
final as (
    select core_window_sessions.*
    from core_window_sessions
    inner join core_cohort_clients on core_window_sessions.client_id = core_cohort_clients.client_id
    where core_window_sessions.is_attended and core_window_sessions.is_in_window
)
select * from final
