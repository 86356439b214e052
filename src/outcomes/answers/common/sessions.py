"""Sessions as the questions about time and paths need them: the mart with a few columns more."""

from __future__ import annotations

import duckdb

TABLE = "answer_sessions"
"""Temporary: many models read it, and the window functions run once."""

_CENTRED = {
    "satisfaction": "satisfaction_score",
    "alliance": "alliance_score",
    "felt_overwhelmed": "felt_overwhelmed_score",
    "asked": "asked",
    "guidance_above": "guidance_above",
    "guidance_below": "guidance_below",
}


def session_rows(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyRelation:
    """Rows of mart_session_directiveness with more columns.

    `asked` (0/1); `misfit_size` |d - preferred| and `misfit_size_next`; `guidance_above`, `guidance_below` (points over
    and under the preferred level, 0 on the other side); `<x>_client` and `<x>_within` (client mean, and departure from
    it) of satisfaction, alliance, felt_overwhelmed, asked, guidance_above, guidance_below; `satisfaction_first` and
    `directiveness_first` (the episode's first ratings, only in later sessions: the initial condition of a model with a
    lagged outcome).
    """
    means = ", ".join(f"avg({column}) over of_client as {name}_client" for name, column in _CENTRED.items())
    within = ", ".join(f"{column} - {name}_client as {name}_within" for name, column in _CENTRED.items())
    con.execute(
        f"""create or replace temp table {TABLE} as
        with
        with_misfit as (
            select *,
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
            select *, {means},
                min(attended_number) filter (satisfaction_score is not null) over of_episode as first_number,
                arg_min(satisfaction_score, attended_number) over of_episode as satisfaction_of_first,
                arg_min(directiveness_score, attended_number) over of_episode as directiveness_of_first,
                arg_min(alliance_score, attended_number) over of_episode as alliance_of_first,
                arg_min(felt_overwhelmed_score, attended_number) over of_episode as felt_overwhelmed_of_first
            from with_misfit
            window of_client as (partition by client_id), of_episode as (partition by episode_id)
        )
        select *, {within},
            case when attended_number > first_number then satisfaction_of_first end as satisfaction_first,
            case when attended_number > first_number then directiveness_of_first end as directiveness_first,
            case when attended_number > first_number then alliance_of_first end as alliance_first,
            case when attended_number > first_number then felt_overwhelmed_of_first end as felt_overwhelmed_first
        from with_means"""
    )
    return con.table(TABLE)
