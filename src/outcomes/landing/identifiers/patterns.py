"""Values that look like direct identifiers or free text, told apart from pseudonyms."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from outcomes.landing.identifiers.chance import SEVERAL
from outcomes.landing.identifiers.check_digits import is_nhs_number
from outcomes.landing.identifiers.contacts import BORN_ON, CALL, HIDDEN_MAIL, PLACE, PROFILE
from outcomes.landing.identifiers.days_inside import born
from outcomes.landing.identifiers.issuers import issued_numbers
from outcomes.landing.identifiers.name_parts import count_name_parts
from outcomes.landing.identifiers.numbers import BIRTH, NHS, PHONE, POSTCODE, Sighting, carried_numbers
from outcomes.landing.identifiers.person_names import count_names, is_person

# Pseudonyms as institutions make them: letters and a short number, UUIDs, hexadecimal hashes. They are never searched.
# Short numbers only: 8 digits may be a date, 9 and more a number that a person carries.
SAFE_VALUE = (
    r"[A-Za-z]{0,12}[-_.]?[0-9]{1,7}|[A-Za-z]{1,12}[-_][A-Za-z]{0,4}[0-9]{1,12}"
    r"|[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
    r"|[0-9a-f]*[a-f][0-9a-f]{15,}|[0-9A-F]*[A-F][0-9A-F]{15,}"
)
# One word of letters and digits in any mixture, longer than a postcode: no pattern below can fit it, so looking at each
# would find nothing and cost seconds. It must match both, and none of `TIGHT_FORMS`.
MIXED_VALUE = (r"[A-Za-z0-9_-]{8,}", r".*([A-Za-z].*[0-9]|[0-9].*[A-Za-z]).*")

EMAIL = "e-mail addresses"
SSN = "social security numbers"
ADDRESS = "postal addresses"
COORDINATES = "places on the map"
NETWORK = "addresses on the network"
LINK = "links and handles"
NAME = "names of persons"
FREE_TEXT = "free text"

# One value of these forms is enough.
_MATCHERS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (EMAIL, re.compile(r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}")),
    (SSN, re.compile(r"(?!000|666|9\d\d)\d{3}[- ](?!00)\d{2}[- ](?!0000)\d{4}")),
    (PHONE, re.compile(r"\+\d[\d ()/.-]{6,18}\d|(?=(\D*\d){10})\(?0[1-9]\d{1,4}\)?[ /-]\d{3,8}([ -]\d{2,6})?"
                       r"|\(?[2-9]\d{2}\)?[ .-]\d{3}[.-]\d{4}|0[1-9]([ .-]\d\d){4}|06[ -]\d{8}"
                       r"|\(0\d{2,4}\) ?\d{3,4} \d{4}"
                       r"|0\d{1,3}[ -]\d{2,3} \d\d \d\d|00[1-9]\d{0,2}[ -]\d{2,5}[ -]?\d{4,9}")),
    (POSTCODE, re.compile(r"[A-Za-z]{1,2}\d[A-Za-z\d]? \d[A-Za-z]{2}|[A-CEGHJ-NPR-TVXY]\d[A-Z] \d[A-Z]\d"
                          r"|[1-9]\d{3} [A-Z]{2}"
                          r"|\d{5} [^\W\d_a-z][^\W\d_]{2,}(?:[ -][^\W\d_]+)*")),
    (BIRTH, re.compile(r"(19|20)\d\d([-/.])(0?[1-9]|1[0-2])\2(0?[1-9]|[12]\d|3[01])([ T]00:00(:00)?)?"
                       r"|(0?[1-9]|[12]\d|3[01])([-/.])(0?[1-9]|[12]\d|3[01])\8(19|20)\d\d")),
    (COORDINATES, re.compile(r"-?\d{1,2}\.\d{3,}[,; ]+-?\d{1,3}\.\d{3,}")),
    (NETWORK, re.compile(r"(?:[0-9a-fA-F]{1,4}:){5,7}[0-9a-fA-F]{1,4}"
                         r"|(?:[0-9a-fA-F]{1,4}:){1,6}(?::[0-9a-fA-F]{1,4}){1,6}"
                         r"|(?:[0-9a-fA-F]{2}[:-]){5}[0-9a-fA-F]{2}")),
    (LINK, re.compile(r"(?:https?|ftp)://\S+|www\.\S+\.\S+|@[A-Za-z][\w.]{2,}")),
    (EMAIL, HIDDEN_MAIL),
    (LINK, PROFILE),
    (BIRTH, BORN_ON),
    (PHONE, CALL),
)  # fmt: skip
_STREET = re.compile(
    r"(?i)\b\d{1,4}[a-z]?,? (?:\S+ ){1,3}(?:street|st|road|rd|lane|ln|avenue|ave|close|drive|dr|blvd|way|court|crescent"
    r"|terrace|gardens|grove|place)\b"
    r"|\b\d{1,4},? (?:bis |ter )?(?:rue|avenue|boulevard|place|chemin|allée|impasse|quai)\b"
    r"|\b(?:calle|avenida|avda|plaza|paseo|via|viale|piazza|corso|rua|travessa|ul)\b\.? .+ \d{1,4}\b"
    r"|\w(?:straße|strasse|str\.|gasse|allee|platz|weg|straat|laan|plein|gracht|kade|gatan|vägen|gränd|vej|gade)"
    r" \d{1,4}\b"
)
_MONTH = re.compile(
    r"(?i)(?:(\d{1,2})(?:\.|st|nd|rd|th)?[ -]?)?(jan|feb|mär|mar|apr|mai|may|maj|mei|jun|jui|jul|aug|aoû|ago|sep|set"
    r"|okt|oct|out|nov|dez|dec|dic|dés|déc)[^\W\d_]*\.?[ -](\d{1,2}(?:st|nd|rd|th)?, ?)?((?:19|20)?\d\d)"
)
_IPV4 = re.compile(r"(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})")
_NHS_SPACED = re.compile(r"\d{3}[- ]\d{3}[- ]\d{4}")
# Formats that pseudonyms share: they count only where most values of the column have them.
_MOBILE = re.compile(r"07\d{9}|0\d{10}")
_ZIP_PLUS = re.compile(r"\d{5}-\d{4}")
_DUTCH_TIGHT = re.compile(r"[1-9]\d{3}(?!SA|SD|SS)[A-Z]{2}")
SAMPLE = 500
"""Values of a column in which habits are sought; drawn by their hash where there are more."""
LONGEST_SEARCHED = 2000  # characters of a value; identifiers stand early or the value is free text
_MISPLACED_DATES = 0.2  # share of dates where numbers belong; fewer are rows whose cells slipped
_PHRASE_WORDS = 4  # a code or a name of a place has fewer; several phrases are free text
_SENTENCE_WORDS = 8  # one sentence is


def sightings(
    values: Iterable[str],
    n_values: int,
    *,
    is_id: bool = False,
    is_date: bool = False,
    is_place: bool = False,
    sample: Sequence[str] = (),
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
    sample : sequence of str
        Some of the distinct values, plain pseudonyms among them, in which habits of the whole column are sought.
    """
    values = list(values)
    counts: Counter[str] = Counter()
    for value in values:
        if pattern := _pattern(value):
            counts[pattern] += 1
    if is_date or (not is_id and counts[BIRTH] < max(SEVERAL, n_values * _MISPLACED_DATES)):
        del counts[BIRTH]
    if counts[FREE_TEXT] < SEVERAL and not any(len(value.split()) >= _SENTENCE_WORDS for value in values):
        del counts[FREE_TEXT]
    found = [Sighting(pattern, count) for pattern, count in counts.items() if count]
    of_the_column = carried_numbers(values, is_date=is_date) + _by_share(values, n_values)
    if names := count_names(values, n_values, is_id=is_id, is_place=is_place):
        of_the_column.append(Sighting(NAME, names))
    searched = list(dict.fromkeys([*sample, *values[:SAMPLE]]))
    of_the_column += _habits(searched, is_id=is_id, is_date=is_date, is_place=is_place)
    for sighting in of_the_column:
        if sighting.pattern not in {known.pattern for known in found}:
            found.append(sighting)
    return found


