-- Grain: one appointment, attended or missed. Sources: stg_sessions, stg_session_numbers, study_settings.
-- Everything that needs the order of an episode's sessions, in one pass over the data: the number among the attended
-- ones, the attended sessions before and after (empty where the therapist changed or the neighbour lies outside the
-- study's dates), and running means that know nothing of the future. Attended and missed appointments are ordered
-- apart, so a missed one neither counts nor comes between. Sums are exact (decimal): no mean depends on the order in
-- which threads add.
create or replace temp table core_ordered_sessions as
with
dated as (
    select
        stg_sessions.*,
        coalesce(stg_session_numbers.session_number, stg_sessions.place)::integer as session_number,
        (
            study_settings.first_session is null
            or coalesce(stg_sessions.session_date >= study_settings.first_session, false)
        )
        and (
            study_settings.last_session is null
            or coalesce(stg_sessions.session_date <= study_settings.last_session, false)
        ) as is_in_window
    from stg_sessions
    cross join study_settings
    left join stg_session_numbers
        on stg_sessions.episode_id = stg_session_numbers.episode_id
        and stg_sessions.place = stg_session_numbers.place
),
ordered as (
    select
        *,
        row_number() over in_order as place_among_equals,
        lag(case when is_in_window then therapist_id end) over in_order = therapist_id as is_after_same,
        lead(case when is_in_window then therapist_id end) over in_order = therapist_id as is_before_same,
        lag(satisfaction_score) over in_order as satisfaction_before,
        lag(directiveness_score) over in_order as directiveness_before,
        lag(is_asked_about_guidance) over in_order as is_asked_before,
        lead(satisfaction_score) over in_order as satisfaction_after,
        lead(directiveness_score) over in_order as directiveness_after,
        sum(directiveness_score::decimal(18, 6)) filter (where is_in_window) over so_far as sum_directiveness,
        count(directiveness_score) filter (where is_in_window) over so_far as n_directiveness,
        avg(satisfaction_score::decimal(18, 6)) filter (where is_in_window) over so_far as satisfaction_so_far,
        avg(alliance_score::decimal(18, 6)) filter (where is_in_window) over so_far as alliance_so_far
    from dated
    window
        in_order as (partition by episode_id, is_attended order by place),
        so_far as (
            partition by episode_id, is_attended order by place rows between unbounded preceding and current row
        )
),
final as (
    select
        episode_id || '-' || session_number as session_id,
        practice_id,
        therapist_id,
        client_id,
        episode_id,
        session_number,
        case when is_attended then place_among_equals end::integer as attended_number,
        session_date,
        is_attended,
        is_in_window,
        ordered.* like '%_score',
        is_asked_about_guidance,
        measured,
        batch_id,
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
        satisfaction_so_far,
        alliance_so_far
    from ordered
)
select * from final
