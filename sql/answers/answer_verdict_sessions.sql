-- Grain: one attended session with a rating of guidance. Sources: mart_session_directiveness.
-- What the verdict on guidance and satisfaction is decided on: outcome y (empty where it was not rated), guidance d,
-- preference p, and the session's place in its course.
create or replace temp table answer_verdict_sessions as
with
final as (
    select
        satisfaction_score as y,
        directiveness_score as d,
        directiveness_preferred_score as p,
        attended_number,
        log_session,
        episode_id,
        client_id,
        therapist_id
    from mart_session_directiveness
)
select * from final
