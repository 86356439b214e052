-- Grain: one attended session of the cohort, after which the client could have left. Sources: core_cohort_sessions,
-- core_client_means, core_episodes.
-- The risk set of a discrete-time hazard: it starts after the first attended session, and the event at t is that no
-- session t+1 came. Only running means: a mean over the whole episode would tell the model the future. The last
-- session of an undetermined episode carries no event flags, because what came next is not known.
create or replace table mart_person_session as
with
at_risk as (
    select
        sessions.* not like '%_score',
        sessions.directiveness_score,
        clients.* like '%_score',
        core_episodes.* like '%_score',
        sessions.attended_number = core_episodes.n_attended as is_last,
        case
            when sessions.attended_number = core_episodes.n_attended then core_episodes.ending_state
            else 'continues'
        end as ending_state
    from core_cohort_sessions as sessions
    inner join core_client_means as clients on sessions.client_id = clients.client_id
    inner join core_episodes on sessions.episode_id = core_episodes.episode_id
),
final as (
    select
        session_id,
        episode_id,
        client_id,
        therapist_id,
        practice_id,
        attended_number,
        (attended_number = 1)::integer as session_1,
        (attended_number = 2)::integer as session_2,
        (attended_number = 3)::integer as session_3,
        case when attended_number >= 4 then ln(attended_number) else 0 end as log_session,
        at_risk.* like '%_score',
        directiveness_so_far,
        directiveness_change,
        satisfaction_so_far,
        alliance_so_far,
        is_last,
        ending_state,
        case when ending_state <> 'undetermined' then (ending_state = 'dropout')::integer end as is_dropout,
        case when ending_state <> 'undetermined' then (ending_state = 'planned')::integer end as is_planned_end,
        case when ending_state <> 'undetermined' then (ending_state = 'other')::integer end as is_other_end
    from at_risk
)
select * from final
