"""Why a row of a foreign export is no row of ours: nothing is wrong with it, and it is counted by name."""

from __future__ import annotations

from enum import StrEnum


class LeftOut(StrEnum):
    """Why a layout leaves a row of an export out."""

    RECORD_ROW = "record_row"
    OTHER_FORM = "other_form"
    EMPTY_FORM = "empty_form"
    EMPTY_SESSION = "empty_session"
    PREVIEW = "preview"
    SPAM = "spam"
    UNFINISHED = "unfinished"
    OTHER_RESOURCE = "other_resource"
    ENTERED_IN_ERROR = "entered_in_error"
    SUPERSEDED = "superseded"
    CANCELLED = "cancelled"
    OTHER_APPOINTMENT = "other_appointment"
    JOINED = "joined"
    OTHER_ITEM = "other_item"
    REPEATED = "repeated"


LEFT_OUT_REASONS: dict[LeftOut, str] = {
    LeftOut.RECORD_ROW: "the record's own row; its values were joined to the record's repeating rows",
    LeftOut.OTHER_FORM: "a row of another form or event than the study reads here",
    LeftOut.EMPTY_FORM: "a form that nobody filled in",
    LeftOut.EMPTY_SESSION: "a session in which nothing stands",
    LeftOut.PREVIEW: "an answer from a preview or a test of the survey",
    LeftOut.SPAM: "an answer that the survey software marked as spam",
    LeftOut.UNFINISHED: "an answer that was not finished, where the study takes finished ones only",
    LeftOut.OTHER_RESOURCE: "a resource that is no answered questionnaire, such as an Encounter",
    LeftOut.ENTERED_IN_ERROR: "an answer that its source took back (entered in error)",
    LeftOut.SUPERSEDED: "an earlier version of a record that stands in the same export in a later one",
    LeftOut.CANCELLED: "an appointment that was cancelled before it took place",
    LeftOut.OTHER_APPOINTMENT: "an appointment of another type than the study takes",
    LeftOut.JOINED: "a further answer or utterance of the same session; it was joined to the session's row",
    LeftOut.OTHER_ITEM: "an answer to an item that no score of the study uses",
    LeftOut.REPEATED: "a further row of the same client or course of therapy; its values were joined to the first",
}
