"""Names of persons inside ids: logins (`jsmith`, `anna_mueller`), names with a number, names in other scripts."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

from outcomes.landing.identifiers.chance import SEVERAL
from outcomes.landing.identifiers.known_names import GIVEN_NAMES, SURNAMES, WORDS_TOO, folded

_WORDS = re.compile(r"[^\W\d_]+")
_CAMEL = re.compile(r"(?<=[a-zß-ÿ])(?=[A-ZÀ-Þ])")
_NAMES = (GIVEN_NAMES | SURNAMES) - WORDS_TOO
_SHORTEST = 4  # letters of a name that is looked for inside a word; three letters stand in words by chance
_CONSTANT = 0.5  # share of the values that begin or end with the same word: a label, `client 12`
_SHARE = 0.3  # of the values that have letters beside such labels
_LATIN_ENDS = 0x250  # code point behind the letters of Latin and its extensions
_VIETNAMESE = range(0x1E00, 0x1F00)


def count_name_parts(values: Sequence[str], *, is_id: bool) -> int:
    """Count the values of a column in which a frequent name stands, or letters of another script in ids.

    Parameters
    ----------
    values : sequence of str
        Distinct values of one column.
    is_id : bool
        The column holds ids; in other columns words of other scripts are answers.
    """
    words = {value: _WORDS.findall(_CAMEL.sub(" ", unicodedata.normalize("NFKC", value))) for value in values}
    labels = _labels(words)
    rest = {value: kept for value, all_ in words.items() if (kept := [word for word in all_ if word not in labels])}
    named = {value for value, kept in rest.items() if any(map(_is_named, kept))}
    base = sum(1 for kept in rest.values() if max(map(len, kept)) >= SEVERAL)
    if len(named) >= max(SEVERAL, base * _SHARE) and len({tuple(rest[value]) for value in named}) >= SEVERAL:
        return len(named)
    return _count_other_scripts(rest) if is_id else 0


def _labels(words: dict[str, list[str]]) -> set[str]:
    """Return the words that most values share."""
    counts = Counter(word for all_ in words.values() for word in set(all_))
    return {word for word, count in counts.items() if count > max(SEVERAL, len(words) * _CONSTANT)}


def _is_named(word: str) -> bool:
    plain = folded(word)
    if len(plain) < SEVERAL:
        return False
    if plain in _NAMES:
        return True
    for cut in range(1, len(plain)):
        head, tail = plain[:cut], plain[cut:]
        if (cut == 1 or head in GIVEN_NAMES) and len(tail) >= _SHORTEST and tail in SURNAMES:
            return True
        if len(tail) == 1 and len(head) >= _SHORTEST and head in _NAMES:
            return True
    return False


def _count_other_scripts(rest: dict[str, list[str]]) -> int:
    names = {tuple(kept) for kept in rest.values() if sum(map(_other_letters, kept)) > 1}
    return len(names) if len(names) >= SEVERAL else 0


def _other_letters(word: str) -> int:
    return sum(1 for sign in word if ord(sign) >= _LATIN_ENDS and ord(sign) not in _VIETNAMESE)
