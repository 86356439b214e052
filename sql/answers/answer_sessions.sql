-- Grain: one attended session with a rating of guidance. Sources: mart_session_directiveness.
-- The mart with what questions about time and paths need: the size of the misfit and its two sides, each client's means
-- and the departures from them, and the episode's first ratings (only in later sessions: the initial condition of a
-- model with a lagged outcome). A table, since many models read it and the window functions should run once.
create or replace temp table answer_sessions as
with
with_misfit as (
    select
        *,
        is_asked_about_guidance::integer::double as asked,
        abs(directiveness_misfit) as misfit_size,
        case when directiveness_misfit > 0 then directiveness_misfit else 0 * directiveness_misfit
        end as guidance_above,
        case when directiveness_misfit < 0 then -directiveness_misfit else 0 * directiveness_misfit
        end as guidance_below,
        abs(directiveness_next - directiveness_preferred_score) as misfit_size_next
    from mart_session_directiveness
),
with_means as (
    select
        *,
        avg(satisfaction_score) over of_client as satisfaction_client,
        avg(alliance_score) over of_client as alliance_client,
        avg(felt_overwhelmed_score) over of_client as felt_overwhelmed_client,
        avg(asked) over of_client as asked_client,
        avg(guidance_above) over of_client as guidance_above_client,
        avg(guidance_below) over of_client as guidance_below_client,
        min(attended_number) filter (satisfaction_score is not null) over of_episode as first_number,
        arg_min(satisfaction_score, attended_number) over of_episode as satisfaction_of_first,
        arg_min(directiveness_score, attended_number) over of_episode as directiveness_of_first,
        arg_min(alliance_score, attended_number) over of_episode as alliance_of_first,
        arg_min(felt_overwhelmed_score, attended_number) over of_episode as felt_overwhelmed_of_first
    from with_misfit
    window
        of_client as (partition by client_id),
        of_episode as (partition by episode_id)
),
final as (
    select
        *,
        satisfaction_score - satisfaction_client as satisfaction_within,
        alliance_score - alliance_client as alliance_within,
        felt_overwhelmed_score - felt_overwhelmed_client as felt_overwhelmed_within,
        asked - asked_client as asked_within,
        guidance_above - guidance_above_client as guidance_above_within,
        guidance_below - guidance_below_client as guidance_below_within,
        case when attended_number > first_number then satisfaction_of_first end as satisfaction_first,
        case when attended_number > first_number then directiveness_of_first end as directiveness_first,
        case when attended_number > first_number then alliance_of_first end as alliance_first,
        case when attended_number > first_number then felt_overwhelmed_of_first end as felt_overwhelmed_first
    from with_means
)
select * from final
