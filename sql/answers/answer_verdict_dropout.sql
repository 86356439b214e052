-- Grain: one attended session after which the client could have left. Sources: mart_person_session.
-- What the verdict on guidance and dropout is decided on: y is 1 where the client dropped out after the session, d its
-- guidance, and how much guidance the client had in rated sessions before (n_before, sum_before; a mean of the whole
-- episode would know the future).
create or replace temp table answer_verdict_dropout as
with
final as (
    select
        is_dropout::double as y,
        is_last,
        directiveness_score as d,
        count(directiveness_score) over so_far as n_before,
        coalesce(sum(directiveness_score) over so_far, 0) as sum_before,
        directiveness_preferred_score as p,
        session_1,
        session_2,
        session_3,
        log_session,
        client_id,
        therapist_id
    from mart_person_session
    window
        so_far as (
            partition by episode_id order by attended_number rows between unbounded preceding and 1 preceding
        )
    order by episode_id, attended_number
)
select * from final
