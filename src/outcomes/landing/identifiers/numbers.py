"""Numbers that persons carry, told from pseudonyms of the same length by the rule that their issuer follows.

A rule that one number in ten passes by chance says nothing about one value, and much about a column of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from outcomes.landing.identifiers import check_digits as rules

NHS = "NHS numbers"
HEALTH = "numbers of a health insurance"
NATIONAL = "national identification numbers"
BANK = "bank accounts"
BIRTH = "full dates, as of birth"
PHONE = "phone numbers"
POSTCODE = "postcodes"


@dataclass(frozen=True)
class Sighting:
    """How many distinct values of a column look like one kind of identifier."""

    pattern: str
    count: int


@dataclass(frozen=True)
class Form:
    """One form of number.

    Attributes
    ----------
    pattern : str
        What it is, for the message.
    shape : re.Pattern
        All values of this shape are the base of the share.
    is_valid : callable
        The issuer's rule, given the letters and digits of the value.
    fewest : int
        Fewest valid values; 1 where chance hardly passes the rule.
    share : float
        Least share of valid ones among the values of the shape (among fewer than ten: all).
    """

    pattern: str
    shape: re.Pattern[str]
    is_valid: Callable[[str], bool]
    fewest: int = 3
    share: float = 0.8


def _form(pattern: str, shape: str, is_valid: Callable[[str], bool], fewest: int = 3, share: float = 0.8) -> Form:
    return Form(pattern, re.compile(shape), is_valid, fewest, share)


def _is_uk_postcode(text: str) -> bool:
    area = re.match(r"[A-Z]{1,2}", text.upper())[0]
    return area in _UK_AREAS and not set(text.upper()[-2:]) & set("CIKMOV")


# Royal Mail's areas.
_UK_AREAS_TEXT = """
    AB AL B BA BB BD BH BL BN BR BS BT CA CB CF CH CM CO CR CT CV CW DA DD DE DG DH DL DN DT DY E EC EH EN EX FK FY G GL
    GU GY HA HD HG HP HR HS HU HX IG IM IP IV JE KA KT KW KY L LA LD LE LL LN LS LU M ME MK ML N NE NG NN NP NR NW OL OX
    PA PE PH PL PO PR RG RH RM S SA SE SG SK SL SM SN SO SP SR SS ST SW SY TA TD TF TN TQ TR TS TW UB W WA WC WD WF WN
    WR WS WV YO ZE ZZ
