"""The rules by which issuers make numbers of persons: check digits, check letters, birthdays inside.

Sources: NHS Data Dictionary (NHS NUMBER); the published specifications of BSN, PESEL, fødselsnummer, personnummer,
HETU, DNI, codice fiscale, NIR, CPF, SVNR, AHV, KVNR, Steuer-ID, Medicare, SIN; ISO 13616 (IBAN).
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from datetime import date

_HETU_SIGNS = "0123456789ABCDEFHJKLMNPRSTUVWXY"
_DNI_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"
_ODD_TEXT = "1 0 5 7 9 13 15 17 19 21 2 4 18 20 11 3 6 8 12 14 16 10 22 25 24 23"
_ODD_VALUES = tuple(map(int, _ODD_TEXT.split()))  # codice fiscale: of A to Z at odd places; of 0 to 9 the first ten


def weighted(digits: str, weights: Sequence[int]) -> int:
    """Sum digits times weights."""
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False))


def is_nhs_number(digits: str) -> bool:
    """Check the last digit of ten by modulus 11 (NHS Data Dictionary, NHS NUMBER); CHI numbers have the same."""
    if len(digits) != 10 or not digits.isdigit() or len(set(digits)) == 1:
        return False
    return -weighted(digits, range(10, 1, -1)) % 11 == int(digits[9])


def is_bsn(digits: str) -> bool:
    """Netherlands: nine digits."""
    return weighted(digits, [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 == 0 and len(set(digits)) > 1


def is_pesel(digits: str) -> bool:
    """Poland: birthday (the century is in the month) and check digit."""
    month = int(digits[2:4]) % 20
    return (
        weighted(digits, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]) % 10 == 0
        and is_day(digits[4:6], f"{month:02d}", digits[:2])
    )  # fmt: skip


def is_foedselsnummer(digits: str) -> bool:
    """Norway: birthday and two check digits."""
    return (
        is_day(digits[:2], digits[2:4], digits[4:6])
        and weighted(digits, [3, 7, 6, 1, 8, 9, 4, 5, 2, 1]) % 11 == 0
        and weighted(digits, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]) % 11 == 0
    )


def is_steuer_id(digits: str) -> bool:
    """Germany: eleven digits by ISO 7064 MOD 11,10."""
    product = 10
    for digit in digits[:10]:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return digits[0] != "0" and (11 - product) % 10 == int(digits[10])


def is_cpf(digits: str) -> bool:
    """Brazil: two check digits."""
    first = -weighted(digits, range(10, 1, -1)) % 11 % 10
    second = -weighted(digits, range(11, 1, -1)) % 11 % 10
    return digits[9:] == f"{first}{second}" and len(set(digits)) > 1


def is_nir(digits: str) -> bool:
    """France: sex, year, month, place, and a key of 97."""
    return digits[0] in "12" and (int(digits[:13]) + int(digits[13:])) % 97 == 0


def is_medicare(digits: str) -> bool:
    """Australia: the ninth digit checks the first eight."""
    return digits[0] in "23456" and weighted(digits, [1, 3, 7, 9, 1, 3, 7, 9]) % 10 == int(digits[8])


def is_svnr(digits: str) -> bool:
    """Austria: the fourth digit checks serial and birthday."""
    is_checked = weighted(digits[:3] + digits[4:], [3, 7, 9, 5, 8, 4, 2, 1, 6]) % 11 == int(digits[3])
    return is_checked and is_day(digits[4:6], digits[6:8], digits[8:])


def is_personnummer(digits: str) -> bool:
    """Sweden: birthday and Luhn's check digit."""
    return is_day(digits[4:6], digits[2:4], digits[:2]) and is_luhn(digits)


def is_rodne_cislo(digits: str) -> bool:
    """Czechia and Slovakia: birthday, 50 added to the month of women."""
    return is_day(digits[4:6], f"{int(digits[2:4]) % 50:02d}", digits[:2])


def is_cpr(digits: str) -> bool:
    """Denmark: birthday and four digits, no longer with a check digit."""
    return is_day(digits[:2], digits[2:4], digits[4:6])


def is_hetu(text: str) -> bool:
    """Finland: birthday, sign of the century, serial, check letter."""
    is_checked = _HETU_SIGNS[int(text[:6] + text[7:10]) % 31] == text[10]
    return is_checked and is_day(text[:2], text[2:4], text[4:6])


def is_dni(text: str) -> bool:
    """Spain: eight digits and a letter; foreigners have X, Y or Z for the first digit."""
    number = text[:-1].translate(str.maketrans("XYZ", "012"))
    return number.isdigit() and _DNI_LETTERS[int(number) % 23] == text[-1]


def is_nino(text: str) -> bool:
    """United Kingdom: prefixes that are given out, a suffix from A to D."""
    first, second = text[:2]
    return first not in "DFIQUV" and second not in "DFIQUVO" and text[-1] in "ABCD"


def is_codice_fiscale(text: str) -> bool:
    """Italy: the last letter checks the rest."""
    total = 0
    for place, sign in enumerate(text[:15]):
        value = int(sign) if sign.isdigit() else string.ascii_uppercase.index(sign)
        total += value if place % 2 else _ODD_VALUES[value]
    return string.ascii_uppercase[total % 26] == text[15]


def is_kvnr(text: str) -> bool:
    """Germany, health insurance: letter as two digits, eight digits, check digit."""
    number = f"{ord(text[0]) - 64:02d}{text[1:9]}"
    return sum(sum(divmod(int(digit) * (1 + place % 2), 10)) for place, digit in enumerate(number)) % 10 == int(text[9])


def is_ahv(digits: str) -> bool:
    """Switzerland: 756 and the check digit of EAN-13."""
    return digits.startswith("756") and weighted(digits, [1, 3] * 6 + [1]) % 10 == 0


def is_iban(text: str) -> bool:
    """Account numbers: modulus 97."""
    moved = text[4:] + text[:4]
    return int("".join(str(int(sign, 36)) for sign in moved)) % 97 == 1


def is_luhn(digits: str) -> bool:
    """Check the last digit by Luhn's rule."""
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits)))
    return sum(value // 10 + value % 10 for value in doubled) % 10 == 0


def is_day(day: str, month: str, year: str) -> bool:
    """Whether there is such a day; a year of two digits may be of any century."""
    try:
        return 1900 <= date(int(year) if len(year) == 4 else 2000 + int(year), int(month), int(day)).year <= 2100
    except ValueError:
        return False
