-- Grain: one therapist of the cohort. Sources: core_therapist_means, core_cohort_sessions, mart_person_session.
-- For counts and for models of therapists, never for a ranking. An episode belongs to the therapist of its last
-- session; the share of dropouts is over the endings that are known.
create or replace table mart_therapists as
with
practices as (
    select therapist_id, practice_id, count(*) as n_sessions
    from core_cohort_sessions
    group by therapist_id, practice_id
),
main_practices as (
    select therapist_id, practice_id
    from practices
    qualify row_number() over (partition by therapist_id order by n_sessions desc, practice_id) = 1
),
endings as (
    select therapist_id, count(*) as n_episodes, sum(is_dropout) as n_dropouts, count(is_dropout) as n_known
    from mart_person_session
    where is_last
    group by therapist_id
),
final as (
    select
        core_therapist_means.therapist_id,
        main_practices.practice_id,
        core_therapist_means.n_clients,
        core_therapist_means.n_sessions,
        coalesce(endings.n_episodes, 0)::integer as n_episodes,
        coalesce(endings.n_dropouts, 0)::integer as n_dropouts,
        endings.n_dropouts::double / nullif(endings.n_known, 0) as dropout_prop,
        core_therapist_means.directiveness_mean,
        core_therapist_means.satisfaction_mean
    from core_therapist_means
    inner join main_practices on core_therapist_means.therapist_id = main_practices.therapist_id
    left join endings on core_therapist_means.therapist_id = endings.therapist_id
)
select * from final
