-- Grain: one key (kind, id, place) that more than one landed batch reports. Sources: raw_batches, raw_keys.
-- A later file that repeats a session corrects it; `sequence` is the landing that is believed.
create or replace temp table stg_repeated_keys as
with
several as (
    select kind
    from raw_batches
    group by kind
    having count(*) > 1
),
final as (
    select raw_keys.kind, raw_keys.id, raw_keys.place, max(raw_keys.sequence) as sequence
    from raw_keys
    inner join several on raw_keys.kind = several.kind
    group by raw_keys.kind, raw_keys.id, raw_keys.place
    having count(*) > 1
)
select * from final
