"""Values that look like direct identifiers or free text, told apart from pseudonyms."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

# Pseudonyms as institutions make them: letters and a short number, UUIDs, hexadecimal hashes. They are never searched.
# Short numbers only: 8 digits may be a date, 9 and more a number that a person carries.
SAFE_VALUE = (
    r"[A-Za-z]{0,12}[-_.]?[0-9]{1,7}|[A-Za-z]{1,12}[-_][A-Za-z]{0,4}[0-9]{1,12}"
    r"|[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
    r"|[0-9a-f]*[a-f][0-9a-f]{15,}|[0-9A-F]*[A-F][0-9A-F]{15,}"
)
# One word of letters and digits in any mixture, longer than a postcode: no pattern below can fit it, so looking at each
# would find nothing and cost seconds. It must match both.
MIXED_VALUE = (r"[A-Za-z0-9_-]{8,}", r".*([A-Za-z].*[0-9]|[0-9].*[A-Za-z]).*")

EMAIL = "e-mail addresses"
PHONE = "phone numbers"
NHS = "NHS numbers"
SSN = "social security numbers"
POSTCODE = "postcodes"
BIRTH = "full dates, as of birth"
NAME = "names of persons"
FREE_TEXT = "free text"

_MATCHERS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (EMAIL, re.compile(r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}")),
    (SSN, re.compile(r"(?!000|666|9\d\d)\d{3}[- ](?!00)\d{2}[- ](?!0000)\d{4}")),
    (PHONE, re.compile(r"\+\d[\d ()/.-]{6,18}\d|(?=(\D*\d){10})\(?0[1-9]\d{1,4}\)?[ /-]\d{3,8}([ -]\d{2,6})?"
                       r"|\(?[2-9]\d{2}\)?[ .-]\d{3}[.-]\d{4}")),
    (POSTCODE, re.compile(r"[A-Za-z]{1,2}\d[A-Za-z\d]? \d[A-Za-z]{2}")),
    (BIRTH, re.compile(r"(19|20)\d\d([-/.])(0?[1-9]|1[0-2])\2(0?[1-9]|[12]\d|3[01])([ T]00:00(:00)?)?"
                       r"|(0?[1-9]|[12]\d|3[01])([-/.])(0?[1-9]|[12]\d|3[01])\8(19|20)\d\d")),
)  # fmt: skip
_NHS_SPACED = re.compile(r"\d{3}[- ]\d{3}[- ]\d{4}")
# Formats that pseudonyms share: they count only where most values of the column have them.
_MOBILE = re.compile(r"07\d{9}|0\d{10}")
_ZIP_PLUS = re.compile(r"\d{5}-\d{4}")
_POSTCODE_TIGHT = re.compile(r"[A-Za-z]{1,2}\d[A-Za-z\d]?\d[A-Za-z]{2}")
_WORD = re.compile(r"[^\W\d_][^\W\d_'’.-]*(?:['’-][^\W\d_]+)*\.?,?")
_TITLES_TEXT = """
    mr mrs ms miss dr prof herr frau mme monsieur madame señor señora sr sra
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
LONGEST_SEARCHED = 2000  # characters of a value; identifiers stand early or the value is free text
_SEVERAL = 3  # one or two odd values are slips of the pen
_MISPLACED_DATES = 0.2  # share of dates where numbers belong; fewer are rows whose cells slipped
_PHRASE_WORDS = 4  # a code or a name of a place has fewer; several phrases are free text
_SENTENCE_WORDS = 8  # one sentence is


@dataclass(frozen=True)
class Sighting:
    """How many distinct values of a column look like one kind of identifier."""

    pattern: str
    count: int


