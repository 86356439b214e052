"""Direct identifiers stay outside, pseudonyms come in."""

import hashlib
import random
import re
import string
import uuid

import pytest

from outcomes.contract import CONTRACT, Refusal
from outcomes.landing import Landed, Refused
from outcomes.landing.identifiers.check_digits import is_nhs_number
from outcomes.landing.identifiers.column_names import is_free_text_name, is_identifying_name
from outcomes.landing.identifiers.numbers import TIGHT_FORMS
from outcomes.landing.identifiers.patterns import MIXED_VALUE, sightings

HEADER = "practice_id,therapist_id,client_id,session_number,session_date,directiveness,satisfaction"

FORMS = "letters integers uuid sha256 md5 ten-digits eight-digits dashed slashed short site"
IDENTIFYING = """
    name Surname client_name firstName e-mail EMAIL_Address Telefon mobile PostCode zip_code PLZ nhs_number
    NHSNumber ssn dob date_of_birth Geburtsdatum home_address Straße vorname prénom apellido téléphone ip_address
    insurance_number
"""
FREE_TEXT = """
    comments session_note Bemerkungen free-text Notizen case_summary remarks
"""
INNOCENT = """
    s d y studage lectage service dept scale_name practice_name username_hash warmth phq_total item_12 zipped
"""


def table(client_ids, practice="p1", date="2024-05-06", rating="5"):
    rows = "".join(f"{practice},t1,{client},1,{date},{rating},6\n" for client in client_ids)
    return f"{HEADER}\n{rows}"


@pytest.mark.parametrize("name", IDENTIFYING.split())
def test_names_that_identify_are_recognised(name):
    assert is_identifying_name(name)


@pytest.mark.parametrize("name", FREE_TEXT.split())
def test_names_of_free_text_are_recognised(name):
    assert is_free_text_name(name)


@pytest.mark.parametrize(
    "name", [column.name for columns in CONTRACT.values() for column in columns] + INNOCENT.split()
)
def test_innocent_names_are_let_through(name):
    assert not is_identifying_name(name)
    assert not is_free_text_name(name)


@pytest.mark.parametrize(
    ("column", "refusal"), [("client_email", Refusal.IDENTIFIER_COLUMN), ("comments", Refusal.FREE_TEXT)]
)
def test_a_column_that_identifies_by_name_is_refused_unless_it_is_dropped(door, column, refusal):
    content = f"{HEADER},{column}\np1,t1,c1,1,2024-05-06,5,6,secret words\n"
    refused = door.land(content)
    assert refused.refusal is refusal
    assert column in refused.message
    door.declare(sessions=f'drop = ["{column}"]')
    assert isinstance(door.land(content), Landed)
    assert "secret" not in door.everything_kept()


def test_an_identifying_name_is_refused_although_it_is_mapped(door):
    door.declare(sessions='[sources.sessions.columns]\nclient_id = "nhs_number"')
    refused = door.land(table(["c1"]).replace("client_id", "nhs_number"))
    assert refused.refusal is Refusal.IDENTIFIER_COLUMN


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["someone@example.org"], "e-mail"),
        (["07700 900123"], "phone"),
        (["+44 7700 900123"], "phone"),
        (["(202) 555-0143"], "phone"),
        (["943 476 5919"], "NHS"),
        (["9434765919", "9434765870", "9434765838"], "NHS"),
        (["078-05-1120"], "social security"),
        (["ZZ99 3WZ"], "postcode"),
        (["12345-6789", "12346-6789", "22345-6789"], "postcode"),
        (["1985-03-12", "1985-03-13", "12.04.1990"], "birth"),
        (["Anna Example"], "names"),
        (["Dr Example"], "names"),
        (["anna", "peter", "maria"], "names"),
        (["Jörg Müßig", "Zoë Ångström", "Ödön Ács"], "names"),
    ],
)
def test_values_that_identify_are_refused_and_never_repeated(door, values, kind):
    clients = list(values)
    if len(values) == 1:
        clients += ["c0001", "c0002", "c0003"]
    refused = door.land(table(clients))
    assert isinstance(refused, Refused)
    assert refused.refusal is Refusal.IDENTIFIER_VALUES
    assert "client_id" in refused.message
    assert kind in refused.message
    kept = refused.message + refused.hint + door.everything_kept().replace(refused.sha256, "")
    assert not any(value in kept for value in values)
    assert not (door.root / "landed").exists()
    assert not list((door.root / "quarantine").glob("*.csv"))


def test_free_text_in_a_column_is_refused(door):
    texts = ["she said that it helped her", "he did not want to talk", "we agreed to meet again"]
    rows = "".join(f"{text},t1,c{place},1,2024-05-06,5,6\n" for place, text in enumerate(texts))
    refused = door.land(f"{HEADER}\n{rows}")
    assert refused.refusal is Refusal.FREE_TEXT
    assert "helped" not in door.everything_kept() + refused.message


def test_one_sentence_is_free_text_enough(door):
    sentence = "she told me that she did not like the homework"
    assert door.land(table(["c1", "c2"], practice=sentence)).refusal is Refusal.FREE_TEXT


def test_an_address_in_a_rating_refuses_the_file_rather_than_going_to_quarantine(door):
    refused = door.land(table(["c1", "c2"], rating="someone@example.org"))
    assert refused.refusal is Refusal.IDENTIFIER_VALUES
    assert "someone" not in door.everything_kept()


def test_an_address_in_a_ragged_row_refuses_the_file(door):
    refused = door.land(table(["c1"]) + "p1,t1,someone@example.org\n")
    assert refused.refusal is Refusal.IDENTIFIER_VALUES
    assert "someone" not in door.everything_kept()


