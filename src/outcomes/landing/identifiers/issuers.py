"""Telephone numbers and numbers of citizens and accounts, by the rules of many countries that two libraries keep.

`phonenumbers` knows the numbering plans of telephone authorities, `python-stdnum` the rules of those who issue
numbers. Both are imported only where a column has values that could be such numbers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module

from outcomes.landing.identifiers.chance import count_beyond_chance
from outcomes.landing.identifiers.numbers import BANK, NATIONAL, PHONE, Sighting

_SEARCHED = 100  # values of a column; the share is what counts
_TRIED = 8  # values that say whether a country's rule is worth more

_DIALLED = re.compile(
    r"(?:[^\W\d_]{2,6}[.:]? ?)?(\+?[\d(][\d ()/.\-]{6,20}\d)(?: ?(?:x|ext|app|dw|ap)\.? ?\d{1,5})?", re.IGNORECASE
)
_INTERNATIONAL = re.compile(r"\+[1-9]|00[1-9]")
_WITH_AREA = re.compile(r"0[1-9]\d{0,4}[ /.-]\d|\(\d")
_REGIONS_TEXT = """
    US GB DE FR ES IT NL BE AT CH IE SE DK NO FI IS PL CZ SK SI HR RS RO BG HU GR PT RU UA LT LV EE TR IL AE SA EG ZA NG
    KE IN PK BD ID TH VN MY PH SG HK TW JP KR CN AU NZ BR MX AR CL CO PE
"""
_REGIONS = tuple(_REGIONS_TEXT.split())

_CITIZENS_TEXT = """
    ar.cuit at.vnr be.nn bg.egn br.cpf ca.sin ch.ssn cl.rut cn.ric cu.ni cz.rc de.idnr do.cedula ec.ci ee.ik es.dni
    es.nie fi.hetu fr.nir gb.nhs gr.amka hr.oib id.nik ie.pps il.idnr in_.aadhaar is_.kennitala it.codicefiscale kr.rrn
    lt.asmens mu.nid mx.curp my.nric nl.bsn no.fodselsnummer pk.cnic pl.pesel pt.cc pt.nif ro.cnp se.personnummer
    si.emso th.pin tr.tckimlik ua.rntrc za.idnr
"""
_CITIZENS = tuple(_CITIZENS_TEXT.split())
_ACCOUNTS = ("iban", "es.ccc", "imei")
_NUMBER = re.compile(r"(?=(?:\D*\d){6})[A-Za-z0-9][A-Za-z0-9 ./()-]{6,40}[A-Za-z0-9)]")
_CARD = re.compile(r"(?:\d{4}[ -]?){3}\d{3,4}")


def issued_numbers(values: Sequence[str]) -> list[Sighting]:
    """Find telephone numbers, numbers of citizens and accounts among the distinct values of one column."""
    found = {PHONE: _telephones(values), NATIONAL: 0, BANK: 0}
    numbers = [value for value in values if _NUMBER.fullmatch(value)][:_SEARCHED]
    if len(numbers) > 2:
        n_rules = len(_CITIZENS) + len(_ACCOUNTS) + 1
        for pattern, names in ((NATIONAL, _CITIZENS), (BANK, _ACCOUNTS)):
            found[pattern] = max(_worth(numbers, _rule(name), n_rules) for name in names)
        cards = [value for value in numbers if _CARD.fullmatch(value)]
        found[BANK] = max(found[BANK], _worth(cards, _rule("luhn"), n_rules))
    return [Sighting(pattern, count) for pattern, count in found.items() if count]


def _worth(values: Sequence[str], is_valid: Callable[[str], bool], n_rules: int, *, keep_shared: bool = True) -> int:
    """Count as beyond chance, after a look at a few whether the rule is worth the time."""
    few = values[:_TRIED]
    if not few or sum(map(is_valid, few)) < len(few) * 0.6:
        return 0
    return count_beyond_chance(values, is_valid, n_rules=n_rules, keep_shared=keep_shared)


@cache
def _rule(name: str) -> Callable[[str], bool]:
    return import_module(f"stdnum.{name}").is_valid


def _telephones(values: Sequence[str]) -> int:
    dialled = [match[1] for match in map(_DIALLED.fullmatch, values) if match]
    dialled = [text for text in dialled if 8 <= sum(map(str.isdigit, text)) <= 15]
    abroad = [text for text in dialled if _INTERNATIONAL.match(text)]
    plus = sum(_is_valid_abroad(text) for text in abroad if text.startswith("+"))
    zeros = [text for text in abroad if not text.startswith("+")][:_SEARCHED]
    inland = [text for text in dialled if not _INTERNATIONAL.match(text)][:_SEARCHED]
    is_code = not all(map(_WITH_AREA.match, inland))  # an area code may be the same in all
    n_rules = len(_REGIONS) + 1
    return max(
        plus,
        _worth(zeros, _is_valid_abroad, n_rules),
        max((_worth(inland, _rule_of_region(region), n_rules, keep_shared=is_code) for region in _REGIONS), default=0),
    )


def _is_valid_abroad(text: str) -> bool:
    return _is_telephone(f"+{text[2:]}" if text.startswith("00") else text, None)


def _rule_of_region(region: str) -> Callable[[str], bool]:
    return lambda text: _is_telephone(text, region)


def _is_telephone(text: str, region: str | None) -> bool:
    import phonenumbers

    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(text, region))
    except phonenumbers.NumberParseException:
        return False