def _habits(values: Sequence[str], *, is_id: bool, is_date: bool, is_place: bool) -> list[Sighting]:
    """Find what only a whole column tells: numbers of issuers, birthdays and names inside codes."""
    if is_date:
        return []
    found = issued_numbers(values) + born(values)
    if not is_place and (names := count_name_parts(values, is_id=is_id)):
        found.append(Sighting(NAME, names))
    return found


def _pattern(value: str) -> str | None:
    if _NHS_SPACED.fullmatch(value) and is_nhs_number(re.sub(r"\D", "", value)):
        return NHS
    for pattern, matcher in _MATCHERS:
        if matcher.fullmatch(value):
            return pattern
    if EMAIL_INSIDE.search(value):
        return EMAIL
    if _is_day_in_words(value):
        return BIRTH
    if _STREET.search(value) or PLACE.search(value):
        return ADDRESS
    if is_person(value):
        return NAME
    words = value.split()
    return FREE_TEXT if len(words) >= _PHRASE_WORDS and sum(word.isalpha() for word in words) >= 3 else None


EMAIL_INSIDE = re.compile(r"[\w.+-]+@[\w-]+\.[A-Za-z]{2,}")


def _is_day_in_words(value: str) -> bool:
    """Whether it is a day, month and year with the month's name; a month and year alone are not."""
    found = _MONTH.fullmatch(value)
    return bool(found and (found[1] or found[3]))


def _by_share(values: list[str], n_values: int) -> list[Sighting]:
    """Find formats that pseudonyms share with identifiers: only a column full of them is one of identifiers."""
    found = []
    for pattern, matcher in ((PHONE, _MOBILE), (POSTCODE, _ZIP_PLUS), (POSTCODE, _DUTCH_TIGHT)):
        count = sum(1 for value in values if matcher.fullmatch(value))
        if count >= max(SEVERAL, n_values * 0.5):
            found.append(Sighting(pattern, count))
    addresses = [list(map(int, match.groups())) for match in map(_IPV4.fullmatch, values) if match]
    if (
        len(addresses) >= SEVERAL
        and all(max(numbers) <= 255 for numbers in addresses)
        and sum(max(numbers) > 99 for numbers in addresses) * 2 >= len(addresses)
    ):
        found.append(Sighting(NETWORK, len(addresses)))
    return found
