"""The contract of the source files: kinds, columns, rules and refusals, each stated once.

Landing enforces it, the simulator plants violations of it, `outcomes init` writes it into the study's own page,
and the codebook describes columns with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What one source file holds, told by its name and never by its content."""

    SESSIONS = "sessions"
    EPISODES = "episodes"
    CLIENTS = "clients"


class ValueType(StrEnum):
    """How the text of a cell is read."""

    IDENTIFIER = "identifier"  # an opaque pseudonym, kept as text
    INTEGER = "integer"
    DATE = "date"
    YES_NO = "yes_no"
    SCALE = "scale"  # a number with a range that study.toml declares
    CODE = "code"  # one of a closed list


class Ending(StrEnum):
    """How an episode ended, in the words of the source (field guide, section 3)."""

    AGREED = "agreed"
    CLIENT_ENDED = "client_ended"
    JUDGED_PREMATURE = "judged_premature"
    THERAPIST_LEFT = "therapist_left"
    MOVED_AWAY = "moved_away"
    DIED = "died"
    REFERRED_ON = "referred_on"
    SERVICE_CLOSED = "service_closed"
    OPEN = "open"
    UNKNOWN = "unknown"


AGE_BANDS = ("under 18", "18-24", "25-34", "35-44", "45-54", "55-64", "65-74", "75 and over")
GENDERS = ("woman", "man", "non-binary", "other", "not stated")


@dataclass(frozen=True)
class Column:
    """One column of a source file.

    `required` columns must be in the file or be given a constant in `study.toml`; `key` columns may never be empty.
    `codes` is the closed list of a CODE column; `minimum` and `maximum` bound an INTEGER one.
    """

    name: str
    type: ValueType
    description: str
    required: bool = False
    key: bool = False
    codes: tuple[str, ...] = ()
    minimum: int | None = None
    maximum: int | None = None


def _identifier(name: str, description: str, *, required: bool = False, key: bool = False) -> Column:
    return Column(name, ValueType.IDENTIFIER, description, required=required, key=key)


def _scale(name: str, description: str, *, required: bool = False) -> Column:
    return Column(name, ValueType.SCALE, description, required=required)


CONTRACT: dict[Kind, tuple[Column, ...]] = {
    Kind.SESSIONS: (
        _identifier("practice_id", "Pseudonym of the practice; one practice where the study gives none"),
        _identifier("therapist_id", "Pseudonym of the therapist who held this session", required=True, key=True),
        _identifier("client_id", "Pseudonym of the client", required=True, key=True),
        _identifier("episode_id", "Pseudonym of the course of therapy; one episode a client where absent"),
        Column(
            "session_number",
            ValueType.INTEGER,
            "Place of the appointment in its episode, from 1",
            minimum=1,
            maximum=1000,
        ),
        Column("session_date", ValueType.DATE, "Day of the appointment"),
        Column("attended", ValueType.YES_NO, "Whether the client came; every row counts as attended where absent"),
        _scale("directiveness", "How directive the therapist was in this session", required=True),
        _scale("satisfaction", "Satisfaction with this session", required=True),
        _scale("alliance", "Working alliance after this session"),
        _scale("autonomy_support", "Autonomy support experienced in this session"),
        _scale("felt_overwhelmed", "How overwhelmed the client felt by the guidance"),
        Column("asked_about_guidance", ValueType.YES_NO, "Whether the therapist asked how the guidance felt"),
        _scale("empowerment", "Empowerment after this session"),
    ),
    Kind.EPISODES: (
        _identifier("episode_id", "Pseudonym of the course of therapy", required=True, key=True),
        _identifier("client_id", "Pseudonym of the client", required=True, key=True),
        Column("start", ValueType.DATE, "Day of the first contact"),
        Column("end", ValueType.DATE, "Day of the ending; empty while the episode is open"),
        Column("ending", ValueType.CODE, "How the episode ended", codes=tuple(Ending)),
        Column("planned_sessions", ValueType.INTEGER, "Number of sessions planned at intake", minimum=1, maximum=1000),
        _scale("intake_severity", "Severity at intake"),
        Column("data_cut", ValueType.DATE, "Day up to which this episode was observed"),
    ),
    Kind.CLIENTS: (
        _identifier("client_id", "Pseudonym of the client", required=True, key=True),
        _scale("directiveness_preferred", "Preferred directiveness, on the metric of the directiveness scale"),
        _scale("reactance", "Trait reactance"),
        Column("age_band", ValueType.CODE, "Age in bands", codes=AGE_BANDS),
        Column("gender", ValueType.CODE, "Gender", codes=GENDERS),
    ),
}


