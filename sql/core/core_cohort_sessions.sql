-- Grain: one attended session of the cohort. Sources: core_ordered_sessions, core_cohort_clients.
-- The population of the session marts, stated once.
create or replace temp view core_cohort_sessions as
with
final as (
    select core_ordered_sessions.*
    from core_ordered_sessions
    inner join core_cohort_clients on core_ordered_sessions.client_id = core_cohort_clients.client_id
    where core_ordered_sessions.is_attended and core_ordered_sessions.is_in_window
)
select * from final
