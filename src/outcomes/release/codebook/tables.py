"""Every table of a release that is there before anything is answered; the answers describe their own."""

from __future__ import annotations

from dataclasses import replace

from outcomes.contract import Kind, scales_of
from outcomes.release.codebook.data_columns import DATA_COLUMNS, contract_text
from outcomes.release.codebook.result_columns import RESULT_COLUMNS
from outcomes.release.codebook.vocabulary import ColumnText, TableText
from outcomes.study import StudySettings

COLUMNS: dict[str, ColumnText] = {**DATA_COLUMNS, **RESULT_COLUMNS}


def of_study(table: TableText, settings: StudySettings) -> TableText:
    """Return the table as this study has it: with its own scales' scores beside the contract's of sessions."""
    ratings = _names(Kind.SESSIONS)
    if not set(ratings) <= set(table.columns):
        return table
    own = {column.published: contract_text(column, Kind.SESSIONS) for column in settings.own_columns}
    columns: dict[str, ColumnText] = {}
    for name, said in table.columns.items():
        columns[name] = said
        if name == ratings[-1]:
            columns |= own
    return replace(table, columns=columns)


def _names(kind: Kind) -> tuple[str, ...]:
    return tuple(column.published for column in scales_of(kind))


_SESSION_SCORES, _EPISODE_SCORES, _CLIENT_SCORES = (" ".join(_names(kind)) for kind in Kind)


def _table(name: str, description: str, source: str, columns: str) -> TableText:
    """Each column in the table's own sense where it has one."""
    own = {column: COLUMNS.get(f"{name}.{column}") or COLUMNS[column] for column in columns.split()}
    return TableText(name, description, source, own)


