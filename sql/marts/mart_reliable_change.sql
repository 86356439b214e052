-- Grain: one client of the cohort and one scale of theirs. Sources: core_measures, core_cohort_sessions,
-- study_instruments.
-- From the first to the last measurement: is the change larger than error alone makes it (Jacobson & Truax 1991), and
-- was the cutoff crossed? Nothing is said where study and registry know no error, where there is one measurement only,
-- or where the two were scored by different versions of the rule.
create or replace table mart_reliable_change as
with
placed as (
    select
        core_measures.client_id,
        core_measures.scale,
        core_measures.instrument,
        core_measures.rule_version,
        core_measures.score,
        {
            'day': coalesce(core_cohort_sessions.session_date, date '0001-01-01'),
            'episode_id': core_cohort_sessions.episode_id,
            'session_number': core_cohort_sessions.session_number
        } as place
    from core_measures
    inner join core_cohort_sessions on core_measures.session_id = core_cohort_sessions.session_id
    where core_measures.score is not null
),
ends as (
    select
        client_id,
        scale,
        arg_max(instrument, place) as instrument,
        arg_max(rule_version, place) as rule_version,
        count(distinct instrument || ' ' || rule_version) = 1 as is_one_rule,
        count(*)::integer as n_measured,
        arg_min(score, place) as score_first,
        arg_max(score, place) as score_last
    from placed
    group by client_id, scale
),
changed as (
    select
        ends.client_id,
        ends.scale,
        ends.instrument,
        ends.rule_version,
        ends.n_measured,
        ends.score_first,
        ends.score_last,
        case when n_measured > 1 and is_one_rule then score_last - score_first end as score_change,
        study_instruments.std_error,
        study_instruments.smallest_reliable_change,
        study_instruments.cutoff,
        case study_instruments.is_higher_better when true then 1 when false then -1 end as sign
    from ends
    left join study_instruments
        on ends.scale = study_instruments.scale
        and ends.instrument = study_instruments.instrument
),
final as (
    select
        client_id,
        scale,
        instrument,
        rule_version,
        n_measured,
        score_first,
        score_last,
        score_change,
        score_change / std_error as reliable_change_index,
        smallest_reliable_change,
        cutoff,
        sign * score_first <= sign * cutoff as is_clinical_first,
        sign * score_last <= sign * cutoff as is_clinical_last,
        case
            when score_change is null or sign is null or smallest_reliable_change is null then null
            when sign * score_change <= -smallest_reliable_change then 'deteriorated'
            when sign * score_change < smallest_reliable_change then 'unchanged'
            when sign * score_first <= sign * cutoff and sign * score_last > sign * cutoff then 'recovered'
            else 'improved'
        end as change_class
    from changed
)
select * from final
