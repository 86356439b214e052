-- Grain: one rule that quarantined rows of one landed batch. Sources: raw_quarantine.
create or replace table core_quarantine as
with
final as (
    select batch_id, kind, rule, reason, n_rows
    from raw_quarantine
)
select * from final
