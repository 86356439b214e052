"""Held-out numbers: telephone numbers and numbers of citizens, by the public descriptions of their issuers.

In a template `#` is a digit, `%` a digit from 1 to 9, `@` a capital letter. Check digits are worked out here, from
the descriptions, not by the library that the door uses.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

Maker = Callable[[Random], str]


def shape(*templates: str) -> Maker:
    """Fill one of the templates with digits and letters."""

    def fill(draw: Random) -> str:
        symbols = {"#": "0123456789", "%": "123456789", "@": "ABCDEFGHJKLMNPRSTVWXYZ"}
        return "".join(draw.choice(symbols[sign]) if sign in symbols else sign for sign in draw.choice(templates))

    return fill


def _weighted(digits: str, weights: Sequence[int]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True))


def _luhn(digits: str) -> str:
    doubled = [int(digit) * (2 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits))]
    return str(-sum(value // 10 + value % 10 for value in doubled) % 10)


def _day(draw: Random, order: str) -> str:
    year = draw.randint(1945, 1999)
    parts = {
        "d": f"{draw.randint(1, 28):02d}",
        "m": f"{draw.randint(1, 12):02d}",
        "y": f"{year % 100:02d}",
        "Y": str(year),
    }
    return "".join(parts[sign] for sign in order)


def _digits(draw: Random, n: int) -> str:
    return "".join(draw.choice("0123456789") for _ in range(n))


def _until(make: Callable[[Random], str | None]) -> Maker:
    """Draw again where no check digit exists."""

    def draw_one(draw: Random) -> str:
        while (value := make(draw)) is None:
            pass
        return value

    return draw_one


def _mod11(head: str, weights: Sequence[int]) -> str | None:
    check = _weighted(head, weights) % 11
    return None if check == 10 else head + str(check)


def _negative_mod11(head: str, weights: Sequence[int]) -> str | None:
    check = -_weighted(head, weights) % 11
    return None if check == 10 else head + str(check)


def _finland(draw: Random) -> str:
    day, number = _day(draw, "dmy"), f"{draw.randint(2, 899):03d}"
    return f"{day}-{number}{'0123456789ABCDEFHJKLMNPRSTUVWXY'[int(day + number) % 31]}"


def _sweden(draw: Random) -> str:
    body = _day(draw, "ymd") + _digits(draw, 3)
    return f"{body[:6]}-{body[6:]}{_luhn(body)}"


def _norway(draw: Random) -> str | None:
    one = _negative_mod11(_day(draw, "dmy") + _digits(draw, 3), (3, 7, 6, 1, 8, 9, 4, 5, 2))
    return one and _negative_mod11(one, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2))


def _belgium(draw: Random) -> str:
    day, number = _day(draw, "ymd"), f"{draw.randint(1, 997):03d}"
    return f"{day[:2]}.{day[2:4]}.{day[4:]}-{number}.{97 - int(day + number) % 97:02d}"


def _spain(draw: Random) -> str:
    digits = _digits(draw, 8)
    return digits + "TRWAGMYFPDXBNJZSQVHLCKE"[int(digits) % 23]


def _spain_foreigner(draw: Random) -> str:
    first, digits = draw.randint(0, 2), _digits(draw, 7)
    return f"{'XYZ'[first]}-{digits}-{'TRWAGMYFPDXBNJZSQVHLCKE'[int(f'{first}{digits}') % 23]}"


def _italy(draw: Random) -> str:
    odd = dict(zip("0123456789", (1, 0, 5, 7, 9, 13, 15, 17, 19, 21), strict=True))
    odd |= dict(
        zip(
            "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
            (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23),
            strict=True,
        )
    )
    head = f"{shape('@@@@@@')(draw)}{_day(draw, 'y')}{draw.choice('ABCDEHLMPRST')}{draw.randint(1, 28):02d}H501"
    even = {sign: int(sign) if sign.isdigit() else ord(sign) - 65 for sign in odd}
    total = sum((odd if place % 2 == 0 else even)[sign] for place, sign in enumerate(head))
    return head + chr(65 + total % 26)


def _france(draw: Random) -> str:
    born = f"{draw.randint(1, 2)}{_day(draw, 'ym')}"
    body = f"{born}{draw.randint(1, 89):02d}{draw.randint(1, 600):03d}{draw.randint(1, 400):03d}"
    return f"{body[0]} {body[1:3]} {body[3:5]} {body[5:7]} {body[7:10]} {body[10:]} {97 - int(body) % 97:02d}"


def _poland(draw: Random) -> str:
    body = _day(draw, "ymd") + _digits(draw, 4)
    return body + str(-_weighted(body, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)) % 10)


def _czechia(draw: Random) -> str | None:
    body = _day(draw, "ymd") + _digits(draw, 3)
    check = int(body) % 11
    return None if check == 10 else f"{body[:6]}/{body[6:]}{check}"


def _romania(draw: Random) -> str:
    body = f"{draw.randint(1, 2)}{_day(draw, 'ymd')}{draw.randint(1, 46):02d}{draw.randint(1, 999):03d}"
    check = _weighted(body, (2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9)) % 11
    return body + str(1 if check == 10 else check)


def _bulgaria(draw: Random) -> str:
    body = _day(draw, "ymd") + _digits(draw, 3)
    return body + str(_weighted(body, (2, 4, 8, 5, 10, 9, 7, 3, 6)) % 11 % 10)


def _brazil(draw: Random) -> str:
    body = _digits(draw, 9)
    for first in (10, 11):
        body += str(-_weighted(body, range(first, 1, -1)) % 11 % 10)
    return f"{body[:3]}.{body[3:6]}.{body[6:9]}-{body[9:]}"


def _chile(draw: Random) -> str:
    body = f"{draw.randint(5_000_000, 25_000_000):08d}"
    check = "0123456789K"[-_weighted(body, (3, 2, 7, 6, 5, 4, 3, 2)) % 11]
    return f"{int(body[:2])}.{body[2:5]}.{body[5:]}-{check}"


def _argentina(draw: Random) -> str | None:
    whole = _negative_mod11(f"20{draw.randint(10_000_000, 45_000_000)}", (5, 4, 3, 2, 7, 6, 5, 4, 3, 2))
    return whole and f"{whole[:2]}-{whole[2:10]}-{whole[10]}"


def _china(draw: Random) -> str:
    body = draw.choice(("110101", "310104", "440106")) + _day(draw, "Ymd") + _digits(draw, 3)
    return body + "10X98765432"[_weighted(body, (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)) % 11]


def _taiwan(draw: Random) -> str:
    letter, body = draw.choice("ABCDEFGH"), f"{draw.randint(1, 2)}{_digits(draw, 7)}"
    code = ord(letter) - 55
    total = code // 10 + code % 10 * 9 + _weighted(body, (8, 7, 6, 5, 4, 3, 2, 1))
    return f"{letter}{body}{-total % 10}"


def _hong_kong(draw: Random) -> str:
    letter, body = draw.choice("ABCDEGHKPRVYZ"), _digits(draw, 6)
    total = 36 * 9 + (ord(letter) - 55) * 8 + _weighted(body, (7, 6, 5, 4, 3, 2))
    return f"{letter}{body}({'0123456789A'[-total % 11]})"


def _singapore(draw: Random) -> str:
    body = _digits(draw, 7)
    return f"S{body}{'JZIHGFEDCBA'[_weighted(body, (2, 7, 6, 5, 4, 3, 2)) % 11]}"


def _thailand(draw: Random) -> str:
    body = f"{draw.randint(1, 8)}{_digits(draw, 11)}"
    check = (11 - _weighted(body, range(13, 1, -1)) % 11) % 10
    return f"{body[0]}-{body[1:5]}-{body[5:10]}-{body[10:]}-{check}"


def _turkey(draw: Random) -> str:
    body = f"{draw.randint(1, 9)}{_digits(draw, 8)}"
    digits = [int(sign) for sign in body]
    body += str((sum(digits[::2]) * 7 - sum(digits[1::2])) % 10)
    return body + str(sum(int(sign) for sign in body) % 10)


def _south_africa(draw: Random) -> str:
    body = f"{_day(draw, 'ymd')}{_digits(draw, 4)}08"
    return body + _luhn(body)


def _greece(draw: Random) -> str:
    body = _day(draw, "dmy") + _digits(draw, 4)
    return body + _luhn(body)


def _estonia(draw: Random) -> str | None:
    body = f"{draw.randint(3, 4)}{_day(draw, 'ymd')}{_digits(draw, 3)}"
    return _mod11(body, (1, 2, 3, 4, 5, 6, 7, 8, 9, 1))


def _mod11_10(body: str) -> str:
    rest = 10
    for sign in body:
        rest = ((int(sign) + rest) % 10 or 10) * 2 % 11
    return body + str((11 - rest) % 10)


def _korea(draw: Random) -> str:
    body = f"{_day(draw, 'ymd')}{draw.randint(1, 2)}{_digits(draw, 5)}"
    return f"{body[:6]}-{body[6:]}{(11 - _weighted(body, (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)) % 11) % 10}"


def _ireland(draw: Random) -> str:
    body = _digits(draw, 7)
    return body + "WABCDEFGHIJKLMNOPQRSTUV"[_weighted(body, (8, 7, 6, 5, 4, 3, 2)) % 23]


def _austria(draw: Random) -> str | None:
    number, day = f"{draw.randint(100, 999)}", _day(draw, "dmy")
    check = (_weighted(number, (3, 7, 9)) + _weighted(day, (5, 8, 4, 2, 1, 6))) % 11
    return None if check == 10 else f"{number}{check} {day}"


def _switzerland(draw: Random) -> str:
    body = f"756{_digits(draw, 9)}"
    whole = body + str(-_weighted(body, (1, 3) * 6) % 10)
    return f"{whole[:3]}.{whole[3:7]}.{whole[7:11]}.{whole[11:]}"


def _snils(draw: Random) -> str:
    body = f"{draw.randint(2, 9)}{_digits(draw, 8)}"
    check = _weighted(body, range(9, 0, -1)) % 101 % 100
    return f"{body[:3]}-{body[3:6]}-{body[6:]} {check:02d}"


def _iban(country: str, body: str, spaced: bool) -> Maker:
    def make(draw: Random) -> str:
        account = shape(body)(draw)
        number = "".join(str(int(sign, 36)) for sign in f"{account}{country}00")
        whole = f"{country}{98 - int(number) % 97:02d}{account}"
        return " ".join(whole[i : i + 4] for i in range(0, len(whole), 4)) if spaced else whole

    return make


def _ended_by_luhn(template: str, gaps: Sequence[int] = ()) -> Maker:
    def make(draw: Random) -> str:
        body = shape(template)(draw)
        whole = body + _luhn(body)
        return " ".join(whole[a:b] for a, b in zip([0, *gaps], [*gaps, len(whole)], strict=True))

    return make


CITIZENS: dict[str, Maker] = {
    "Finland": _finland,
    "Sweden": _sweden,
    "Norway": _until(_norway),
    "Belgium": _belgium,
    "Spain": _spain,
    "Spain, foreigners": _spain_foreigner,
    "Italy": _italy,
    "France": _france,
    "Poland": _poland,
    "Czechia": _until(_czechia),
    "Romania": _romania,
    "Bulgaria": _bulgaria,
    "Brazil": _brazil,
    "Chile": _chile,
    "Argentina": _until(_argentina),
    "China": _china,
    "Taiwan": _taiwan,
    "Hong Kong": _hong_kong,
    "Singapore": _singapore,
    "Thailand": _thailand,
    "Turkey": _turkey,
    "South Africa": _south_africa,
    "Greece": _greece,
    "Estonia": _until(_estonia),
    "South Korea": _korea,
    "Ireland": _ireland,
    "Austria": _until(_austria),
    "Switzerland": _switzerland,
    "Russia": _snils,
    "Denmark": lambda draw: f"{_day(draw, 'dmy')}-{_digits(draw, 4)}",
    "Croatia": lambda draw: _mod11_10(_digits(draw, 10)),
    "Netherlands": _until(lambda draw: _mod11(shape("%#######")(draw), (9, 8, 7, 6, 5, 4, 3, 2))),
    "Portugal": lambda draw: (lambda b: b + str((11 - _weighted(b, range(9, 1, -1)) % 11) % 11 % 10))(
        f"2{_digits(draw, 7)}"
    ),
    "Canada": _ended_by_luhn("%#######", (3, 6)),
    "Israel": _ended_by_luhn("0#######"),
    "United States": shape("4##-%#-%###"),
    "United Kingdom, insurance": shape("AB ## ## ## C", "JK ## ## ## A", "PR######B"),
    "India, tax": shape("@@@P@####@"),
    "Argentina, card": shape("%#.###.###"),
    "passport, Germany": shape("C@X##X##X#"),
}

ACCOUNTS: dict[str, Maker] = {
    "IBAN, Germany": _iban("DE", "##################", False),
    "IBAN, Germany, spaced": _iban("DE", "##################", True),
    "IBAN, United Kingdom": _iban("GB", "NWBK##############", True),
    "IBAN, Netherlands": _iban("NL", "ABNA0#########", False),
    "IBAN, Switzerland": _iban("CH", "00###############", True),
    "IBAN, Norway": _iban("NO", "###########", False),
    "sort code and account": shape("##-##-## ########"),
    "card": _ended_by_luhn("4##############", (4, 8, 12)),
    "card, bare": _ended_by_luhn("5###4##########"),
    "IMEI of a telephone": _ended_by_luhn("35############"),
}
