"""Why a whole file is refused."""

from __future__ import annotations

from enum import StrEnum


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
    UNFORESEEN = "unforeseen"


REFUSAL_REASONS: dict[Refusal, str] = {
    Refusal.UNKNOWN_KIND: "the file name matches none of the study's patterns",
    Refusal.AMBIGUOUS_KIND: "the file name matches the patterns of two kinds",
    Refusal.UNREADABLE: "the file cannot be opened as what its name says (damaged, cut off or of another format)",
    Refusal.ENCODING: "the file is not UTF-8, or not in the encoding that the study declares",
    Refusal.EMPTY: "the file has no rows",
    Refusal.DELIMITER: "no delimiter (comma, semicolon, tab or bar) gives the header a known column",
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
    Refusal.UNFORESEEN: "reading the file failed in a way that nobody foresaw; it is tried again at every run",
}
