-- Grain: one key (kind, id, place) that more than one landed batch reports. Sources: raw_batches, raw_sessions,
-- raw_episodes, raw_clients, study_settings.
-- A later file that repeats a session corrects it; `sequence` is the landing that is believed.
create or replace temp table stg_repeated_keys as
with
several as (
    select kind
    from raw_batches
    group by kind
    having count(*) > 1
),
keys as (
    select
        'sessions' as kind,
        raw_sessions.episode_id as id,
        case
            when study_settings.order_by = 'date' then raw_sessions.session_date - date '1970-01-01'
            else raw_sessions.session_number
        end as place,
        raw_sessions.sequence
    from raw_sessions
    cross join study_settings
    union all
    select 'episodes' as kind, episode_id as id, 0 as place, sequence
    from raw_episodes
    union all
    select 'clients' as kind, client_id as id, 0 as place, sequence
    from raw_clients
),
final as (
    select keys.kind, keys.id, keys.place, max(keys.sequence) as sequence
    from keys
    inner join several on keys.kind = several.kind
    group by keys.kind, keys.id, keys.place
    having count(*) > 1
)
select * from final
