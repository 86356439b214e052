-- Grain: one landed batch. Sources: raw_batches, raw_sessions, raw_episodes, raw_clients, stg_repeated_keys,
-- core_sessions, stg_episodes, stg_clients, study_settings.
-- The account of every row: read = quarantined + superseded + current. The three are counted apart, so that a row that
-- got lost would show.
create or replace table core_batches as
with
current_rows as (
    select batch_id, count(*) as n_current from core_sessions group by batch_id
    union all
    select batch_id, count(*) as n_current from stg_episodes group by batch_id
    union all
    select batch_id, count(*) as n_current from stg_clients group by batch_id
),
landed_keys as (
    select
        'sessions' as kind,
        raw_sessions.batch_id,
        raw_sessions.episode_id as id,
        case
            when study_settings.order_by = 'date' then raw_sessions.session_date - date '1970-01-01'
            else raw_sessions.session_number
        end as place,
        raw_sessions.sequence
    from raw_sessions
    cross join study_settings
    union all
    select 'episodes' as kind, batch_id, episode_id as id, 0 as place, sequence
    from raw_episodes
    union all
    select 'clients' as kind, batch_id, client_id as id, 0 as place, sequence
    from raw_clients
),
superseded_rows as (
    select landed_keys.batch_id, count(*) as n_superseded
    from landed_keys
    inner join stg_repeated_keys
        on landed_keys.kind = stg_repeated_keys.kind
        and landed_keys.id = stg_repeated_keys.id
        and landed_keys.place = stg_repeated_keys.place
    where landed_keys.sequence < stg_repeated_keys.sequence
    group by landed_keys.batch_id
),
final as (
    select
        raw_batches.batch_id,
        raw_batches.kind,
        raw_batches.sequence,
        raw_batches.n_read,
        raw_batches.n_quarantined,
        coalesce(superseded_rows.n_superseded, 0) as n_superseded,
        coalesce(current_rows.n_current, 0) as n_current
    from raw_batches
    left join superseded_rows on raw_batches.batch_id = superseded_rows.batch_id
    left join current_rows on raw_batches.batch_id = current_rows.batch_id
)
select * from final
