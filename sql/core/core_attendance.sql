-- Grain: one client with one therapist in one episode. Sources: core_ordered_sessions.
-- Counts and exact (decimal) sums, taken in one pass over the sessions: every mean and every count of people comes
-- from here, so that means do not depend on the order in which threads add.
create or replace temp table core_attendance as
with
final as (
    select
        client_id,
        therapist_id,
        episode_id,
        count(*) as n_appointments_all,
        count(*) filter (where is_in_window) as n_appointments,
        count(*) filter (where is_in_window and is_attended) as n_attended,
        count(directiveness_score) filter (where is_in_window and is_attended) as n_directiveness,
        count(satisfaction_score) filter (where is_in_window and is_attended) as n_satisfaction,
        count(directiveness_score + satisfaction_score) filter (where is_in_window and is_attended) as n_both,
        sum(directiveness_score::decimal(18, 6)) filter (where is_in_window and is_attended) as sum_directiveness,
        sum(satisfaction_score::decimal(18, 6)) filter (where is_in_window and is_attended) as sum_satisfaction
    from core_ordered_sessions
    group by client_id, therapist_id, episode_id
)
select * from final
