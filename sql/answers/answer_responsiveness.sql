-- Grain: one attended session with a rating of guidance. Sources: answer_sessions.
-- The distance from the preference in the session before and in the next, and in the episode's first. In an episode's
-- first session there is no session before: the distance is 0 there, and the models give first sessions a mean of their
-- own. It is empty where the session before had another therapist. Squares: a cost that grows with the distance.
create or replace temp table answer_responsiveness as
with
with_previous as (
    select
        *,
        case
            when attended_number = min(attended_number) over of_episode then 0 * directiveness_preferred_score
            else abs(directiveness_previous - directiveness_preferred_score)
        end as misfit_previous,
        abs(directiveness_first - directiveness_preferred_score) as misfit_first
    from answer_sessions
    window of_episode as (partition by episode_id)
),
final as (
    select
        *,
        misfit_size * misfit_size as misfit_squared,
        misfit_previous * misfit_previous as misfit_previous_squared
    from with_previous
)
select * from final
