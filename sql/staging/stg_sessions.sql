-- Grain: one appointment as it was last reported. Sources: scored_sessions, stg_repeated_keys, study_settings.
-- Names what orders the appointments (`place`): the number that the source gives, or days since 1970-01-01 where dates
-- order them.
create or replace temp view stg_sessions as
with
placed as (
    select
        scored_sessions.*,
        case
            when study_settings.order_by = 'date' then scored_sessions.session_date - date '1970-01-01'
            else scored_sessions.session_number
        end as place
    from scored_sessions
    cross join study_settings
),
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
        placed.batch_id
    from placed
    left join stg_repeated_keys
        on stg_repeated_keys.kind = 'sessions'
        and placed.episode_id = stg_repeated_keys.id
        and placed.place = stg_repeated_keys.place
    where stg_repeated_keys.sequence is null or placed.sequence = stg_repeated_keys.sequence
)
select * from final
