"""The pipeline's own words in plain language."""

from __future__ import annotations

from outcomes.languages import later, spoken_in, translated
from outcomes.methods.dropout.dropout_bounds import EndingState
from outcomes.study.settings import DropoutDefinition

TERMS = {
    "(Intercept)": "Starting level",
    "directiveness_within": "Guidance in this session, compared with the client's usual",
    "directiveness_client": "The client's usual guidance, compared with other clients of the therapist",
    "directiveness_therapist": "The therapist's usual guidance, compared with other therapists",
    "directiveness_so_far": "Guidance on average so far",
    "directiveness_change": "Guidance in this session, compared with the sessions before",
    "directiveness_preferred_score": "how much guidance the client prefers",
    "intake_severity_score": "severity at intake",
    "reactance_score": "how easily the client feels pushed",
    "log_session": "Session number (logarithm)",
    "session_1": "First session",
    "session_2": "Second session",
    "session_3": "Third session",
    "satisfaction_score": "satisfaction",
    "directiveness_score": "guidance",
    "directiveness": "guidance",
    "is_dropout": "dropout",
}
"""Columns in plain words; a column that is not listed keeps its name."""

REASONS = {
    "quarantined: see core_quarantine for the rules": "rows with mistakes in them",
    "superseded by a later file": "rows that a later file replaced",
    "directiveness not rated": "guidance not rated",
}

DEFINITIONS = {
    DropoutDefinition.UNILATERAL: later("the client ended therapy without agreement"),
    DropoutDefinition.THERAPIST_JUDGED: later("the therapist judged the ending to be premature"),
    DropoutDefinition.COUNT_2: later("the client came to fewer than two sessions"),
    DropoutDefinition.COUNT_3: later("the client came to fewer than three sessions"),
    DropoutDefinition.COUNT_4: later("the client came to fewer than four sessions"),
    DropoutDefinition.COUNT_MEDIAN: later("the client came to fewer sessions than half of all clients"),
    DropoutDefinition.MISSED_LAST: later("the last appointment was missed and none came after it"),
    DropoutDefinition.PROTOCOL: later("the client came to fewer sessions than were planned"),
}
"""Definitions of dropout in plain words."""

ENDINGS = {
    EndingState.DROPOUT: "dropped out",
    EndingState.PLANNED: "ended as planned",
    EndingState.OTHER: "ended for another reason (moved away, therapist left, referred on, ...)",
    EndingState.UNDETERMINED: "not known: still open, or silent with no ending recorded",
}

NULL = "That is a result, not the lack of one."


def is_bend(term: str) -> bool:
    """Whether a term is the square of guidance within clients."""
    return term.replace(" ", "").replace("^", "**") in ("I(directiveness_within**2)", "directiveness_within**2")


def term_label(term: str) -> str:
    """A model's term for readers."""
    return "Bend of the line (guidance in this session, squared)" if is_bend(term) else TERMS.get(term, term)


def plain(text: str) -> str:
    """Replace column names and the pipeline's own words in a sentence by what they mean."""
    text = REASONS.get(text, text)
    for name in sorted(TERMS, key=len, reverse=True):
        text = text.replace(name, TERMS[name][0].lower() + TERMS[name][1:])
    return text


def question_told(question: str) -> str:
    """A study's question without column names; in another language the study's own words stay as they are."""
    return plain(question) if spoken_in().is_source else translated(question)


OF_THE_TEMPLATE = (
    later("How does therapist directiveness relate to client satisfaction and dropout, and for whom?"),
    later("How does therapist directiveness relate to client satisfaction and dropout?"),
    later("practice leads, clinicians and service users"),
    later("points"),
)
"""What a study file says where nobody changed it: said in the language of the documents too."""
