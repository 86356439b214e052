-- Grain: one landed row of any kind. Sources: raw_placed_sessions, raw_episodes, raw_clients.
-- What a row is about (kind, id, place): two rows with the same key speak of the same thing, and the later landing
-- (`sequence`) is believed.
create or replace temp view raw_keys as
with
final as (
    select 'sessions' as kind, episode_id as id, place, batch_id, sequence
    from raw_placed_sessions
    union all
    select 'episodes' as kind, episode_id as id, 0 as place, batch_id, sequence
    from raw_episodes
    union all
    select 'clients' as kind, client_id as id, 0 as place, batch_id, sequence
    from raw_clients
)
select * from final