"""
_UK_AREAS = frozenset(_UK_AREAS_TEXT.split())

FORMS: tuple[Form, ...] = (
    _form(NHS, r"\d{10}", rules.is_nhs_number, share=0.6),
    _form(HEALTH, r"\d{10}", rules.is_medicare),
    _form(HEALTH, r"\d{4} \d{5} \d", rules.is_medicare, fewest=1),
    _form(HEALTH, r"[A-Z]\d{9}", rules.is_kvnr),
    _form(HEALTH, r"\d{15}", rules.is_nir),
    _form(HEALTH, r"\d \d\d \d\d \d\d \d{3} \d{3} \d\d", rules.is_nir, fewest=1),
    _form(HEALTH, r"\d{3}\.\d{4}\.\d{4}\.\d\d", rules.is_ahv, fewest=1),
    _form(NATIONAL, r"\d{10}|\d{4} \d{6}", rules.is_svnr),
    _form(NATIONAL, r"\d{10}|\d{6}[-+]\d{4}|(?:19|20)\d{6}[-+]?\d{4}", lambda text: rules.is_personnummer(text[-10:])),
    _form(NATIONAL, r"\d{6}-\d{4}", rules.is_cpr),
    _form(NATIONAL, r"\d{6}/\d{3,4}", rules.is_rodne_cislo),
    _form(NATIONAL, r"\d{9}", rules.is_bsn),
    _form(NATIONAL, r"\d{3}[ -]\d{3}[ -]\d{3}", rules.is_luhn),
    _form(NATIONAL, r"\d{11}", rules.is_pesel),
    _form(NATIONAL, r"\d{11}", rules.is_foedselsnummer),
    _form(NATIONAL, r"\d{11}", rules.is_steuer_id),
    _form(NATIONAL, r"\d{11}", rules.is_cpf),
    _form(NATIONAL, r"\d{3}\.\d{3}\.\d{3}-\d\d", rules.is_cpf, fewest=1),
    _form(NATIONAL, r"\d\d\.\d\d\.\d\d-\d{3}\.\d\d", lambda text: rules.is_day(text[4:6], text[2:4], text[:2]), 1),
    _form(NATIONAL, r"\d{8}-?[A-Z]|[A-Z]-?\d{7}-?[A-Z]", rules.is_dni),
    _form(NATIONAL, r"[A-Z]{2} ?\d\d ?\d\d ?\d\d ?[A-Z]", rules.is_nino),
    _form(BANK, r"[A-Z]{2}\d\d ?(?:[A-Z0-9]{4} ?){2,7}[A-Z0-9]{1,4}", rules.is_iban, fewest=1),
    _form(BIRTH, r"\d{8}", lambda text: rules.is_day(text[6:], text[4:6], text[:4]), share=0.9),
    _form(BIRTH, r"\d{8}", lambda text: rules.is_day(text[:2], text[2:4], text[4:]), share=0.9),
    _form(BIRTH, r"\d\d\.\d\d\.\d\d|\d\d/\d\d/\d\d|\d\d-\d\d-\d\d",
          lambda text: rules.is_day(text[:2], text[2:4], text[4:]), share=0.95),
    _form(PHONE, r"\d{11}", lambda text: text.startswith("07"), share=0.9),
    _form(PHONE, r"\d{3} \d{3} \d{3}", lambda text: text[0] in "679", share=0.95),
    _form(POSTCODE, r"[A-Za-z]{1,2}\d[A-Za-z\d]?\d[A-Za-z]{2}", _is_uk_postcode, share=0.9),
)  # fmt: skip

# Two with a sign inside that the rule needs, one whose form says enough.
_AS_WRITTEN: tuple[Form, ...] = (
    _form(NATIONAL, r"\d{6}[-+A-FU-Y]\d{3}[0-9A-Y]", rules.is_hetu, fewest=1),
    _form(NATIONAL, r"[A-Z]{6}\d\d[A-EHLMPRST]\d\d[A-Z]\d{3}[A-Z]", rules.is_codice_fiscale, fewest=1),
)

# Forms of letters and digits without a blank, which would else count as pseudonyms: a mixture, or a hash.
TIGHT_FORMS = (
    r"[A-Z]\d{9}|\d{8}-?[A-Z]|[A-Z]-?\d{7}-?[A-Z]|[A-Z]{2}\d{6}[A-Z]|[A-Z]{2}\d\d[A-Z0-9]{11,30}"
    r"|\d{6}[-+A-FU-Y]\d{3}[0-9A-Y]|[A-Z]{6}\d\d[A-Z]\d\d[A-Z]\d{3}[A-Z]|\d{1,2}-[A-Za-z]{3,9}-\d{2,4}"
)


def carried_numbers(values: Iterable[str], *, is_date: bool) -> list[Sighting]:
    """Find the numbers that persons carry among the distinct values of one column; days are not sought in dates."""
    values = list(values)
    found: dict[str, int] = {}
    for form in (*FORMS, *_AS_WRITTEN):
        if is_date and form.pattern == BIRTH:
            continue
        shaped = [value for value in values if form.shape.fullmatch(value)]
        plain = shaped if form in _AS_WRITTEN else [re.sub(r"[\W_]", "", value) for value in shaped]
        valid = sum(map(form.is_valid, plain))
        if valid >= form.fewest and valid >= len(shaped) * (form.share if len(shaped) >= 10 else 1):
            found[form.pattern] = max(found.get(form.pattern, 0), valid)
    return [Sighting(pattern, count) for pattern, count in found.items()]
