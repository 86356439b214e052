-- Grain: one episode as it was last reported. Sources: raw_episodes, stg_repeated_keys, study_scales.
-- Turns severity so that higher means more severe.
create or replace temp table stg_episodes as
with
turned as (
    select max(turning_point) filter (where scale = 'intake_severity') as intake_severity
    from study_scales
    where is_turned
),
final as (
    select
        raw_episodes.episode_id,
        raw_episodes.client_id,
        raw_episodes."start" as start_date,
        raw_episodes."end" as end_date,
        raw_episodes.ending,
        raw_episodes.planned_sessions,
        coalesce(turned.intake_severity - raw_episodes.intake_severity, raw_episodes.intake_severity)
            as intake_severity_score,
        raw_episodes.data_cut,
        raw_episodes.batch_id
    from raw_episodes
    cross join turned
    left join stg_repeated_keys
        on stg_repeated_keys.kind = 'episodes'
        and raw_episodes.episode_id = stg_repeated_keys.id
    where stg_repeated_keys.sequence is null or raw_episodes.sequence = stg_repeated_keys.sequence
)
select * from final