class Rule(StrEnum):
    """Why one row is quarantined."""

    RAGGED_ROW = "ragged_row"
    BAD_QUOTE = "bad_quote"
    CONTROL_CHARACTER = "control_character"
    MISSING_KEY = "missing_key"
    NOT_A_NUMBER = "not_a_number"
    NOT_AN_INTEGER = "not_an_integer"
    NOT_A_DATE = "not_a_date"
    NOT_YES_NO = "not_yes_no"
    UNKNOWN_CODE = "unknown_code"
    OUT_OF_RANGE = "out_of_range"
    IMPOSSIBLE_DATE = "impossible_date"
    END_BEFORE_START = "end_before_start"
    ENDED_BUT_OPEN = "ended_but_open"
    RATED_BUT_ABSENT = "rated_but_absent"
    DUPLICATE_ROW = "duplicate_row"
    CONFLICTING_ROWS = "conflicting_rows"
    EPISODE_OF_TWO_CLIENTS = "episode_of_two_clients"


RULE_REASONS: dict[Rule, str] = {
    Rule.RAGGED_ROW: "the row has more or fewer fields than the header (a cut-off last line too)",
    Rule.BAD_QUOTE: "a quotation mark stands where CSV allows none (or the last line ends in an open one)",
    Rule.CONTROL_CHARACTER: "a NUL or another control character stands in a cell",
    Rule.MISSING_KEY: "an id that every row needs is empty",
    Rule.NOT_A_NUMBER: "a rating is not a number",
    Rule.NOT_AN_INTEGER: "a count is not a whole number",
    Rule.NOT_A_DATE: "a date cannot be read in the format that study.toml declares",
    Rule.NOT_YES_NO: "a yes-or-no cell holds something else",
    Rule.UNKNOWN_CODE: "a coded cell holds a code that is not on the list",
    Rule.OUT_OF_RANGE: "a value lies outside the range that its scale or column declares",
    Rule.IMPOSSIBLE_DATE: "a date lies in the future or before the year 1980",
    Rule.END_BEFORE_START: "the episode ends before it starts",
    Rule.ENDED_BUT_OPEN: "the ending says open although an end date is given, or an ending is given after the data cut",
    Rule.RATED_BUT_ABSENT: "a missed appointment carries ratings",
    Rule.DUPLICATE_ROW: "the row stands earlier in the same file, word for word",
    Rule.CONFLICTING_ROWS: "two rows of the same file have the same key and say different things; neither is taken",
    Rule.EPISODE_OF_TWO_CLIENTS: "the episode belongs to two or more clients in this file; none of its rows is taken",
}


class Refusal(StrEnum):
    """Why a whole file is refused before anything of it is landed."""

    UNKNOWN_KIND = "unknown_kind"
    AMBIGUOUS_KIND = "ambiguous_kind"
    UNREADABLE = "unreadable"
    ENCODING = "encoding"
    EMPTY = "empty"
    DELIMITER = "delimiter"
    UNTERMINATED_QUOTE = "unterminated_quote"
    DUPLICATE_COLUMNS = "duplicate_columns"
    UNKNOWN_COLUMNS = "unknown_columns"
    MISSING_COLUMNS = "missing_columns"
    IDENTIFIER_COLUMN = "identifier_column"
    IDENTIFIER_VALUES = "identifier_values"
    FREE_TEXT = "free_text"
    NESTED_CELLS = "nested_cells"
    TOO_MANY_BAD_ROWS = "too_many_bad_rows"
    TOO_LARGE = "too_large"


REFUSAL_REASONS: dict[Refusal, str] = {
    Refusal.UNKNOWN_KIND: "the file name matches none of the study's patterns",
    Refusal.AMBIGUOUS_KIND: "the file name matches the patterns of two kinds",
    Refusal.UNREADABLE: "the file cannot be opened as what its name says (damaged, cut off or of another format)",
    Refusal.ENCODING: "the file is not UTF-8",
    Refusal.EMPTY: "the file has no rows",
    Refusal.DELIMITER: "no delimiter (comma, semicolon or tab) gives the header a known column",
    Refusal.UNTERMINATED_QUOTE: "a quotation mark opens a cell, is never closed, and swallows the rows after it",
    Refusal.DUPLICATE_COLUMNS: "a column name stands twice in the header",
    Refusal.UNKNOWN_COLUMNS: "the file has columns that the study does not know",
    Refusal.MISSING_COLUMNS: "columns that the study needs are not in the file",
    Refusal.IDENTIFIER_COLUMN: "a column's name says that it identifies a person",
    Refusal.IDENTIFIER_VALUES: "values look like direct identifiers",
    Refusal.FREE_TEXT: "a column holds free text",
    Refusal.NESTED_CELLS: "a column holds objects, lists or maps instead of single values",
    Refusal.TOO_MANY_BAD_ROWS: "more rows are bad than the study allows",
    Refusal.TOO_LARGE: "the file, or what it unpacks to, is larger than the study allows",
}
