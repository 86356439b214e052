-- Grain: one landed session row that another file has for another practice, and otherwise different. Sources:
-- raw_placed_sessions, stg_repeated_keys.
-- Of rows of one session the later is believed. Where practice and content differ, they are likely two sessions of two
-- clients whom two practices gave the same id; the replaced row and the one that replaced it are both told.
create or replace temp table stg_contested_sessions as
with
repeated as (
    select
        placed.episode_id,
        placed.place,
        placed.practice_id,
        placed.batch_id,
        placed.sequence = stg_repeated_keys.sequence as is_current,
        hash(placed.therapist_id, placed.session_date, placed.attended, *columns('_score$')) as content
    from raw_placed_sessions as placed
    inner join stg_repeated_keys
        on stg_repeated_keys.kind = 'sessions'
        and placed.episode_id = stg_repeated_keys.id
        and placed.place = stg_repeated_keys.place
),
pairs as (
    select
        replaced.episode_id,
        replaced.place,
        unnest([replaced.batch_id, kept.batch_id]) as batch_id
    from repeated as replaced
    inner join repeated as kept
        on replaced.episode_id = kept.episode_id
        and replaced.place = kept.place
        and replaced.practice_id <> kept.practice_id
        and replaced.content <> kept.content
    where kept.is_current and not replaced.is_current
),
final as (
    select distinct episode_id, place, batch_id from pairs
)
select * from final
