-- Grain: one attended session of the cohort with a rating of guidance, for one pair of ratings. Sources:
-- mart_person_session, core_sessions.
-- Parameters: $y_column and $d_column (pattern of the one column that rates satisfaction or guidance), each with
-- $<>_start, $<>_minimum and $<>_stretch, which lay another scale onto the range of the study's own, else are empty.
-- Everything that any specification of the multiverse reads. Next ratings are empty at a change of therapist and at the
-- end of the episode, first ones in the first rated session.
create or replace temp table answer_multiverse_sessions as
with
ratings as (
    select session_id, columns($y_column) as y_rating, columns($d_column) as d_rating
    from core_sessions
),
rated as (
    select
        risk.client_id,
        risk.therapist_id,
        risk.episode_id,
        risk.attended_number,
        risk.intake_severity_score as severity,
        risk.directiveness_preferred_score as preference,
        case
            when $y_stretch::double is null then ratings.y_rating
            else $y_start::double + (ratings.y_rating - $y_minimum::double) * $y_stretch::double
        end as y,
        case
            when $d_stretch::double is null then ratings.d_rating
            else $d_start::double + (ratings.d_rating - $d_minimum::double) * $d_stretch::double
        end as d
    from mart_person_session as risk
    inner join ratings on risk.session_id = ratings.session_id
),
in_order as (
    select
        *,
        case when lead(therapist_id) over next_one = therapist_id then lead(y) over next_one end as y_next,
        case when lead(therapist_id) over next_one = therapist_id then lead(d) over next_one end as d_next,
        min(attended_number) filter (y is not null) over of_episode as first_number,
        arg_min(y, attended_number) over of_episode as y_of_first,
        arg_min(d, attended_number) over of_episode as d_of_first
    from rated
    window
        next_one as (partition by episode_id order by attended_number),
        of_episode as (partition by episode_id)
),
with_guidance as (
    select *
    from in_order
    where d is not null
),
clients as (
    select
        client_id,
        avg(d) as client_mean,
        count(*) as n_sessions,
        count(distinct therapist_id) as n_therapists
    from with_guidance
    group by client_id
),
pairs as (
    select therapist_id, avg(d) as pair_mean, sum(d) as pair_sum, count(*) as n
    from with_guidance
    group by therapist_id, client_id
),
therapists as (
    select
        therapist_id,
        avg(pair_mean) as therapist_mean,
        sum(pair_sum) / sum(n) as therapist_by_sessions
    from pairs
    group by therapist_id
),
final as (
    select
        with_guidance.client_id,
        with_guidance.therapist_id,
        with_guidance.episode_id,
        with_guidance.y,
        with_guidance.d,
        with_guidance.y_next,
        clients.client_mean,
        with_guidance.severity,
        with_guidance.preference,
        clients.n_sessions,
        clients.n_therapists,
        with_guidance.d - clients.client_mean as within,
        with_guidance.d_next - clients.client_mean as within_next,
        case when with_guidance.attended_number > with_guidance.first_number then with_guidance.y_of_first
        end as y_first,
        case when with_guidance.attended_number > with_guidance.first_number then with_guidance.d_of_first
        end as d_first,
        clients.client_mean - therapists.therapist_mean as client,
        therapists.therapist_mean as therapist,
        clients.client_mean - therapists.therapist_by_sessions as client_by_sessions,
        therapists.therapist_by_sessions,
        with_guidance.attended_number::double as session,
        ln(with_guidance.attended_number) as log_session
    from with_guidance
    inner join clients on with_guidance.client_id = clients.client_id
    inner join therapists on with_guidance.therapist_id = therapists.therapist_id
)
select * from final
