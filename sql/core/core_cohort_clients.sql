-- Grain: one client of the cohort. Sources: core_attendance, study_settings.
-- A client is in the cohort with enough attended sessions within the study's dates, over all episodes.
create or replace temp table core_cohort_clients as
with
clients as (
    select client_id, sum(n_attended) as n_attended
    from core_attendance
    group by client_id
),
final as (
    select clients.client_id
    from clients
    cross join study_settings
    where clients.n_attended >= study_settings.min_attended_sessions
)
select * from final
