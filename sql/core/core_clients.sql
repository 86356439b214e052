-- Grain: one client that any file knows. Sources: stg_clients, core_episodes, core_attendance.
create or replace table core_clients as
with
known as (
    select client_id from stg_clients
    union
    select client_id from core_episodes
    union
    select client_id from core_attendance
),
episodes as (
    select client_id, count(*)::integer as n_episodes
    from core_episodes
    group by client_id
),
final as (
    select
        known.client_id,
        stg_clients.* like '%_score',
        stg_clients.age_band,
        stg_clients.gender,
        coalesce(episodes.n_episodes, 0) as n_episodes
    from known
    left join stg_clients on known.client_id = stg_clients.client_id
    left join episodes on known.client_id = episodes.client_id
)
select * from final
