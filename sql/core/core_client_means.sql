-- Grain: one client of the cohort. Sources: core_attendance, core_cohort_clients, core_clients.
-- A client's usual level: the mean over all attended, rated sessions of the cohort, whoever was the therapist.
create or replace temp table core_client_means as
with
sums as (
    select
        client_id,
        count(distinct episode_id) filter (where n_attended > 0) as n_episodes,
        sum(n_appointments) as n_appointments,
        sum(n_attended) as n_attended,
        count(distinct therapist_id) filter (where n_attended > 0) as n_therapists,
        sum(n_directiveness) as n_directiveness,
        sum(sum_directiveness)::double / nullif(sum(n_directiveness), 0) as directiveness_mean,
        sum(sum_satisfaction)::double / nullif(sum(n_satisfaction), 0) as satisfaction_mean
    from core_attendance
    group by client_id
),
final as (
    select
        sums.client_id,
        sums.n_episodes::integer as n_episodes,
        sums.n_appointments::integer as n_appointments,
        sums.n_attended::integer as n_attended,
        sums.n_therapists::integer as n_therapists,
        sums.n_directiveness::integer as n_directiveness,
        sums.directiveness_mean,
        sums.satisfaction_mean,
        core_clients.* like '%_score',
        core_clients.age_band,
        core_clients.gender
    from sums
    inner join core_cohort_clients on sums.client_id = core_cohort_clients.client_id
    inner join core_clients on sums.client_id = core_clients.client_id
)
select * from final
