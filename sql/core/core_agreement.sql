-- Grain: one landed batch of coded sessions. Sources: raw_agreement.
-- How far the coders agree, and so how much of the differences between sessions is the coders' error.
create or replace table core_agreement as
with
final as (
    select
        batch_id,
        scale,
        n_coders,
        n_sessions,
        n_utterances_twice,
        n_sessions_twice,
        cohens_kappa,
        krippendorffs_alpha,
        reliability
    from raw_agreement
)
select * from final
