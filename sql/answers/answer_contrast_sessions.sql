-- Grain: one attended session at risk with a known ending, up to session $horizon. Sources: answer_risk_set.
-- What the contrasts of guidance and dropout are made from: guidance d, preference p, and how much guidance the client
-- had in rated sessions before (n_before, sum_before; a mean of the whole episode would know the future), and how
-- satisfied the client was with them (empty before the first rating).
create or replace temp table answer_contrast_sessions as
with
counted as (
    select
        *,
        count(directiveness_score) over so_far as n_before,
        coalesce(sum(directiveness_score) over so_far, 0) as sum_before,
        lag(satisfaction_so_far) over (partition by episode_id order by attended_number) as satisfaction_before
    from answer_risk_set
    window
        so_far as (
            partition by episode_id order by attended_number rows between unbounded preceding and 1 preceding
        )
),
final as (
    select
        client_id,
        therapist_id,
        attended_number,
        is_dropout,
        is_another,
        directiveness_score as d,
        directiveness_preferred_score as p,
        n_before,
        sum_before,
        satisfaction_before,
        session_1::double as session_1,
        session_2::double as session_2,
        session_3::double as session_3,
        log_session
    from counted
    where is_dropout is not null and attended_number <= $horizon::integer
    order by therapist_id, client_id, attended_number
)
select * from final