TABLES: dict[str, TableText] = {
    table.name: table
    for table in (
        _table(
            "core_sessions",
            "One appointment, attended or missed, as it was last reported",
            "sessions files",
            "session_id practice_id therapist_id client_id episode_id session_number attended_number session_date "
            f"is_attended {_SESSION_SCORES} is_asked_about_guidance batch_id",
        ),
        _table(
            "core_episodes",
            "One course of therapy that the sessions or the episodes file know",
            "episodes files, core_sessions, core_dropout_labels",
            f"episode_id client_id start_date end_date ending planned_sessions {_EPISODE_SCORES} data_cut "
            "n_appointments n_attended is_last_missed days_silent ending_state",
        ),
        _table(
            "core_dropout_labels",
            "One episode with an attended session, under one definition of dropout that the data allow",
            "core_episodes",
            "episode_id definition state",
        ),
        _table(
            "core_clients",
            "One client that any file knows",
            "clients files, core_episodes",
            f"client_id {_CLIENT_SCORES} age_band gender n_episodes",
        ),
        _table(
            "core_batches",
            "One landed batch and the account of its rows: read = quarantined + superseded + current",
            "landing manifests, landed rows",
            "batch_id kind sequence n_read n_quarantined n_superseded n_current n_contested",
        ),
        _table(
            "core_quarantine",
            "One rule that quarantined rows of one landed batch",
            "landing manifests",
            "batch_id kind rule reason n_rows",
        ),
        _table(
            "core_measures",
            "One score that was made of the items of a questionnaire, and how it came about",
            "landed rows",
            "kind client_id episode_id session_id scale instrument rule_version n_answered score stored_total "
            "is_stored_different batch_id",
        ),
        _table(
            "core_agreement",
            "One landed batch of coded sessions: how far its coders agree",
            "landing manifests",
            "batch_id scale n_coders n_sessions n_utterances_twice n_sessions_twice cohens_kappa krippendorffs_alpha "
            "reliability",
        ),
        _table(
            "mart_session_directiveness",
            "One attended session of the cohort with a directiveness rating; "
            "score = grand mean + therapist + client + within",
            "core_sessions, core_clients, core_episodes",
            "session_id practice_id therapist_id client_id episode_id session_number attended_number log_session "
            f"{_SESSION_SCORES} is_asked_about_guidance directiveness_within directiveness_client "
            "directiveness_therapist directiveness_client_mean directiveness_therapist_mean n_sessions_client "
            f"directiveness_misfit {_CLIENT_SCORES} {_EPISODE_SCORES} satisfaction_previous directiveness_previous "
            "directiveness_within_previous satisfaction_next directiveness_next directiveness_within_next "
            "is_asked_about_guidance_previous",
        ),
        _table(
            "mart_person_session",
            "One attended session of the cohort, after which the client could have left (discrete-time risk set)",
            "core_sessions, core_clients, core_episodes",
            "session_id episode_id client_id therapist_id practice_id attended_number session_1 session_2 session_3 "
            f"log_session directiveness_score {_CLIENT_SCORES} {_EPISODE_SCORES} directiveness_so_far "
            "directiveness_change satisfaction_so_far alliance_so_far is_last ending_state "
            "is_dropout is_planned_end is_other_end",
        ),
        _table(
            "mart_clients",
            "One client of the cohort",
            "core_sessions, core_clients, core_episodes",
            "client_id n_episodes n_appointments n_attended n_therapists directiveness_mean satisfaction_mean "
            f"{_CLIENT_SCORES} age_band gender ending_state",
        ),
        _table(
            "mart_therapists",
            "One therapist of the cohort; for models of therapists, never for a ranking",
            "core_sessions, mart_person_session",
            "therapist_id practice_id n_clients n_sessions n_episodes n_dropouts dropout_prop directiveness_mean "
            "satisfaction_mean",
        ),
        _table(
            "mart_participant_flow",
            "One step from the rows that were read to the sessions that a model sees, with the reason of the exclusion",
            "core_batches, core_sessions, mart_person_session",
            "step_number step reason n_sessions n_episodes n_clients n_therapists n_sessions_excluded "
            "n_clients_excluded",
        ),
        _table(
            "mart_sessions",
            "One attended session of the cohort, rated or not, with what is known of the client (a view)",
            "core_sessions, core_episodes, mart_clients, mart_session_directiveness",
            "session_id practice_id therapist_id client_id episode_id session_number attended_number session_date "
            f"{_SESSION_SCORES} is_asked_about_guidance directiveness_within directiveness_client "
            f"directiveness_therapist directiveness_misfit {_CLIENT_SCORES} {_EPISODE_SCORES} age_band gender is_last "
            "ending_state",
        ),
        _table(
            "mart_episodes",
            "One episode of the cohort, with what is known of the client (a view)",
            "core_episodes, mart_person_session, mart_clients",
            "episode_id client_id therapist_id practice_id start_date end_date planned_sessions n_appointments "
            f"n_attended n_therapists directiveness_mean satisfaction_mean {_CLIENT_SCORES} {_EPISODE_SCORES} age_band "
            "gender ending_state is_dropout",
        ),
        _table(
            "mart_reliable_change",
            "One client of the cohort and one scale made of items: first and last score, and whether the change is "
            "reliable",
            "core_measures, core_sessions, study.toml",
            "client_id scale instrument rule_version n_measured score_first score_last score_change "
            "reliable_change_index smallest_reliable_change cutoff is_clinical_first is_clinical_last change_class",
        ),
        _table(
            "codebook",
            "One column of one table, or the table itself",
            "outcomes.release",
            "table_name column_name type description unit range source",
        ),
        _table(
            "dq_results",
            "One data-quality check",
            "expectations",
            "check_id table_name column_name check_type category severity status n_violated n_denominator "
            "percent_violated sentence",
        ),
        _table(
            "deidentification",
            "One set of quasi-identifiers of one table: how many clients share them, what was withheld",
            "core_clients, core_sessions, mart_clients",
            "table_name quasi_identifiers k l n_clients n_classes n_classes_below_k n_classes_below_l "
            "n_age_bands_withheld n_genders_withheld",
        ),
        _table(
            "model_specs",
            "One model as declared",
            "study.toml",
            "model kind question population outcome formula link engine",
        ),
        _table(
            "model_fits",
            "One model's fit and its state",
            "outcomes.models",
            "model status reason engine n_rows n_missing n_clients n_therapists log_likelihood aic bic",
        ),
        _table(
            "model_flow",
            "One step from the rows of a model's population to those that it uses; the last agrees with model_fits",
            "outcomes.models",
            "model step_number step reason n_sessions n_episodes n_clients n_therapists n_sessions_excluded "
            "n_clients_excluded",
        ),
        _table(
            "model_estimates",
            "One fixed term of one variant of a model",
            "outcomes.models",
            "model variant term estimate std_error df_denom p_value conf_low conf_high status",
        ),
        _table(
            "model_variances",
            "One standard deviation or correlation of a model's random effects",
            "outcomes.models",
            "model group_name term term_2 value status",
        ),
        _table(
            "model_covariances",
            "The covariance of two fixed terms' estimates",
            "outcomes.models",
            "model term term_2 covariance",
        ),
        _table(
            "model_curves",
            "One point of a curve that a model draws",
            "outcomes.models",
            "model curve x_name x estimate conf_low conf_high status",
        ),
        _table(
            "seal",
            "One row: whether the specification was fixed before outcomes were seen",
            "seals.jsonl, study.toml",
            "status spec_sha256 sealed_at sentence",
        ),
        _table(
            "release",
            "One row: what this release is",
            "outcomes.release",
            "release_id study_name code_version n_batches data_cut",
        ),
    )
}
