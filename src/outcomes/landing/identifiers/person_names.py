"""Values that read like names of persons: by the given name, by the title, or by how names are written in a column."""

from __future__ import annotations

import re
from collections.abc import Sequence

_WORD = re.compile(r"[^\W\d_][^\W\d_'’.-]*(?:['’-][^\W\d_]+)*\.?,?")
_INITIALS = re.compile(
    r"(?:[^\W\d_]\. ?){1,3}[^\W\d_a-z][^\W\d_'’-]{2,}|[^\W\d_a-z][^\W\d_'’-]{2,},? (?:[^\W\d_]\. ?){1,3}"
)
_DOTTED = re.compile(r"[^\W\d_]{2,}\.[^\W\d_'’-]{3,}")
_TITLES_TEXT = """
    mr mrs ms miss dr prof herr frau mme monsieur madame señor señora sr sra sig signora dhr mevr pan pani hr fru
"""
_TITLES = frozenset(_TITLES_TEXT.split())
_GIVEN_NAMES_TEXT = """
    adam adrian ahmed aisha alan albert alejandro alex alexander alexandra alice alison amanda amelia amy ana andrea
    andreas andrew angela anja anna anne anthony antonio anton astrid barbara beatrice ben benjamin bernd birgit brian
    bruno camille carla carlos carmen caroline catherine charles charlotte chloe chris christian christina christine
    christopher claire clara claudia daniel daniela david deborah dennis diana diego dominic donald dorothy edward
    elena elisabeth elizabeth ella emily emma eric erik erika eva fatima felix fernando fiona florian francesca
    francesco frank franziska gabriel george georgia gerhard giulia giuseppe grace greta hannah hans harry heather
    heike helen helena henry ian ines ingrid isabel isabella jack jacob jakob james jan jane janet jason javier jean
    jennifer jessica joanna johan johannes john jonas jonathan jose joseph joshua juan judith julia julian julie
    jürgen karen karin karl karolina katarina kate katharina katherine kathleen kelly kenneth kevin klaus laura lauren
    lea lena leon leonie lewis liam lina linda lisa louis louise luca lucas lucia lucy luis luisa lukas magdalena
    manfred manuel marco margaret maria mariam marie mario mark markus marta martha martin martina mary matteo matthew
    matthias max maximilian megan mehmet melissa mia michael michelle miguel mohamed mohammed monica monika muhammad
    nadia natalie nathan nicholas nicole niklas nina noah nora oliver olivia omar oscar pablo patricia patrick paul
    paula pedro peter petra philip philipp pierre rachel rebecca renate ricardo richard robert rosa rose ruth ryan
    sabine samantha samuel sandra sara sarah sebastian simon sofia sophia sophie stefan stefanie stephanie stephen
    steven susan susanne sven sylvia tanja teresa theresa thomas tim timothy tobias tom ulrich ursula valentina
    vanessa vera veronica victor victoria walter werner william wolfgang yasmin yusuf zoe
"""
_GIVEN_NAMES = frozenset(_GIVEN_NAMES_TEXT.split())

SEVERAL = 3
"""One or two odd values are slips of the pen."""


def is_person(value: str) -> bool:
    """Say whether one value alone reads like a name: initials, a title, or a given name with others."""
    if _INITIALS.fullmatch(value):
        return True
    words = value.split()
    if not (2 <= len(words) <= 4 and all(map(_WORD.fullmatch, words))):
        return False
    plain = [word.strip(".,").casefold() for word in words]
    return plain[0] in _TITLES or any(word in _GIVEN_NAMES for word in plain)


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
    given = sum(1 for value in values if value.casefold() in _GIVEN_NAMES)
    if given >= max(SEVERAL, n_values * 0.2):
        return given
    if is_place:
        return 0
    pairs = sum(1 for value in values if _is_capitalised(value, 2, 3))
    if pairs >= (SEVERAL if is_id else max(SEVERAL, n_values * 0.5)):
        return pairs
    if is_id:
        dotted = sum(1 for value in values if _DOTTED.fullmatch(value))
        single = sum(1 for value in values if _is_capitalised(value, 1, 1))
        if dotted >= SEVERAL or single >= max(SEVERAL, n_values * 0.5):
            return max(dotted, single)
    return 0


def _is_capitalised(value: str, fewest: int, most: int) -> bool:
    words = value.split()
    return fewest <= len(words) <= most and all(
        _WORD.fullmatch(word) and word[0].isupper() and len(word) > 1 and not (fewest == 1 and word.isupper())
        for word in words
    )
