-- Grain: one episode. Sources: core_episode_facts, core_dropout_labels, study_settings.
-- Puts the study's declared definition of dropout on the episode. Where the data do not allow that definition every
-- ending is undetermined; an episode without an attended session never began and has no ending of treatment.
create or replace table core_episodes as
with
declared as (
    select core_dropout_labels.episode_id, core_dropout_labels.state
    from core_dropout_labels
    inner join study_settings on core_dropout_labels.definition = study_settings.dropout_definition
),
final as (
    select
        core_episode_facts.episode_id,
        core_episode_facts.client_id,
        core_episode_facts.start_date,
        core_episode_facts.end_date,
        core_episode_facts.ending,
        core_episode_facts.planned_sessions,
        core_episode_facts.* like '%_score',
        core_episode_facts.data_cut,
        core_episode_facts.n_appointments,
        core_episode_facts.n_attended,
        core_episode_facts.is_last_missed,
        core_episode_facts.days_silent,
        case when core_episode_facts.n_attended > 0 then coalesce(declared.state, 'undetermined') end as ending_state
    from core_episode_facts
    left join declared on core_episode_facts.episode_id = declared.episode_id
)
select * from final