def sightings(
    values: Iterable[str], n_values: int, *, is_id: bool = False, is_date: bool = False, is_place: bool = False
) -> list[Sighting]:
    """Search the distinct values of one column.

    Parameters
    ----------
    values : iterable of str
        Distinct values that are not plainly pseudonyms.
    n_values : int
        Values of the column in all (distinct ones of an id column), pseudonyms included; the base of every share.
    is_id : bool
        The column holds ids, where not even one date belongs.
    is_date : bool
        The column is declared as one of dates, so that dates in it are not dates of birth.
    is_place : bool
        The column names practices, so that capitalised words without a given name are not names of persons.
    """
    values = list(values)
    counts: Counter[str] = Counter()
    for value in values:
        if pattern := _pattern(value):
            counts[pattern] += 1
    if is_date or (not is_id and counts[BIRTH] < max(_SEVERAL, n_values * _MISPLACED_DATES)):
        del counts[BIRTH]
    if counts[FREE_TEXT] < _SEVERAL and not any(len(value.split()) >= _SENTENCE_WORDS for value in values):
        del counts[FREE_TEXT]
    found = [Sighting(pattern, count) for pattern, count in counts.items() if count]
    return found + [sighting for sighting in _by_share(values, n_values, is_place) if not counts[sighting.pattern]]


def _pattern(value: str) -> str | None:
    if _NHS_SPACED.fullmatch(value) and is_nhs_number(re.sub(r"\D", "", value)):
        return NHS
    for pattern, matcher in _MATCHERS:
        if matcher.fullmatch(value):
            return pattern
    if EMAIL_INSIDE.search(value):
        return EMAIL
    words = value.split()
    if 2 <= len(words) <= 4 and all(_WORD.fullmatch(word) for word in words):
        plain = [word.strip(".,").casefold() for word in words]
        if plain[0] in _TITLES or any(word in _GIVEN_NAMES for word in plain):
            return NAME
    return FREE_TEXT if len(words) >= _PHRASE_WORDS and sum(word.isalpha() for word in words) >= 3 else None


EMAIL_INSIDE = re.compile(r"[\w.+-]+@[\w-]+\.[A-Za-z]{2,}")


def _by_share(values: list[str], n_values: int, is_place: bool) -> list[Sighting]:
    """Find formats that pseudonyms share with identifiers: only a column full of them is one of identifiers."""
    found = []
    tens = [value for value in values if len(value) == 10 and value.isascii() and value.isdigit()]
    passing = sum(map(is_nhs_number, tens))
    if passing >= 3 and passing >= len(tens) * (0.6 if len(tens) >= 10 else 1):
        found.append(Sighting(NHS, passing))
    for pattern, matcher, share in (
        (PHONE, _MOBILE, 0.5),
        (POSTCODE, _ZIP_PLUS, 0.5),
        (POSTCODE, _POSTCODE_TIGHT, 0.5),
    ):
        count = sum(1 for value in values if matcher.fullmatch(value))
        if count >= max(3, n_values * share):
            found.append(Sighting(pattern, count))
    compact = sum(1 for value in values if _is_compact_date(value))
    if compact >= max(20, n_values * 0.9):
        found.append(Sighting(BIRTH, compact))
    given = sum(1 for value in values if value.casefold() in _GIVEN_NAMES)
    if given >= max(3, n_values * 0.2):
        found.append(Sighting(NAME, given))
    elif not is_place:
        capitalised = sum(1 for value in values if _is_capitalised_pair(value))
        if capitalised >= max(3, n_values * 0.5):
            found.append(Sighting(NAME, capitalised))
    return found


def is_nhs_number(digits: str) -> bool:
    """Check the last digit of ten by modulus 11 (NHS Data Dictionary, NHS NUMBER)."""
    if len(digits) != 10 or not digits.isdigit() or len(set(digits)) == 1:
        return False
    remainder = 11 - sum(int(digit) * weight for digit, weight in zip(digits, range(10, 1, -1), strict=False)) % 11
    return (0 if remainder == 11 else remainder) == int(digits[9])


def _is_compact_date(value: str) -> bool:
    if len(value) != 8 or not (value.isascii() and value.isdigit()):
        return False
    try:
        return 1900 <= date(int(value[:4]), int(value[4:6]), int(value[6:])).year <= 2100
    except ValueError:
        return False


def _is_capitalised_pair(value: str) -> bool:
    words = value.split()
    return 2 <= len(words) <= 3 and all(_WORD.fullmatch(word) and word[0].isupper() and len(word) > 1 for word in words)
