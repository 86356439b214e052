-- Grain: one score made of the items of a questionnaire. Sources: core_ordered_sessions, stg_episodes, stg_clients.
-- How each came about: by which version of whose rule, from how many answers, and what total the source had stored. The
-- score is in the questionnaire's own direction. A stored total that was rounded to one decimal is no other one.
create or replace table core_measures as
with
held as (
    select
        'sessions' as kind,
        client_id,
        episode_id,
        session_id,
        unnest(map_entries(measured)) as entry,
        batch_id
    from core_ordered_sessions
    union all
    select
        'episodes' as kind,
        client_id,
        episode_id,
        null as session_id,
        unnest(map_entries(measured)) as entry,
        batch_id
    from stg_episodes
    union all
    select
        'clients' as kind,
        client_id,
        null as episode_id,
        null as session_id,
        unnest(map_entries(measured)) as entry,
        batch_id
    from stg_clients
),
final as (
    select
        kind,
        client_id,
        episode_id,
        session_id,
        entry.key as scale,
        entry.value.instrument as instrument,
        entry.value.version as rule_version,
        entry.value.n_answered as n_answered,
        entry.value.value as score,
        entry.value.stored as stored_total,
        case
            when entry.value.n_answered > 0 then abs(entry.value.value - entry.value.stored) > 0.05
        end as is_stored_different,
        batch_id
    from held
    where entry.value.n_answered > 0 or entry.value.stored is not null
)
select * from final