def test_birthdays_in_a_date_column_are_told_from_a_slip(door):
    born = [f"19{50 + place}-03-1{place}" for place in range(8)]
    rows = "".join(f"p1,t1,c{place},1,{day},5,6\n" for place, day in enumerate(born))
    assert door.land(f"{HEADER}\n{rows}").refusal is Refusal.IDENTIFIER_VALUES
    assert door.broken(table(["c1"]) + "p1,t1,c2,1,1924-05-06,5,6\n") == [(3, "impossible_date")]


@pytest.mark.parametrize(
    "ids",
    [
        [f"c{place:07d}" for place in range(50)],
        [str(place) for place in range(1, 2000)],
        [str(uuid.UUID(int=place * 2**90 + 7)) for place in range(50)],
        [hashlib.sha256(str(place).encode()).hexdigest() for place in range(50)],
        [hashlib.md5(str(place).encode()).hexdigest()[:16] for place in range(50)],
        [str(1_000_000_007 + 9_973 * place) for place in range(500)],
        [str(10_000_000 + 7_919 * place) for place in range(500)],
        [f"P-2024-{place:05d}" for place in range(50)],
        [f"{place:03d}/{place * 7:04d}" for place in range(50)],
        [f"AB{place}-x" for place in range(50)],
        [f"Site_{place}_C{place}" for place in range(50)],
    ],
    ids=FORMS.split(),
)
def test_pseudonyms_raise_no_alarm(door, ids):
    outcome = door.land(table(ids))
    assert isinstance(outcome, Landed), outcome
    assert outcome.rows_landed == len(ids)


def test_names_of_practices_raise_no_alarm(door):
    assert isinstance(door.land(table(["c1"], practice="Practice North")), Landed)


@pytest.mark.parametrize(
    ("digits", "valid"),
    [("9434765919", True), ("9434765918", False), ("4010232137", True), ("1111111111", False), ("943476591", False)],
)
def test_the_check_digit_of_nhs_numbers(digits, valid):
    # 9434765919 and 4010232137: the examples of the NHS Data Dictionary and of NHS number guidance.
    assert is_nhs_number(digits) is valid


def test_values_that_are_not_searched_hold_nothing_that_a_search_would_find():
    draw = random.Random(1)
    shapes = [
        "A12 3BC",
        "AB1C2DE",
        "20240506",
        "07700900123",
        "9434765919",
        "+447700900123",
        "alexander",
        "a@b.example",
    ]
    letters = string.ascii_letters + 3 * string.digits + "-_"
    mixed = ["".join(draw.choices(letters, k=draw.randint(6, 14))) for _ in range(5000)]
    mixed += [draw.choice("xX-_ ") + shape for shape in shapes] + [shape + draw.choice("xX-_9") for shape in shapes]
    unsearched = [value for value in mixed if all(re.fullmatch(pattern, value) for pattern in MIXED_VALUE)]
    unsearched = [value for value in unsearched if not re.fullmatch(TIGHT_FORMS, value)]
    assert len(unsearched) > 2000
    assert sightings(unsearched, len(unsearched), is_id=True) == []
    assert not any(sightings([value] * 30, 30, is_id=True) for value in unsearched[-500:])


def test_pseudonyms_of_any_mixture_of_letters_and_digits_are_landed(door):
    draw = random.Random(2)
    forms = ["".join(draw.choices(string.ascii_lowercase, k=5) + draw.choices(string.digits, k=5)) for _ in range(50)]
    assert isinstance(door.land(table(sorted(set(forms)))), Landed)


SELF_MADE = {
    "initials and birthday": [f"JS19{50 + place}0312" for place in range(45)],
    "initials and short birthday": [
        f"{'ABCDEFGHKL'[place % 10]}M-{place % 27 + 1:02d}07{50 + place}" for place in range(45)
    ],
    "birthdays alone": [f"{place % 27 + 1:02d}11{45 + place}" for place in range(45)],
    "logins": ["jsmith", "mbrown", "kwilliams", "ajohnson", "ltaylor"],
    "names with an underscore": ["anna_mueller", "peter_schmidt", "julia_becker"],
    "a title without a space": ["Dr.Müller", "Dr.Schmidt", "Dr.Becker"],
    "names in another script": ["王伟", "李娜", "张敏"],
    "hidden mail": ["anna (at) example dot org"],
    "profiles": ["linkedin.com/in/annamueller"],
}


@pytest.mark.parametrize("form", SELF_MADE)
def test_codes_that_practices_make_of_persons_are_refused_and_not_repeated(door, form):
    outcome = door.land(table([*SELF_MADE[form], *(f"c{place:04d}" for place in range(5))]))
    assert isinstance(outcome, Refused)
    assert outcome.refusal is Refusal.IDENTIFIER_VALUES
    assert not any(value in str(outcome) for value in SELF_MADE[form])


def test_a_session_id_that_carries_the_day_of_the_session_is_let_through(door):
    ids = [f"{place:03d}_2023-{place % 12 + 1:02d}-{place % 28 + 1:02d}" for place in range(200)]
    assert isinstance(door.land(table(ids)), Landed)


def test_codes_of_six_digits_are_days_only_by_chance(door):
    draw = random.Random(3)
    assert isinstance(door.land(table({f"{draw.randrange(10**6):06d}" for _ in range(400)})), Landed)


def test_a_label_in_another_script_is_no_name(door):
    assert isinstance(door.land(table([f"患者{place:03d}" for place in range(50)])), Landed)
