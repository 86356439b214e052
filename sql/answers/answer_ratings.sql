-- Grain: one attended session with a rating of guidance and a therapist. Sources: mart_session_directiveness.
-- What the rungs about missing ratings are fitted to: satisfaction is empty where it was not rated. log_number is
-- log_session under a name that the risk set does not use for the course of its hazard.
create or replace temp table answer_ratings as
with
final as (
    select
        session_id,
        episode_id,
        client_id,
        therapist_id,
        attended_number,
        log_session,
        log_session as log_number,
        satisfaction_score::double as satisfaction_score,
        directiveness_within,
        directiveness_client,
        directiveness_therapist
    from mart_session_directiveness
    where therapist_id is not null
    order by episode_id, attended_number
)
select * from final
