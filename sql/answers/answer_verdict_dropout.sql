-- Grain: one attended session after which the client could have left. Sources: mart_person_session.
-- What the verdict on guidance and dropout is decided on: y is 1 where the client dropped out after the session, w the
-- change of guidance d, m the mean of the sessions before (a mean of the whole episode would know the future).
create or replace temp table answer_verdict_dropout as
with
final as (
    select
        is_dropout::double as y,
        directiveness_score as d,
        directiveness_change as w,
        directiveness_score - directiveness_change as m,
        directiveness_preferred_score as p,
        session_1,
        session_2,
        session_3,
        log_session,
        client_id,
        therapist_id
    from mart_person_session
)
select * from final
