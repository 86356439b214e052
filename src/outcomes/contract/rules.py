"""Why one row is quarantined."""

from __future__ import annotations

from enum import StrEnum


class Rule(StrEnum):
    """Why one row is quarantined."""

    RAGGED_ROW = "ragged_row"
    BAD_QUOTE = "bad_quote"
    CONTROL_CHARACTER = "control_character"
    MISSING_KEY = "missing_key"
    MISSING_DATE = "missing_date"
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
    Rule.MISSING_KEY: (
        "an id that every row needs, the practice that other rows of the file name, or the number that orders the "
        "sessions is empty"
    ),
    Rule.MISSING_DATE: "the date that orders the sessions is empty",
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
    Rule.CONFLICTING_ROWS: (
        "two rows of the same file have the same key (client or episode, with session number or date) "
        "and say different things; neither is taken (two practices may number their clients alike)"
    ),
    Rule.EPISODE_OF_TWO_CLIENTS: "the episode belongs to two or more clients in this file; none of its rows is taken",
}
