-- Grain: one client as last reported. Sources: scored_clients, stg_repeated_keys.
create or replace temp table stg_clients as
with
final as (
    select
        scored_clients.client_id,
        scored_clients.* like '%_score',
        scored_clients.age_band,
        scored_clients.gender,
        scored_clients.measured,
        scored_clients.batch_id
    from scored_clients
    left join stg_repeated_keys
        on stg_repeated_keys.kind = 'clients'
        and scored_clients.client_id = stg_repeated_keys.id
    where stg_repeated_keys.sequence is null or scored_clients.sequence = stg_repeated_keys.sequence
)
select * from final
