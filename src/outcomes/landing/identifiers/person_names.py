"""Values that read like names of persons: by the given name, by the title, or by how names are written in a column."""

from __future__ import annotations

import re
from collections.abc import Sequence

from outcomes.landing.identifiers.chance import SEVERAL
from outcomes.landing.identifiers.known_names import GIVEN_NAMES, SURNAMES, folded

_WORD = re.compile(r"[^\W\d_][^\W\d_'’.-]*(?:['’-][^\W\d_]+)*\.?,?")
_INITIALS = re.compile(
    r"(?:[^\W\d_]\. ?){1,3}[^\W\d_a-z][^\W\d_'’-]{2,}|[^\W\d_a-z][^\W\d_'’-]{2,},? (?:[^\W\d_]\. ?){1,3}"
)
_CAPITALS = 2  # in a name, `McCarthy`, `Anna-Lena`; random letters have more
_KNOWN = 0.05  # share of single capitalised words that are frequent names; plants, gods and elements have fewer
_DOTTED = re.compile(r"[^\W\d_]{2,}\.[^\W\d_'’-]{3,}")
_TITLES_TEXT = """
    mr mrs ms miss dr prof herr frau mme monsieur madame señor señora sr sra sig signora dhr mevr pan pani hr fru
"""
_TITLES = frozenset(_TITLES_TEXT.split())


def is_person(value: str) -> bool:
    """Say whether one value alone reads like a name: initials, a title, or a given name with others."""
    if _INITIALS.fullmatch(value):
        return True
    words = value.split()
    if not (2 <= len(words) <= 4 and all(map(_WORD.fullmatch, words))):
        return False
    plain = [word.strip(".,").casefold() for word in words]
    return plain[0] in _TITLES or any(folded(word) in GIVEN_NAMES for word in plain)


def count_names(values: Sequence[str], n_values: int, *, is_id: bool, is_place: bool) -> int:
    """Count the values that together read like names of persons; 0 where they do not.

    Parameters
    ----------
    values : sequence of str
        Distinct values of one column that are not plainly pseudonyms.
    n_values : int
        Values in all, the base of shares.
    is_id : bool
        The column holds ids, where words alone are rarely anything but names.
    is_place : bool
        The column names practices, which are written like names.
    """
    given = sum(1 for value in values if folded(value) in GIVEN_NAMES)
    if given >= max(SEVERAL, n_values * 0.2):
        return given
    if is_place:
        return 0
    pairs = _count_pairs([value for value in values if _is_capitalised(value, 2, 3)])
    if pairs >= (SEVERAL if is_id else max(SEVERAL, n_values * 0.5)):
        return pairs
    if is_id:
        dotted = sum(1 for value in values if _DOTTED.fullmatch(value))
        single = [value for value in values if _is_capitalised(value, 1, 1)]
        known = sum(1 for value in single if folded(value) in GIVEN_NAMES | SURNAMES)
        is_named = len(single) >= max(SEVERAL, n_values * 0.5) and known >= max(2, len(single) * _KNOWN)
        if dotted >= SEVERAL or is_named:
            return max(dotted, len(single) if is_named else 0)
    return 0


def _count_pairs(pairs: list[str]) -> int:
    """Count pairs of words unless one word is the same in all: `Client AB` is a label."""
    heads, tails = {value.split()[0] for value in pairs}, {value.split()[-1] for value in pairs}
    return len(pairs) if min(len(heads), len(tails)) > 1 or len(pairs) < SEVERAL else 0


def _is_capitalised(value: str, fewest: int, most: int) -> bool:
    words = value.split()
    return fewest <= len(words) <= most and all(
        _WORD.fullmatch(word) and word[0].isupper() and len(word) > 1 and not _is_mixed(word, is_alone=fewest == 1)
        for word in words
    )


def _is_mixed(word: str, *, is_alone: bool) -> bool:
    """Whether capitals stand in it as in no name: a code alone in capitals, or several among small letters."""
    capitals = sum(map(str.isupper, word))
    return is_alone if word.isupper() else capitals > _CAPITALS
