-- Grain: one landed session row. Sources: scored_sessions, study_settings.
-- Says once what orders an episode's appointments (`place`): the number that the source gives, or days since 1970-01-01
-- where dates order them.
create or replace temp view raw_placed_sessions as
with
final as (
    select
        scored_sessions.*,
        case
            when study_settings.order_by = 'date' then scored_sessions.session_date - date '1970-01-01'
            else scored_sessions.session_number
        end as place
    from scored_sessions
    cross join study_settings
)
select * from final
