-- Grain: one session at risk of dropout under one definition. Sources: mart_person_session, core_dropout_labels,
-- core_episodes.
-- Parameters: $definition (of dropout), $silent_days (an episode seen less long ago is open), $undetermined_as (what an
-- episode whose ending is not known is read as; empty for nothing, which leaves its last session's flags empty).
-- In a fixed order, so that simulated endings (bootstraps) fall on the same sessions in every run.
-- Flags are 0 or 1. An open episode goes on, and stays censored under every reading.
create or replace temp table answer_risk_set as
with
labelled as (
    select
        sessions.* exclude (ending_state, is_dropout, is_planned_end, is_other_end),
        labels.state,
        coalesce(
            (episodes.ending is null or episodes.ending = 'open')
            and episodes.end_date is null
            and episodes.days_silent < $silent_days::integer,
            false
        ) as is_open
    from mart_person_session as sessions
    inner join core_dropout_labels as labels
        on sessions.episode_id = labels.episode_id
        and labels.definition = $definition::varchar
    inner join core_episodes as episodes on sessions.episode_id = episodes.episode_id
),
caused as (
    select
        *,
        case
            when not is_last then 'continues'
            when state <> 'undetermined' then state
            when not is_open then $undetermined_as::varchar
        end as cause
    from labelled
),
final as (
    select
        * exclude (cause),
        (cause = 'dropout')::integer as is_dropout,
        (cause = 'planned')::integer as is_planned,
        (cause = 'other')::integer as is_other,
        (cause in ('planned', 'other'))::integer as is_another
    from caused
    order by episode_id, attended_number
)
select * from final
