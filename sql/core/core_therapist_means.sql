-- Grain: one therapist of the cohort. Sources: core_attendance, core_cohort_clients.
-- A therapist's usual level: the mean over the therapist's clients of each client's mean with this therapist, so that
-- each client counts once however long the therapy.
create or replace temp table core_therapist_means as
with
client_means as (
    select
        core_attendance.therapist_id,
        core_attendance.client_id,
        sum(core_attendance.n_attended) as n_attended,
        sum(core_attendance.sum_directiveness)::double / nullif(sum(core_attendance.n_directiveness), 0)
            as directiveness_mean,
        sum(core_attendance.sum_satisfaction)::double / nullif(sum(core_attendance.n_satisfaction), 0)
            as satisfaction_mean
    from core_attendance
    inner join core_cohort_clients on core_attendance.client_id = core_cohort_clients.client_id
    where core_attendance.n_attended > 0
    group by core_attendance.therapist_id, core_attendance.client_id
),
final as (
    select
        therapist_id,
        count(*)::integer as n_clients,
        sum(n_attended)::integer as n_sessions,
        avg(directiveness_mean::decimal(24, 12)) as directiveness_mean,
        avg(satisfaction_mean::decimal(24, 12)) as satisfaction_mean
    from client_means
    group by therapist_id
)
select * from final
