-- Grain: one attended session with a rating of guidance. Sources: mart_session_directiveness.
-- What the verdict on guidance and satisfaction is decided on: outcome y, guidance d, preference p, and the parts of d
-- from which the usual level is drawn.
create or replace temp table answer_verdict_sessions as
with
final as (
    select
        satisfaction_score as y,
        directiveness_score as d,
        directiveness_therapist_mean as therapist_mean,
        directiveness_client as deviation,
        directiveness_within as departure,
        n_sessions_client as n,
        directiveness_preferred_score as p,
        log_session,
        client_id,
        therapist_id
    from mart_session_directiveness
)
select * from final
