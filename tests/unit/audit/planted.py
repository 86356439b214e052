"""For every check a fault that it must find: SQL that plants it in a clean release, and how many it must count.

Checks of one form (not empty, unique, in a scale's range, of a list of codes) share a plant; the others have their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from outcomes.audit.suites import Check, read_suites


@dataclass(frozen=True)
class Plant:
    """`expected` is a number, or SQL that counts it in another way than the check does."""

    sql: str
    expected: int | str


def change(table: str, assignment: str, n: int, where: str = "true") -> Plant:
    """Change the first `n` rows that meet a condition."""
    rows = f"select rowid from {table} where {where} order by rowid limit {n}"
    return Plant(f"update {table} set {assignment} where rowid in ({rows})", n)


def everywhere(table: str, assignment: str, expected: int | str, where: str = "true") -> Plant:
    """Change all rows that meet a condition."""
    return Plant(f"update {table} set {assignment} where {where}", expected)


def plants_of(check: Check) -> tuple[Plant, ...]:
    """Return the planted faults of a check, none where nobody has planted any."""
    if check.id in PLANTS:
        own = PLANTS[check.id]
        return own if isinstance(own, tuple) else (own,)
    table, column = check.table, check.column
    if check.id.endswith("session_id.unique"):
        return (
            Plant(
                f"update {table} set session_id = (select session_id from {table} where rowid = 0) where rowid < 9", 8
            ),
        )
    if check.type == "expect_column_values_to_not_be_null" and not check.tolerated_prop:
        return (change(table, f"{column} = null", 3),)
    if check.type == "expect_column_values_to_be_unique":
        twin = f"(select {column} from {table} order by rowid limit 1)"
        return (Plant(f"update {table} set {column} = {twin} where rowid = 1", 2),)
    if check.type == "expect_column_values_to_be_between" and isinstance(check.kwargs.get("max_value"), dict):
        too_high = change(table, f"{column} = 41", 2, f"{column} is not null")
        return (too_high, change(table, f"{column} = -0.5", 2, f"{column} is not null"))
    if check.type == "expect_column_values_to_be_in_set":
        return (change(table, f"{column} = 'nonsense'", 2, f"{column} is not null"),)
    return ()


def all_plants() -> Iterator[tuple[Check, Plant | None]]:
    """Yield every check with each of its plants; with None where it has none."""
    for checks in read_suites().values():
        for check in checks:
            for plant in plants_of(check) or (None,):
                yield check, plant


_S, _E, _L = "core_sessions", "core_episodes", "core_dropout_labels"
_M, _P, _F = "mart_session_directiveness", "mart_person_session", "mart_participant_flow"
_EVERY_SECOND = "rowid % 2 = 0"


def _missing(table: str, column: str, among: str = "true") -> str:
    return f"select count(*) from {table} where {column} is null and {among}"


PLANTS: dict[str, Plant | tuple[Plant, ...]] = {
    # ---- core_batches, core_quarantine
    "core_batches.rows.accounted": change("core_batches", "n_current = n_current - 1", 2),
    "core_batches.counts.not_negative": change("core_batches", "n_superseded = -1", 1),
    "core_batches.sessions.delivered": Plant("delete from core_sessions where rowid < 3", 1),
    "core_batches.sessions.of_one_practice": everywhere(
        "core_batches", "n_contested = n_read // 10 + 1", 1, "kind = 'sessions'"
    ),
    "core_batches.sessions.none_contested": everywhere("core_batches", "n_contested = 1", 1, "kind = 'sessions'"),
    "core_batches.quarantined.share": everywhere(
        "core_batches", "n_quarantined = n_read // 2", "select sum(n_read // 2) from core_batches"
    ),
    "core_quarantine.rows.explained": Plant("delete from core_quarantine where kind = 'clients'", 1),
    # ---- core_measures, mart_reliable_change
    "core_measures.stored_total.agrees": change("core_measures", "is_stored_different = true", 3),
    "core_measures.rule_version.one_for_a_scale": change("core_measures", "rule_version = '2'", 1),
    "core_measures.score.enough_answers": change("core_measures", "score = null", 2),
    "mart_reliable_change.client_scale.unique": everywhere(
        "mart_reliable_change", "client_id = 'c000'", 1, "client_id = 'c001'"
    ),
    "core_agreement.krippendorffs_alpha.high_enough": change("core_agreement", "krippendorffs_alpha = 0.66", 1),
    "core_agreement.n_utterances_twice.some": change("core_agreement", "n_utterances_twice = 0", 1),
    # ---- core_sessions
    "core_sessions.rows.present": Plant("delete from core_sessions", 1),
    "core_sessions.session_number.from_one": change(_S, "session_number = 0", 2),
    "core_sessions.session_number.unique": everywhere(
        _S, "session_number = 1", 4, "session_number = 2 and episode_id in ('e0010', 'e0020')"
    ),
    "core_sessions.session_number.without_gaps": (
        everywhere(_S, "session_number = session_number + 1", "select count(*) from core_episodes"),
        Plant("delete from core_sessions where session_number = 2", "select count(*) from core_episodes"),
    ),
    "core_sessions.attended_number.counts_in_order": (
        change(_S, "attended_number = attended_number + 1", 4, "session_number = 1"),
        everywhere(
            _S,
            "attended_number = 1",
            "select count(distinct episode_id) from core_sessions where not is_attended",
            "not is_attended",
        ),
    ),
    "core_sessions.client_id.known": change(_S, "client_id = 'nobody'", 3),
    "core_sessions.episode_id.known": change(_S, "episode_id = 'none'", 3),
    "core_sessions.batch_id.known": change(_S, "batch_id = 'none'", 3),
    "core_sessions.episode_id.one_client": change(_S, "client_id = 'c001'", 2, "client_id = 'c002'"),
    "core_sessions.practice_id.not_back_and_forth": everywhere(
        _S, "practice_id = 'p' || (session_number % 2)", "select count(distinct client_id) from core_sessions"
    ),
    "core_sessions.practice_id.movers_stay": everywhere(
        _S, "practice_id = 'elsewhere'", 2, "session_number = 2 and client_id in ('c001', 'c002')"
    ),
    "core_sessions.missed.no_ratings": (
        change(_S, "empowerment_score = 5", 2, "not is_attended"),
        change(_S, "is_asked_about_guidance = true", 2, "not is_attended"),
    ),
    "core_sessions.directiveness_score.complete": everywhere(
        _S, "directiveness_score = null", "select count(*) from core_sessions where is_attended"
    ),
    "core_sessions.satisfaction_score.complete": everywhere(
        _S, "satisfaction_score = null", _missing(_S, "satisfaction_score", "is_attended"), _EVERY_SECOND
    ),
    "core_sessions.alliance_score.complete": everywhere(
        _S, "alliance_score = null", _missing(_S, "alliance_score", "is_attended"), _EVERY_SECOND
    ),
    "core_sessions.session_date.complete": everywhere(
        _S, "session_date = null", _missing(_S, "session_date"), _EVERY_SECOND
    ),
    "core_sessions.session_date.not_after_data_cut": change(_S, "session_date = date '2030-01-01'", 2),
    "core_sessions.session_date.not_after_end": change(
        _S,
        "session_date = date '2026-06-29'",
        2,
        "episode_id in (select episode_id from core_episodes where end_date is not null)",
    ),
    "core_sessions.session_date.not_before_start": change(_S, "session_date = date '2000-01-01'", 2),
    "core_sessions.session_date.runs_with_number": change(
        _S, "session_date = date '2000-01-01'", 3, "session_number = 2"
    ),
    "core_sessions.session_date.one_a_day": everywhere(
        _S,
        "session_date = date '2025-01-01'",
        "select count(*) - count(distinct client_id) from core_sessions where is_attended",
    ),
    "core_sessions.session_date.therapists_day": everywhere(_S, "session_date = date '2025-01-01'", 12),
    "core_sessions.therapist_id.one_practice": everywhere(
        _S,
        "practice_id = 'p9'",
        6,
        "rowid in (select min(rowid) from core_sessions where therapist_id < 't06' group by therapist_id)",
    ),
    "core_sessions.is_attended.mostly_came": everywhere(
        _S, "is_attended = false", "select count(*) from core_sessions"
    ),
    "core_sessions.satisfaction_score.ceiling": everywhere(
        _S,
        "satisfaction_score = 10",
        "select count(*) from core_sessions where satisfaction_score = 10",
        "satisfaction_score is not null",
    ),
    "core_sessions.satisfaction_score.straight_lining": everywhere(
        _S,
        "satisfaction_score = 7, directiveness_score = 5",
        "select count(*) from (select client_id from core_sessions where satisfaction_score = 7 group by 1 "
        "having count(*) >= 5)",
        "satisfaction_score + directiveness_score is not null",
    ),
    "core_sessions.satisfaction_score.direction": everywhere(_S, "alliance_score = 10 - satisfaction_score", 1),
    "core_sessions.practice_id.none_rare": everywhere(
        _S, "practice_id = 'p9'", 1, f"client_id in (select min(client_id) from {_S})"
    ),
    "core_sessions.client_id.no_twins": Plant(
        "insert into core_sessions select * replace ('c999' as client_id) from core_sessions where client_id = 'c000'",
        2,
    ),
    # ---- core_episodes
    "core_episodes.client_id.known": change(_E, "client_id = 'nobody'", 2),
    "core_episodes.counts.match_sessions": (
        change(_E, "n_attended = n_attended - 1", 2),
        change(_E, "n_appointments = n_appointments + 1", 3),
    ),
    "core_episodes.end_date.not_before_start": change(_E, "end_date = start_date - 1", 2),
    "core_episodes.end_date.not_after_data_cut": change(_E, "end_date = data_cut + 1", 2),
    "core_episodes.start_date.not_after_data_cut": change(_E, "start_date = data_cut + 1", 2),
    "core_episodes.n_attended.not_above_appointments": change(_E, "n_attended = n_appointments + 1", 2),
    "core_episodes.ending_state.complete": change(_E, "ending_state = null", 2),
    "core_episodes.ending_state.outside_causes": change(_E, "ending_state = 'dropout'", 2, "ending = 'moved_away'"),
    "core_episodes.ending_state.open_is_undetermined": change(_E, "ending_state = 'planned'", 2, "ending = 'open'"),
    "core_episodes.ending_state.known_share": everywhere(
        _E,
        "ending_state = 'undetermined'",
        "select count(*) from core_episodes where ending_state = 'undetermined'",
        "rowid % 10 < 7",
    ),
    "core_episodes.ending_state.dropout_rate": (
        everywhere(_E, "ending_state = 'dropout'", 1, "ending_state <> 'undetermined'"),
        everywhere(_E, "ending_state = 'planned'", 1, "ending_state <> 'undetermined'"),
    ),
    "core_episodes.start_date.one_open_at_a_time": everywhere(
        _E, "end_date = data_cut", 3, "episode_id in ('e0000', 'e0120', 'e0240')"
    ),
    "core_episodes.start_date.complete": everywhere(_E, "start_date = null", _missing(_E, "start_date"), _EVERY_SECOND),
    "core_episodes.planned_sessions.range": change(_E, "planned_sessions = 0", 2),
    "core_episodes.intake_severity_score.complete": everywhere(
        _E, "intake_severity_score = null", _missing(_E, "intake_severity_score"), _EVERY_SECOND
    ),
    "core_episodes.n_appointments.some": everywhere(
        _E, "n_appointments = 0", "select count(*) from core_episodes where rowid % 2 = 0", _EVERY_SECOND
    ),
    # ---- core_dropout_labels, core_clients
    "core_dropout_labels.labels.unique": Plant("insert into core_dropout_labels from core_dropout_labels limit 3", 6),
    "core_dropout_labels.episode_id.known": change(_L, "episode_id = 'none'", 2),
    "core_dropout_labels.episode_id.all_judged": Plant(
        "delete from core_dropout_labels where definition = 'count_2' and episode_id in ('e0000', 'e0010')", 1
    ),
    "core_dropout_labels.state.studys_definition": change(
        _L, "state = 'other'", 2, "definition = 'unilateral' and state = 'planned'"
    ),
    "core_clients.n_episodes.match_episodes": change("core_clients", "n_episodes = n_episodes + 1", 2),
    "core_clients.directiveness_preferred_score.complete": everywhere(
        "core_clients",
        "directiveness_preferred_score = null",
        _missing("core_clients", "directiveness_preferred_score"),
        _EVERY_SECOND,
    ),
    # ---- mart_session_directiveness
    "mart_session_directiveness.rows.are_the_cohorts": (
        Plant(f"delete from {_M} where rowid < 2", 2),
        Plant(f"insert into {_M} select * replace (1000 + rowid as attended_number) from {_M} limit 2", 2),
    ),
    "mart_session_directiveness.scores.match_sessions": (
        change(_M, "satisfaction_score = satisfaction_score + 1", 2, "satisfaction_score is not null"),
        change(_M, "therapist_id = 't11'", 2, "therapist_id = 't01'"),
        change(_M, "session_id = 'another'", 2),
    ),
    "mart_session_directiveness.parts.add_up": (
        change(_M, "directiveness_client = directiveness_client + 1", 2),
        change(_M, "directiveness_within = directiveness_within - 0.01", 2),
    ),
    "mart_session_directiveness.directiveness_within.sums_to_zero": everywhere(
        _M,
        "directiveness_within = directiveness_within + 1",
        2,
        f"rowid in (select min(rowid) from {_M} where client_id in ('c001', 'c002') group by client_id)",
    ),
    "mart_session_directiveness.directiveness_therapist_mean.is_mean_of_clients": everywhere(
        _M, "directiveness_therapist_mean = directiveness_therapist_mean + 1", 2, "therapist_id in ('t00', 't01')"
    ),
    "mart_session_directiveness.directiveness_therapist.grand_mean": everywhere(
        _M, "directiveness_therapist = directiveness_therapist + 0.5", 2, "client_id in ('c001', 'c002')"
    ),
    "mart_session_directiveness.n_sessions_client.counts": everywhere(
        _M, "n_sessions_client = n_sessions_client + 1", 2, "client_id in ('c001', 'c002')"
    ),
    "mart_session_directiveness.log_session.is_log_of_number": change(_M, "log_session = attended_number", 3),
    "mart_session_directiveness.directiveness_misfit.is_difference": change(
        _M, "directiveness_misfit = abs(directiveness_misfit) + 0.1", 3
    ),
    "mart_session_directiveness.satisfaction_previous.from_the_neighbour": (
        change(_M, "satisfaction_previous = satisfaction_previous + 1", 2, "satisfaction_previous is not null"),
        change(_M, "directiveness_previous = directiveness_previous + 1", 2, "directiveness_previous is not null"),
        change(_M, "satisfaction_previous = 5", 2, "attended_number = 1"),
    ),
    "mart_session_directiveness.satisfaction_next.from_the_neighbour": (
        change(_M, "satisfaction_next = satisfaction_next + 1", 2, "satisfaction_next is not null"),
        change(_M, "therapist_id = 'another'", 2, "satisfaction_next is not null"),
    ),
    "mart_session_directiveness.directiveness_within.varies": everywhere(
        _M,
        "directiveness_within = 0",
        f"select count(*) from (select client_id from {_M} group by client_id having count(*) >= 3)",
    ),
    # ---- mart_person_session
    "mart_person_session.rows.are_the_cohorts": Plant(f"delete from {_P} where rowid < 2", 2),
    "mart_person_session.is_last.one_an_episode": (
        change(_P, "is_last = false", 2, "is_last"),
        change(_P, "is_last = true", 2, "attended_number = 1 and not is_last"),
    ),
    "mart_person_session.ending_state.match_episodes": (
        change(_P, "ending_state = 'dropout'", 2, "not is_last"),
        change(_P, "ending_state = 'dropout'", 2, "ending_state = 'planned'"),
    ),
    "mart_person_session.events.exclusive": change(
        _P, "is_dropout = 1, is_planned_end = 1", 2, "is_dropout is not null"
    ),
    "mart_person_session.events.match_state": (
        change(_P, "is_dropout = 1", 2, "ending_state = 'continues'"),
        change(_P, "is_dropout = 0", 2, "ending_state = 'undetermined'"),
    ),
    "mart_person_session.running_means.know_no_future": (
        change(_P, "directiveness_change = directiveness_change + 0.5", 2, "directiveness_change is not null"),
        Plant(
            f"create table before as from {_P}; update {_P} set directiveness_so_far = "
            f"(select avg(directiveness_score) from before where before.episode_id = {_P}.episode_id)",
            f"select count(*) from {_P} inner join before on {_P}.session_id = before.session_id "
            f"where coalesce(abs({_P}.directiveness_so_far - before.directiveness_so_far), 1) > 1e-6 "
            f"and {_P}.directiveness_so_far is not null",
        ),
    ),
    "mart_person_session.satisfaction_so_far.knows_no_future": (
        change(_P, "satisfaction_so_far = satisfaction_so_far + 1", 2, "satisfaction_so_far is not null"),
        change(_P, "alliance_so_far = null", 2),
    ),
    "mart_person_session.session_terms.coded": (
        change(_P, "session_2 = 1 - session_2", 2),
        change(_P, "log_session = ln(attended_number)", 2, "attended_number = 2"),
    ),
    "mart_person_session.is_dropout.enough_events": everywhere(_P, "is_dropout = 0", 1, "is_dropout = 1"),
    # ---- mart_clients, mart_therapists
    "mart_clients.n_attended.not_above_appointments": change("mart_clients", "n_attended = n_appointments + 1", 2),
    "mart_clients.n_attended.match_sessions": (
        change("mart_clients", "n_attended = n_attended - 1", 2),
        Plant("delete from mart_clients where rowid < 2", 2),
    ),
    "mart_therapists.n_sessions.match_sessions": (
        change("mart_therapists", "n_sessions = n_sessions + 1", 2),
        Plant("delete from mart_therapists where rowid < 2", 2),
    ),
    "mart_therapists.n_dropouts.not_above_episodes": change("mart_therapists", "n_dropouts = n_episodes + 1", 2),
    "mart_therapists.dropout_prop.range": change("mart_therapists", "dropout_prop = 1.5", 2),
    "mart_therapists.therapist_id.enough": Plant("delete from mart_therapists where therapist_id > 't05'", 1),
    "mart_therapists.n_clients.more_than_one": everywhere("mart_therapists", "n_clients = 1", 6, _EVERY_SECOND),
    "mart_therapists.n_sessions.none_dominates": change("mart_therapists", "n_sessions = 1000000", 1),
    "mart_therapists.n_clients.none_rare": change("mart_therapists", "n_clients = 4", 2),
    "mart_therapists.practice_id.none_alone": change("mart_therapists", "practice_id = 'p' || therapist_id", 2),
    # ---- mart_participant_flow, codebook
    "mart_participant_flow.steps.numbered": everywhere(_F, "step_number = 12", 1, "step_number = 11"),
    "mart_participant_flow.n_sessions.add_up": change(_F, "n_sessions_excluded = -1", 1, "step_number = 5"),
    "mart_participant_flow.n_clients.add_up": change(_F, "n_clients_excluded = -1", 1, "step_number = 5"),
    "mart_participant_flow.counts.not_negative": change(_F, "n_therapists = -1", 1, "step_number = 5"),
    "mart_participant_flow.rows.match_tables": change(_F, "n_sessions = -1", 1, "step = 'at risk of dropout'"),
    "codebook.columns.described": Plant(
        "delete from codebook where table_name = 'core_clients' and column_name in ('gender', 'age_band')", 2
    ),
}  # fmt: skip
