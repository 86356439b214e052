"""Numbers of persons, built by their issuers' own rules from birthdays, serials and check digits."""

from __future__ import annotations

import datetime
import string
from collections.abc import Callable
from random import Random


def digits(draw: Random, n: int) -> str:
    return "".join(draw.choices(string.digits, k=n))


def letters(draw: Random, n: int) -> str:
    return "".join(draw.choices(string.ascii_uppercase, k=n))


def birthday(draw: Random) -> datetime.date:
    return datetime.date(1935, 1, 1) + datetime.timedelta(days=draw.randrange(70 * 365))


def _weighted(digits: str, weights: list[int]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True))


def _until(draw: Random, make: Callable[[Random], str | None]) -> str:
    """Draw again where the issuer skips a number."""
    while (made := make(draw)) is None:
        pass
    return made


def nhs(draw: Random) -> str:
    def make(draw: Random) -> str | None:
        body = str(draw.randrange(4, 8)) + digits(draw, 8)
        check = 11 - _weighted(body, list(range(10, 1, -1))) % 11
        return None if check == 10 else body + str(check % 11)

    return _until(draw, make)


def chi(draw: Random) -> str:
    """Community Health Index (Scotland): birthday, serial, check digit as for the NHS number."""

    def make(draw: Random) -> str | None:
        body = f"{birthday(draw):%d%m%y}{digits(draw, 3)}"
        check = 11 - _weighted(body, list(range(10, 1, -1))) % 11
        return None if check == 10 else body + str(check % 11)

    return _until(draw, make)


def nino(draw: Random) -> str:
    return (
        draw.choice("ABCEGHJKLMNPRSTWXYZ") + draw.choice("ABCEGHJKLMNPRSTWXYZ") + digits(draw, 6) + draw.choice("ABCD")
    )


def ssn(draw: Random) -> str:
    return f"{draw.randrange(1, 666):03d}{draw.randrange(1, 100):02d}{draw.randrange(1, 10000):04d}"


def bsn(draw: Random) -> str:
    def make(draw: Random) -> str | None:
        body = str(draw.randrange(1, 10)) + digits(draw, 7)
        check = _weighted(body, list(range(9, 1, -1))) % 11
        return None if check == 10 else body + str(check)

    return _until(draw, make)


def pesel(draw: Random) -> str:
    body = f"{birthday(draw):%y%m%d}{digits(draw, 4)}"
    return body + str(-_weighted(body, [1, 3, 7, 9] * 2 + [1, 3]) % 10)


def luhn(body: str) -> str:
    doubled = [int(digit) * (2 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(body))]
    return body + str(-sum(value // 10 + value % 10 for value in doubled) % 10)


def personnummer(draw: Random) -> str:
    return luhn(f"{birthday(draw):%y%m%d}{digits(draw, 3)}")


def cpr(draw: Random) -> str:
    return f"{birthday(draw):%d%m%y}{digits(draw, 4)}"


def hetu(draw: Random) -> str:
    born, serial = birthday(draw), f"{draw.randrange(2, 900):03d}"
    sign = "A" if born.year >= 2000 else "-"
    check = "0123456789ABCDEFHJKLMNPRSTUVWXY"[int(f"{born:%d%m%y}{serial}") % 31]
    return f"{born:%d%m%y}{sign}{serial}{check}"


def foedselsnummer(draw: Random) -> str:
    def make(draw: Random) -> str | None:
        body = f"{birthday(draw):%d%m%y}{digits(draw, 3)}"
        first = -_weighted(body, [3, 7, 6, 1, 8, 9, 4, 5, 2]) % 11
        second = -_weighted(body + str(first % 10), [5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11
        return None if 10 in (first, second) else f"{body}{first}{second}"

    return _until(draw, make)


def dni(draw: Random) -> str:
    number = digits(draw, 8)
    return number + "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23]


def nie(draw: Random) -> str:
    """Spain, foreigners: X, Y or Z counts as 0, 1 or 2."""
    first, number = draw.choice("XYZ"), digits(draw, 7)
    return first + number + "TRWAGMYFPDXBNJZSQVHLCKE"[int(f"{'XYZ'.index(first)}{number}") % 23]


def codice_fiscale(draw: Random) -> str:
    odd = dict(zip("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", [
        1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16,
        10, 22, 25, 24, 23], strict=True))  # fmt: skip
    even = {sign: place for place, sign in enumerate(string.digits)}
    even |= {sign: place for place, sign in enumerate(string.ascii_uppercase)}
    born = birthday(draw)
    day = f"{born:%y}{'ABCDEHLMPRST'[born.month - 1]}{born.day:02d}"
    body = f"{letters(draw, 6)}{day}{draw.choice('ABCDEFGHL')}{digits(draw, 3)}"
    total = sum((odd if place % 2 == 0 else even)[sign] for place, sign in enumerate(body))
    return body + string.ascii_uppercase[total % 26]


def nir(draw: Random) -> str:
    born = birthday(draw)
    body = f"{draw.choice('12')}{born:%y%m}{draw.randrange(1, 96):02d}{digits(draw, 6)}"
    return f"{body}{97 - int(body) % 97:02d}"


def steuer_id(draw: Random) -> str:
    """German tax number: ISO 7064 MOD 11,10."""
    body, product = str(draw.randrange(1, 10)) + digits(draw, 9), 10
    for digit in body:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return body + str((11 - product) % 10)


def kvnr(draw: Random) -> str:
    """German health insurance: a letter and nine digits, the last a check digit."""
    letter, body = draw.choice(string.ascii_uppercase), digits(draw, 8)
    number = f"{ord(letter) - 64:02d}{body}"
    total = sum(sum(divmod(int(digit) * (1 + place % 2), 10)) for place, digit in enumerate(number))
    return f"{letter}{body}{total % 10}"


def svnr(draw: Random) -> str:
    """Austria: serial, check digit, birthday."""

    def make(draw: Random) -> str | None:
        serial, born = f"{draw.randrange(100, 1000)}", f"{birthday(draw):%d%m%y}"
        check = _weighted(serial + born, [3, 7, 9, 5, 8, 4, 2, 1, 6]) % 11
        return None if check == 10 else f"{serial}{check}{born}"

    return _until(draw, make)


def ahv(draw: Random) -> str:
    """Switzerland: 756 and an EAN-13 check digit."""
    body = "756" + digits(draw, 9)
    return body + str(-_weighted(body, [1, 3] * 6) % 10)


def cpf(draw: Random) -> str:
    body = digits(draw, 9)
    for start in (10, 11):
        check = 11 - _weighted(body, list(range(start, 1, -1))) % 11
        body += str(0 if check > 9 else check)
    return body


def medicare(draw: Random) -> str:
    """Australia: eight digits, a check digit, an issue number."""
    body = str(draw.randrange(2, 7)) + digits(draw, 7)
    return f"{body}{_weighted(body, [1, 3, 7, 9, 1, 3, 7, 9]) % 10}{draw.randrange(1, 5)}"


def iban(draw: Random) -> str:
    bank = digits(draw, 18)
    check = 98 - int(bank + "131400") % 97
    return f"DE{check:02d}{bank}"


def spaced(number: str, *sizes: int, mark: str = " ") -> str:
    parts, place = [], 0
    for size in sizes:
        parts.append(number[place : place + size])
        place += size
    return mark.join(parts)
