-- Grain: one attended session of the cohort. Sources: core_cohort_sessions.
-- Everything that needs the order of sessions in an episode, in one pass: the sessions before and after (empty where the
-- therapist changed or a session between them is outside the cohort) and running means that know nothing of the future.
create or replace temp table core_attended_sessions as
with
ordered as (
    select
        session_id,
        practice_id,
        therapist_id,
        client_id,
        episode_id,
        session_number,
        attended_number,
        satisfaction_score,
        alliance_score,
        autonomy_support_score,
        felt_overwhelmed_score,
        is_asked_about_guidance,
        empowerment_score,
        directiveness_score,
        lag(therapist_id) over in_order = therapist_id
            and lag(attended_number) over in_order = attended_number - 1 as is_after_same,
        lead(therapist_id) over in_order = therapist_id
            and lead(attended_number) over in_order = attended_number + 1 as is_before_same,
        lag(satisfaction_score) over in_order as satisfaction_before,
        lag(directiveness_score) over in_order as directiveness_before,
        lag(is_asked_about_guidance) over in_order as is_asked_before,
        lead(satisfaction_score) over in_order as satisfaction_after,
        lead(directiveness_score) over in_order as directiveness_after,
        sum(directiveness_score::decimal(18, 6)) over so_far as sum_directiveness,
        count(directiveness_score) over so_far as n_directiveness,
        sum(satisfaction_score::decimal(18, 6)) over so_far as sum_satisfaction,
        count(satisfaction_score) over so_far as n_satisfaction,
        sum(alliance_score::decimal(18, 6)) over so_far as sum_alliance,
        count(alliance_score) over so_far as n_alliance
    from core_cohort_sessions
    window
        in_order as (partition by episode_id order by attended_number),
        so_far as (
            partition by episode_id order by attended_number rows between unbounded preceding and current row
        )
),
final as (
    select
        session_id,
        practice_id,
        therapist_id,
        client_id,
        episode_id,
        session_number,
        attended_number,
        satisfaction_score,
        alliance_score,
        autonomy_support_score,
        felt_overwhelmed_score,
        is_asked_about_guidance,
        empowerment_score,
        directiveness_score,
        case when is_after_same then satisfaction_before end as satisfaction_previous,
        case when is_after_same then directiveness_before end as directiveness_previous,
        case when is_after_same then is_asked_before end as is_asked_about_guidance_previous,
        case when is_before_same then satisfaction_after end as satisfaction_next,
        case when is_before_same then directiveness_after end as directiveness_next,
        sum_directiveness::double / nullif(n_directiveness, 0) as directiveness_so_far,
        case
            when directiveness_score is not null and n_directiveness = 1 then 0
            else
                directiveness_score
                - (sum_directiveness - directiveness_score::decimal(18, 6))::double / nullif(n_directiveness - 1, 0)
        end as directiveness_change,
        sum_satisfaction::double / nullif(n_satisfaction, 0) as satisfaction_so_far,
        sum_alliance::double / nullif(n_alliance, 0) as alliance_so_far
    from ordered
)
select * from final
