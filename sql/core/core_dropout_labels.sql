-- Grain: one episode with at least one attended session, under one definition of dropout that the data allow.
-- Sources: core_episode_facts.
-- Each definition is in use in the field. No recorded ending, whether the episode is open or silent, is
-- undetermined under every definition; an ending by another cause (therapist left, moved, died, referred on, closed) is
-- `other` under every definition. A definition is left out where the data hold nothing that could tell it.
create or replace table core_dropout_labels as
with
begun as (
    select
        *,
        ending in ('therapist_left', 'moved_away', 'died', 'referred_on', 'service_closed') as is_other_cause
    from core_episode_facts
    where n_attended > 0
),
allowed as (
    select
        median(n_attended) filter (where is_ended) as median_attended,
        coalesce(bool_or(ending in ('agreed', 'client_ended', 'judged_premature')), false) as has_initiator,
        coalesce(bool_or(ending = 'judged_premature'), false) as has_judgement,
        coalesce(bool_or(is_ended), false) as has_endings,
        coalesce(bool_or(n_appointments > n_attended), false) as has_missed,
        coalesce(bool_or(planned_sessions is not null), false) as has_plans
    from begun
),
definitions as (
    select 'unilateral' as definition, null::double as fewest from allowed where has_initiator
    union all
    select 'therapist_judged' as definition, null as fewest from allowed where has_judgement
    union all
    select 'count_2' as definition, 2 as fewest from allowed where has_endings
    union all
    select 'count_3' as definition, 3 as fewest from allowed where has_endings
    union all
    select 'count_4' as definition, 4 as fewest from allowed where has_endings
    union all
    select 'count_median' as definition, median_attended as fewest from allowed where has_endings
    union all
    select 'missed_last' as definition, null as fewest from allowed where has_endings and has_missed
    union all
    select 'protocol' as definition, null as fewest from allowed where has_endings and has_plans
),
judged as (
    select
        begun.episode_id,
        definitions.definition,
        begun.is_ended,
        begun.is_other_cause,
        case definitions.definition
            when 'unilateral' then
                case when begun.ending <> 'unknown' then begun.ending in ('client_ended', 'judged_premature') end
            when 'therapist_judged' then case when begun.ending <> 'unknown' then begun.ending = 'judged_premature' end
            when 'missed_last' then begun.is_last_missed
            when 'protocol' then begun.n_attended < begun.planned_sessions
            else begun.n_attended < definitions.fewest
        end as is_dropout
    from begun
    cross join definitions
),
final as (
    select
        episode_id,
        definition,
        case
            when not is_ended then 'undetermined'
            when is_other_cause then 'other'
            when is_dropout then 'dropout'
            when not is_dropout then 'planned'
            else 'undetermined'
        end as state
    from judged
)
select * from final
