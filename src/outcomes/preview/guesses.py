"""Which column of the contract a found column would become: by its name first, by what it holds second."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from functools import cache

from outcomes.contract import CONTRACT, Column, Kind, ValueType
from outcomes.preview.columns import FoundColumn, FoundType
from outcomes.preview.synonyms import SYNONYMS, meaning

_SAME, _SYNONYM, _LABEL, _WORDS, _CODES, _CLOSE = 1.0, 0.9, 0.8, 0.7, 0.65, 0.6  # how sure each way of guessing is
SURE = _CODES
"""From here on a guess is more than a likeness of names."""
_CLOSENESS = 0.84
_MOST_LONGER = 3  # signs between two similar names
_NEAR = 0.6
_SHORTEST_WORD = 4
_FEWEST_CODES = 2
_ENOUGH = 3  # guessed columns that tell the kind of a file in which no column names the client
_KEY_WORDS = re.compile(r"_?(id|ids|nr|no|num|number|nummer|code|key|kennung|pseudonym)$")
ONE_COURSE = "one course of therapy a client"
_LETTERS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ø": "o", "æ": "ae", "ł": "l"})


@dataclass(frozen=True)
class Guess:
    """What one found column would become.

    `why` says how it was guessed and `certainty` how sure that is, from 0 to 1; `column` is the contract's name.
    """

    found: FoundColumn
    column: str
    certainty: float
    why: str


@dataclass(frozen=True)
class Mapping:
    """The guesses for one kind of file, and the columns that nothing fits."""

    kind: Kind
    guesses: tuple[Guess, ...]
    unknown: tuple[FoundColumn, ...]

    def of(self, column: str) -> Guess | None:
        """Return the guess for a column of the contract."""
        return next((guess for guess in self.guesses if guess.column == column), None)


@cache
def simple(name: str) -> str:
    """Bring a name into the form in which synonyms are written: `Session-Date (UTC)` -> session_date_utc.

    >>> simple("ServDischDate"), simple("Sitzung Nr.")
    ('serv_disch_date', 'sitzung_nr')
    """
    name = name.replace("{session_number}", "")  # of a wide file
    plain = unicodedata.normalize("NFKD", name.lower().translate(_LETTERS) if not _is_camel(name) else _split(name))
    plain = "".join(sign for sign in plain.lower() if not unicodedata.combining(sign))
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")


def _is_camel(name: str) -> bool:
    return bool(re.search(r"[a-z][A-Z]", name))


def _split(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)


def best_mapping(found: tuple[FoundColumn, ...], file_name: str, n_rows: int) -> Mapping | None:
    """Map a table as the kind of file that it fits best; None where it fits none.

    A kind is told by the columns that it needs, by whether clients repeat, and by the file's name.
    """
    best, most = None, 0.0
    for kind in Kind:
        mapping = map_columns(found, kind)
        score = sum(guess.certainty for guess in mapping.guesses)
        client = mapping.of("client_id")
        if not client and len(mapping.guesses) < _ENOUGH:
            continue
        n_needed = sum(column.required for column in CONTRACT[kind])
        n_have = sum(bool(mapping.of(column.name)) for column in CONTRACT[kind] if column.required)
        score += 2 * n_have / n_needed + (2 if kind.value.rstrip("s") in file_name.lower() else 0)
        repeats = client is None or client.found.n_different < 0.95 * n_rows * (1 - client.found.missing_share)
        score += 1 if (kind is Kind.SESSIONS) == repeats else 0
        if kind is Kind.CLIENTS and repeats:
            score -= 2
        if score > most:
            best, most = (mapping if repeats else _with_one_course(mapping)), score
    return best


def _with_one_course(mapping: Mapping) -> Mapping:
    """Take the client for the course of therapy, where each client has one row and nothing names the course."""
    client = mapping.of("client_id")
    if mapping.kind is not Kind.EPISODES or client is None or mapping.of("episode_id"):
        return mapping
    return replace(mapping, guesses=(Guess(client.found, "episode_id", client.certainty, ONE_COURSE), *mapping.guesses))


def map_columns(found: tuple[FoundColumn, ...], kind: Kind) -> Mapping:
    """Give each column of the contract the found column that fits it best, each found column once."""
    scored = sorted(
        (
            (certainty, -one.place, one, column, why)
            for one in found
            for column in CONTRACT[kind]
            for certainty, why in [_certainty(one, column)]
            if certainty
        ),
        key=lambda candidate: candidate[:2],
        reverse=True,
    )
    guesses: dict[str, Guess] = {}
    used: set[int] = set()
    for certainty, _, one, column, why in scored:
        if column.name not in guesses and one.place not in used:
            guesses[column.name] = Guess(one, column.name, certainty, why)
            used.add(one.place)
    ordered = sorted(guesses.values(), key=lambda guess: guess.found.place)
    return Mapping(kind, tuple(ordered), tuple(one for one in found if one.place not in used))


def nearest(name: str, kind: Kind | None, most: int = 3) -> tuple[str, ...]:
    """Return the names of the contract that are nearest to an unknown one, of one kind of file or of all."""
    names = [column.name for one in ([kind] if kind else Kind) for column in CONTRACT[one]]
    asked = simple(name)
    words = set(asked.split("_"))
    shared = [known for known in names if words & {word for word in known.split("_") if len(word) >= _SHORTEST_WORD}]
    by_closeness = {
        known: max(_closeness(asked, other) for other in (known, *SYNONYMS[known])) for known in dict.fromkeys(names)
    }
    close = sorted((known for known in by_closeness if by_closeness[known] >= _NEAR), key=lambda k: -by_closeness[k])
    return tuple(dict.fromkeys([*shared, *close]))[:most]


def _certainty(found: FoundColumn, column: Column) -> tuple[float, str]:
    certainty, why = _certainty_of(found.name, found, column)
    if certainty >= SURE:
        return certainty, why
    by_label, _ = _certainty_of(found.said.label, found, column) if found.said.label else (0.0, "")
    if by_label >= SURE:
        return _LABEL * by_label, "its label in the data dictionary"
    if column.type is ValueType.CODE and _has_codes_of(found, column):
        return _CODES, "its codes"
    return certainty, why


def _has_codes_of(found: FoundColumn, column: Column) -> bool:
    """Say whether most codes of a column, or what they stand for, are words that a closed list knows."""
    words = list(found.said.labels.values()) or [code for code, _ in found.codes]
    known = {meaning(word, column) for word in words if len(word) > 1} - {None}
    return len(known) >= _FEWEST_CODES and 2 * len(known) >= len(words)


def _certainty_of(name: str, found: FoundColumn, column: Column) -> tuple[float, str]:
    asked = simple(name)
    if asked == column.name:  # whatever it holds: what does not fit breaks a rule
        return _SAME, "same name"
    if not _can_hold(found, column):
        return 0.0, ""
    if asked in SYNONYMS[column.name]:
        return _SYNONYM, "a usual name of it"
    if column.type is ValueType.IDENTIFIER and (stem := _KEY_WORDS.sub("", asked)) and stem in _stems(column.name):
        return _SYNONYM, "a usual name of it"
    if _is_within(column.name, asked) or any(_is_within(word, asked) for word in SYNONYMS[column.name]):
        return _WORDS, "its name holds the word"
    closest = max((_closeness(asked, known) for known in (column.name, *SYNONYMS[column.name])), default=0.0)
    return (_CLOSE * closest, "a similar name") if closest >= _CLOSENESS else (0.0, "")


@cache
def _stems(column: str) -> frozenset[str]:
    """Names of an id without the word that says that it is one."""
    return frozenset(_KEY_WORDS.sub("", known) for known in (column, *SYNONYMS[column])) - {""}


@cache
def _closeness(asked: str, known: str) -> float:
    """Share of signs that two names have in common; 0 where they start otherwise or one is much longer."""
    if asked[:1] != known[:1] or abs(len(asked) - len(known)) > _MOST_LONGER:
        return 0.0
    return SequenceMatcher(None, asked, known).ratio()


def _is_within(known: str, asked: str) -> bool:
    return len(known) >= _SHORTEST_WORD and f"_{known}_" in f"_{asked}_"


def _can_hold(found: FoundColumn, column: Column) -> bool:
    """Whether what was found can be what the contract's column holds; an empty column can be anything."""
    if found.type is FoundType.EMPTY:
        return True
    match column.type:
        case ValueType.IDENTIFIER:
            return found.type in (FoundType.ID, FoundType.WHOLE, FoundType.CODE, FoundType.TEXT, FoundType.YES_NO)
        case ValueType.INTEGER:
            return found.type is FoundType.WHOLE and (found.maximum or 0) <= (column.maximum or 0)
        case ValueType.DATE:
            return found.type is FoundType.DATE
        case ValueType.YES_NO:
            return found.is_yes_no
        case ValueType.CODE:
            return bool(found.codes) and found.type is not FoundType.DATE
        case ValueType.SCALE:
            return found.is_numeric
