"""Every column of sessions, episodes, clients and the marts, described once; those of source files by the contract.

With `result_columns` the one source of comments, codebook and data dictionary.
"""

from __future__ import annotations

from outcomes.contract import CONTRACT, Column, Kind, ValueType
from outcomes.release.codebook.vocabulary import (
    ColumnText,
    count,
    day,
    difference,
    dummy,
    flag,
    identifier,
    number,
    rating,
    text,
)
from outcomes.scoring.classes import ChangeClass
from outcomes.study.settings import DropoutDefinition

ENDING_STATES = ("dropout", "planned", "other", "undetermined")


def contract_text(column: Column, kind: Kind) -> ColumnText:
    """Describe a column of a source file as a release has it, in the contract's words."""
    source = f"{kind} file"
    words = "; ".join(filter(None, (column.description, column.in_release)))
    match column.type:
        case ValueType.IDENTIFIER:
            return identifier(words, source)
        case ValueType.INTEGER:
            return ColumnText("INTEGER", words, column.unit, f"{column.minimum} or more", source)
        case ValueType.DATE:
            return day(words, source)
        case ValueType.YES_NO:
            return flag(words, source)
        case ValueType.SCALE:
            return rating(column.name, f"{words}, higher is {column.higher}" if column.higher else words, source)
        case ValueType.CODE:
            return text(words, column.codes, source)


