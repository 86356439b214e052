-- Grain: one attended session of a client with ratings, after which the client could have left. Sources:
-- mart_person_session, answer_ratings.
-- A form that was not returned takes the session's guidance away, not the client's usual level, which comes from the
-- rated sessions with the same therapist; its guidance is then taken to be as usual (directiveness_within 0).
create or replace temp table answer_staying as
with
usual as (
    select
        client_id,
        therapist_id,
        any_value(directiveness_client) as directiveness_client,
        any_value(directiveness_therapist) as directiveness_therapist
    from answer_ratings
    group by client_id, therapist_id
),
final as (
    select
        sessions.session_id,
        sessions.episode_id,
        sessions.client_id,
        sessions.therapist_id,
        sessions.attended_number,
        sessions.session_1,
        sessions.session_2,
        sessions.session_3,
        sessions.log_session,
        sessions.is_last,
        sessions.ending_state,
        sessions.is_dropout::integer as is_dropout,
        sessions.satisfaction_so_far,
        sessions.alliance_so_far,
        ln(sessions.attended_number) as log_number,
        coalesce(rated.directiveness_within, 0) as directiveness_within,
        usual.directiveness_client,
        usual.directiveness_therapist
    from mart_person_session as sessions
    inner join usual
        on sessions.client_id = usual.client_id
        and sessions.therapist_id = usual.therapist_id
    left join answer_ratings as rated on sessions.session_id = rated.session_id
    order by sessions.episode_id, sessions.attended_number
)
select * from final
