-- Grain: one appointment as it was last reported. Sources: raw_placed_sessions, stg_repeated_keys.
create or replace temp view stg_sessions as
with
final as (
    select
        placed.practice_id,
        placed.therapist_id,
        placed.client_id,
        placed.episode_id,
        placed.place,
        placed.session_date,
        placed.attended as is_attended,
        placed.* like '%_score',
        placed.asked_about_guidance as is_asked_about_guidance,
        placed.measured,
        placed.batch_id
    from raw_placed_sessions as placed
    left join stg_repeated_keys
        on stg_repeated_keys.kind = 'sessions'
        and placed.episode_id = stg_repeated_keys.id
        and placed.place = stg_repeated_keys.place
    where stg_repeated_keys.sequence is null or placed.sequence = stg_repeated_keys.sequence
)
select * from final
