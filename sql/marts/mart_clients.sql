-- Grain: one client of the cohort. Sources: core_client_means, core_attendance, core_episodes.
-- Counts and means over the cohort's sessions, and how the latest episode ended.
create or replace table mart_clients as
with
seen as (
    select distinct episode_id, client_id
    from core_attendance
    where n_attended > 0
),
latest as (
    select
        seen.client_id,
        arg_max(
            core_episodes.ending_state,
            {
                'last_day': coalesce(core_episodes.data_cut - core_episodes.days_silent, date '0001-01-01'),
                'episode_id': core_episodes.episode_id
            }
        ) as ending_state
    from seen
    inner join core_episodes on seen.episode_id = core_episodes.episode_id
    group by seen.client_id
),
final as (
    select
        core_client_means.client_id,
        core_client_means.n_episodes,
        core_client_means.n_appointments,
        core_client_means.n_attended,
        core_client_means.n_therapists,
        core_client_means.directiveness_mean,
        core_client_means.satisfaction_mean,
        core_client_means.* like '%_score',
        core_client_means.age_band,
        core_client_means.gender,
        latest.ending_state
    from core_client_means
    inner join latest on core_client_means.client_id = latest.client_id
)
select * from final
