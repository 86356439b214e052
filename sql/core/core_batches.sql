-- Grain: one landed batch. Sources: raw_batches, raw_keys, stg_repeated_keys, stg_contested_sessions, core_sessions,
-- stg_episodes, stg_clients.
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
superseded_rows as (
    select raw_keys.batch_id, count(*) as n_superseded
    from raw_keys
    inner join stg_repeated_keys
        on raw_keys.kind = stg_repeated_keys.kind
        and raw_keys.id = stg_repeated_keys.id
        and raw_keys.place = stg_repeated_keys.place
    where raw_keys.sequence < stg_repeated_keys.sequence
    group by raw_keys.batch_id
),
contested_rows as (
    select batch_id, count(*) as n_contested from stg_contested_sessions group by batch_id
),
final as (
    select
        raw_batches.batch_id,
        raw_batches.kind,
        raw_batches.sequence,
        raw_batches.n_read,
        raw_batches.n_quarantined,
        coalesce(superseded_rows.n_superseded, 0) as n_superseded,
        coalesce(current_rows.n_current, 0) as n_current,
        coalesce(contested_rows.n_contested, 0) as n_contested
    from raw_batches
    left join superseded_rows on raw_batches.batch_id = superseded_rows.batch_id
    left join current_rows on raw_batches.batch_id = current_rows.batch_id
    left join contested_rows on raw_batches.batch_id = contested_rows.batch_id
)
select * from final
