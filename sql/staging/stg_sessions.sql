-- Grain: one appointment as it was last reported. Sources: raw_placed_sessions, stg_repeated_keys, study_scales.
-- Turns every rating so that higher means more.
create or replace temp view stg_sessions as
with
turned as (
    select
        max(turning_point) filter (where scale = 'directiveness') as directiveness,
        max(turning_point) filter (where scale = 'satisfaction') as satisfaction,
        max(turning_point) filter (where scale = 'alliance') as alliance,
        max(turning_point) filter (where scale = 'autonomy_support') as autonomy_support,
        max(turning_point) filter (where scale = 'felt_overwhelmed') as felt_overwhelmed,
        max(turning_point) filter (where scale = 'empowerment') as empowerment,
        map(list(scale order by scale), list(turning_point order by scale)) as others
    from study_scales
    where is_turned
),
final as (
    select
        placed.practice_id,
        placed.therapist_id,
        placed.client_id,
        placed.episode_id,
        placed.place,
        placed.session_date,
        placed.attended as is_attended,
        coalesce(turned.directiveness - placed.directiveness, placed.directiveness) as directiveness_score,
        coalesce(turned.satisfaction - placed.satisfaction, placed.satisfaction) as satisfaction_score,
        coalesce(turned.alliance - placed.alliance, placed.alliance) as alliance_score,
        coalesce(turned.autonomy_support - placed.autonomy_support, placed.autonomy_support) as autonomy_support_score,
        coalesce(turned.felt_overwhelmed - placed.felt_overwhelmed, placed.felt_overwhelmed) as felt_overwhelmed_score,
        placed.asked_about_guidance as is_asked_about_guidance,
        coalesce(turned.empowerment - placed.empowerment, placed.empowerment) as empowerment_score,
        case
            when cardinality(turned.others) > 0 then
                map_from_entries(
                    list_transform(
                        map_entries(placed.other_scores),
                        lambda entry: {
                            'key': entry.key, 'value': coalesce(turned.others[entry.key] - entry.value, entry.value)
                        }
                    )
                )
            else placed.other_scores
        end as other_scores,
        placed.batch_id
    from raw_placed_sessions as placed
    cross join turned
    left join stg_repeated_keys
        on stg_repeated_keys.kind = 'sessions'
        and placed.episode_id = stg_repeated_keys.id
        and placed.place = stg_repeated_keys.place
    where stg_repeated_keys.sequence is null or placed.sequence = stg_repeated_keys.sequence
)
select * from final
