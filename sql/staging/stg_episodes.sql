-- Grain: one episode as it was last reported. Sources: scored_episodes, stg_repeated_keys.
create or replace temp table stg_episodes as
with
final as (
    select
        scored_episodes.episode_id,
        scored_episodes.client_id,
        scored_episodes."start" as start_date,
        scored_episodes."end" as end_date,
        scored_episodes.ending,
        scored_episodes.planned_sessions,
        scored_episodes.* like '%_score',
        scored_episodes.data_cut,
        scored_episodes.measured,
        scored_episodes.batch_id
    from scored_episodes
    left join stg_repeated_keys
        on stg_repeated_keys.kind = 'episodes'
        and scored_episodes.episode_id = stg_repeated_keys.id
    where stg_repeated_keys.sequence is null or scored_episodes.sequence = stg_repeated_keys.sequence
)
select * from final
