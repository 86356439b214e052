-- Grain: one session that a client who dropped out would still have had in a course of typical length. Sources:
-- answer_staying.
-- Parameter: $typical_sessions. These sessions have no ratings: dropout took them away.
create or replace temp table answer_lost_sessions as
with
later as (
    select
        *,
        unnest(range(attended_number + 1, $typical_sessions::integer + 1)) as session
    from answer_staying
    where is_last and ending_state = 'dropout'
),
final as (
    select
        episode_id,
        client_id,
        therapist_id,
        directiveness_client,
        directiveness_therapist,
        ln(session) as log_session
    from later
    order by episode_id, session
)
select * from final
