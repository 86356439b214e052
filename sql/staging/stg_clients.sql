-- Grain: one client as last reported. Sources: raw_clients, stg_repeated_keys, study_scales.
-- Turns preference and reactance so that higher means more.
create or replace temp table stg_clients as
with
turned as (
    select
        max(turning_point) filter (where scale = 'directiveness_preferred') as directiveness_preferred,
        max(turning_point) filter (where scale = 'reactance') as reactance
    from study_scales
    where is_turned
),
final as (
    select
        raw_clients.client_id,
        coalesce(
            turned.directiveness_preferred - raw_clients.directiveness_preferred, raw_clients.directiveness_preferred
        ) as directiveness_preferred_score,
        coalesce(turned.reactance - raw_clients.reactance, raw_clients.reactance) as reactance_score,
        raw_clients.age_band,
        raw_clients.gender,
        raw_clients.batch_id
    from raw_clients
    cross join turned
    left join stg_repeated_keys
        on stg_repeated_keys.kind = 'clients'
        and raw_clients.client_id = stg_repeated_keys.id
    where stg_repeated_keys.sequence is null or raw_clients.sequence = stg_repeated_keys.sequence
)
select * from final
