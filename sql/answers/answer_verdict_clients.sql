-- Grain: one client with a session rated for guidance and satisfaction. Sources: mart_session_directiveness.
-- Parameters: $satisfaction_per_session, $satisfaction_per_log, $guidance_per_session and $guidance_per_log (what the
-- ratings do over a therapy), $session and $log (the session at which all clients are compared).
-- The verdict between clients: mean satisfaction y, mean guidance d (which is also the usual level m), both adjusted
-- for the sessions that they come from, preference p, and the therapist of most of these sessions (the first by name in
-- a tie).
create or replace temp table answer_verdict_clients as
with
rated as (
    select *
    from mart_session_directiveness
    where satisfaction_score is not null
),
adjusted as (
    select
        client_id,
        satisfaction_score
        - $satisfaction_per_session * (attended_number - $session)
        - $satisfaction_per_log * (log_session - $log) as y,
        directiveness_score
        - $guidance_per_session * (attended_number - $session)
        - $guidance_per_log * (log_session - $log) as d,
        directiveness_preferred_score as p
    from rated
),
held as (
    select client_id, therapist_id, count(*) as n_sessions
    from rated
    where therapist_id is not null
    group by client_id, therapist_id
),
therapists as (
    select client_id, first(therapist_id order by n_sessions desc, therapist_id) as therapist_id
    from held
    group by client_id
),
means as (
    select client_id, avg(y) as y, avg(d) as d, any_value(p) as p
    from adjusted
    group by client_id
),
final as (
    select means.y, means.d as m, means.d, means.p, means.client_id, therapists.therapist_id
    from means
    left join therapists on means.client_id = therapists.client_id
    order by means.client_id
)
select * from final