# Keys are column names, or `table.column` where a table uses a name in its own sense.
DATA_COLUMNS: dict[str, ColumnText] = {
    # as the source files have them; an id is described where sessions have it
    **{column.published: contract_text(column, kind) for kind in reversed(Kind) for column in CONTRACT[kind]},
    # ids
    "session_id": identifier("Appointment: the episode's id and the appointment's number in it", "derived"),
    "batch_id": identifier("Landed batch: landing order and the start of the source file's hash", "landing"),
    "release_id": identifier("Hash over all that decides what is in the release"),
    "mart_therapists.therapist_id": identifier("Pseudonym of the therapist", "sessions file"),
    "mart_therapists.practice_id": identifier(
        "Practice of most of the therapist's sessions; the first by name in a tie"
    ),
    # order and time
    "session_number": ColumnText("INTEGER", "Place of the appointment among all of its episode", "", "1 or more"),
    "attended_number": ColumnText(
        "INTEGER", "Place of the session among the attended ones of its episode; empty where missed", "", "1 or more"
    ),
    "data_cut": day(
        "Day up to which the episode was observed: as recorded, else the latest recorded, else the last session's day",
        "episodes file",
    ),
    "release.data_cut": day("Latest day up to which any episode was observed; empty without dates"),
    "days_silent": ColumnText(
        "INTEGER", "Days from the last attended session to the data cut; empty without dates", "days", "integers"
    ),
    # endings
    "is_last_missed": flag("Whether the last appointment was missed; empty where the episode has no appointment"),
    "ending_state": text(
        "How the episode ended under the study's definition of dropout; empty where no session was attended",
        ENDING_STATES,
    ),
    "mart_person_session.ending_state": text(
        "`continues` before the last session; on the last one how the episode ended", ("continues", *ENDING_STATES)
    ),
    "mart_clients.ending_state": text("How the client's latest episode of the cohort ended", ENDING_STATES),
    "definition": text("Definition of dropout", tuple(DropoutDefinition)),
    "state": text("How the episode ended under this definition", ENDING_STATES),
    "is_last": flag("Whether this is the last attended session of the episode"),
    "is_dropout": dummy("1 where the client dropped out after this session; empty where what came next is not known"),
    "is_planned_end": dummy(
        "1 where therapy ended as planned after this session; empty where what came next is not known"
    ),
    "is_other_end": dummy(
        "1 where another cause ended therapy after this session; empty where what came next is not known"
    ),
    # the parts of directiveness
    "log_session": number("Natural logarithm of attended_number", "0 or more"),
    "mart_person_session.log_session": number(
        "Natural logarithm of attended_number from the fourth session, 0 before", "0 or more"
    ),
    "session_1": dummy("1 in the first attended session"),
    "session_2": dummy("1 in the second attended session"),
    "session_3": dummy("1 in the third attended session"),
    "directiveness_within": difference("This session's directiveness less the client's mean"),
    "directiveness_client": difference("The client's mean less the therapist's mean"),
    "directiveness_therapist": difference("The therapist's mean less the grand mean (the mean of client means)"),
    "directiveness_client_mean": rating(
        "directiveness", "Mean over all attended, rated sessions of the client in the cohort"
    ),
    "directiveness_therapist_mean": rating(
        "directiveness", "Mean over the therapist's clients of each client's mean with this therapist"
    ),
    "n_sessions_client": count("Sessions in the client's mean", "sessions"),
    "directiveness_misfit": difference("Directiveness less the directiveness preferred; empty where either is"),
    "satisfaction_previous": rating(
        "satisfaction",
        "Satisfaction with the attended session before, by the same therapist in the same episode, never centred",
    ),
    "directiveness_previous": rating(
        "directiveness", "Directiveness of the attended session before, by the same therapist in the same episode"
    ),
    "directiveness_within_previous": difference("directiveness_previous less the client's mean"),
    "satisfaction_next": rating(
        "satisfaction",
        "Satisfaction with the attended session after, by the same therapist in the same episode, never centred",
    ),
    "directiveness_next": rating(
        "directiveness", "Directiveness of the attended session after, by the same therapist in the same episode"
    ),
    "directiveness_within_next": difference("directiveness_next less the client's mean"),
    "is_asked_about_guidance_previous": flag(
        "The flag of the attended session before, by the same therapist in the same episode; empty where unknown"
    ),
    "directiveness_so_far": rating("directiveness", "Mean over the episode's sessions up to and with this one"),
    "directiveness_change": difference(
        "Directiveness less the mean of the sessions before in the episode; 0 in the first rated, empty where not rated"
    ),
    "satisfaction_so_far": rating("satisfaction", "Mean over the episode's sessions up to and with this one"),
    "alliance_so_far": rating("alliance", "Mean over the episode's sessions up to and with this one"),
    "directiveness_mean": rating("directiveness", "Mean over the client's attended sessions of the cohort"),
    "satisfaction_mean": rating("satisfaction", "Mean over the client's attended sessions of the cohort"),
    "mart_sessions.ending_state": text(
        "`continues` before the last session; on the last one how the episode ended", ("continues", *ENDING_STATES)
    ),
    "mart_episodes.therapist_id": identifier("Pseudonym of the therapist of the last attended session"),
    "mart_episodes.practice_id": identifier("Practice of the last attended session"),
    "mart_episodes.directiveness_mean": rating("directiveness", "Mean over the episode's attended sessions"),
    "mart_episodes.satisfaction_mean": rating("satisfaction", "Mean over the episode's attended sessions"),
    "mart_episodes.is_dropout": dummy("1 where the episode ended in dropout; empty where the ending is undetermined"),
    # scores made of the items of a questionnaire
    "scale": text("Scale of study.toml that is made of items"),
    "instrument": text("Questionnaire, by its id in the registry (docs/instruments.md)"),
    "rule_version": text("Version of the rule by which its items became the score"),
    "n_answered": count("Items of the score that were answered; 0 where only a stored total is known", "items"),
    "score": number("The score, in the questionnaire's own direction; empty where too few items were answered", "any"),
    "stored_total": number("The total that the source had stored beside the items; empty where none", "any"),
    "is_stored_different": flag("Whether the stored total is another than the items make; empty without both"),
    "n_coders": count("Coders", "coders"),
    "core_agreement.scale": text("The rating that is made of codes"),
    "core_agreement.n_sessions": count("Sessions with a code that counts", "sessions"),
    "n_utterances_twice": count("Utterances that two or more coded", "utterances"),
    "n_sessions_twice": count("Sessions that two or more coded", "sessions"),
    "cohens_kappa": number(
        "Mean over pairs of coders of Cohen's kappa, utterance by utterance; empty where it cannot be said", "-1 to 1"
    ),
    "krippendorffs_alpha": number(
        "Krippendorff's alpha for nominal codes, utterance by utterance; empty where it cannot be said", "-1 to 1"
    ),
    "reliability": number(
        "Share of the variance of sessions' ratings that is not the coders' error (Krippendorff's alpha for intervals, "
        "Spearman and Brown); empty where too little was coded twice",
        "0 to 1",
    ),
    "n_measured": count("Sessions of the cohort with a score", "sessions"),
    "score_first": number("The first score, in the questionnaire's own direction", "any"),
    "score_last": number("The last score, in the questionnaire's own direction", "any"),
    "score_change": number(
        "score_last less score_first; empty with one score, or where they were made by different rules", "any"
    ),
    "reliable_change_index": number(
        "score_change in standard errors of a difference, SD sqrt(2 (1 - reliability)); empty where not known",
        "any",
    ),
    "smallest_reliable_change": number("Smallest change that is reliable; empty where not known", "above 0"),
    "cutoff": number("Between the clinical and other populations; empty where not known", "any"),
    "is_clinical_first": flag("Whether the first score lies on the clinical side of the cutoff; empty without one"),
    "is_clinical_last": flag("Whether the last score lies on the clinical side of the cutoff; empty without one"),
    "change_class": text(
        "What the change amounts to; recovered: improved, and the cutoff crossed; empty where it cannot be said",
        (one for one in ChangeClass if one is not ChangeClass.MISSING),
    ),
    "mart_therapists.directiveness_mean": rating(
        "directiveness", "Mean over the therapist's clients of each client's mean with this therapist"
    ),
    "mart_therapists.satisfaction_mean": rating(
        "satisfaction", "Mean over the therapist's clients of each client's mean with this therapist"
    ),
}
