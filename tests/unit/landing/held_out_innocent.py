"""Columns of rating studies that point at nobody, in shapes that the door's patterns were not made from.

Pseudonyms, practices, therapists, labels, codes, ratings and days of sessions, as the export tools and handbooks of
research data describe them. Half of the forms, drawn by a hash of their names, is measured only.
"""

from __future__ import annotations

import base64
import hashlib
import string
import uuid
from collections.abc import Callable
from datetime import date, timedelta
from random import Random

from held_out_numbers import shape

Maker = Callable[[Random], str]
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
NANOID = string.ascii_letters + string.digits + "_-"
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def _of(alphabet: str, n: int, front: str = "") -> Maker:
    return lambda draw: front + "".join(draw.choice(alphabet) for _ in range(n))


def _number(width: int, front: str = "", below: int | None = None) -> Maker:
    return lambda draw: f"{front}{draw.randrange(1, below or 10**width):0{width}d}"


def _words(text: str, glue: str = "-", end: str = "") -> Maker:
    def make(draw: Random) -> str:
        return glue.join(draw.choice(text.split()) for _ in range(2)) + (glue + shape(end)(draw) if end else "")

    return make


def _hashed(name: str, length: int | None = None) -> Maker:
    return lambda draw: hashlib.new(name, draw.randbytes(8)).hexdigest()[:length]


def _days(form: str) -> Maker:
    return lambda draw: (date(2015, 1, 5) + timedelta(days=draw.randrange(3500))).strftime(form)


_ADJECTIVES = "brave calm eager gentle happy jolly kind lively nice proud silly witty zealous amber crimson quiet swift"
_ANIMALS = "otter falcon badger heron lynx panda raven tiger walrus zebra beaver dolphin gecko moose"
_PLANETS = "mercury venus earth mars jupiter saturn uranus neptune"
_COLOURS = "red blue green yellow black white orange"
_FLOWERS = "tulip orchid dahlia peony aster cosmos crocus azalea"
_TREES = "Eiche Buche Linde Ahorn Tanne Kiefer Birke Esche"

PSEUDONYMS: dict[str, Maker] = {
    "UUID 4": lambda draw: str(uuid.UUID(int=draw.getrandbits(128), version=4)),
    "UUID, capitals": lambda draw: str(uuid.UUID(int=draw.getrandbits(128), version=4)).upper(),
    "UUID in braces": lambda draw: f"{{{uuid.UUID(int=draw.getrandbits(128), version=4)}}}",
    "UUID, no hyphens": lambda draw: uuid.UUID(int=draw.getrandbits(128), version=4).hex,
    "UUID, urn": lambda draw: uuid.UUID(int=draw.getrandbits(128), version=4).urn,
    "ULID": _of(CROCKFORD, 24, "01"),
    "KSUID": _of(string.ascii_letters + string.digits, 26, "1"),
    "CUID": _of(string.ascii_lowercase + string.digits, 24, "c"),
    "nanoid": _of(NANOID, 21),
    "nanoid of ten": _of(NANOID, 10),
    "base58 of 22": _of(BASE58, 22),
    "base58 of 8": _of(BASE58, 8),
    "Mongo object id": _of("0123456789abcdef", 24),
    **{f"hex of {n}": _of("0123456789abcdef", n) for n in (4, 6, 8, 10, 12, 16, 20, 40, 64)},
    "hex, capitals": _of("0123456789ABCDEF", 16),
    "hex, 0x": _of("0123456789abcdef", 8, "0x"),
    "MD5": _hashed("md5"),
    "SHA-1": _hashed("sha1"),
    "SHA-256, first ten": _hashed("sha256", 10),
    "SHA-512": _hashed("sha512"),
    "base32 of 8": _of("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 8),
    "base32 of 16": _of("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16),
    "base64 of 16 bytes": lambda draw: base64.b64encode(draw.randbytes(16)).decode(),
    "base64url of 12 bytes": lambda draw: base64.urlsafe_b64encode(draw.randbytes(12)).decode(),
    "capitals of 5": _of(string.ascii_uppercase, 5),
    "capitals of 8": _of(string.ascii_uppercase, 8),
    "small letters of 6": _of(string.ascii_lowercase, 6),
    "small letters of 8": _of(string.ascii_lowercase, 8),
    "letters of 10": _of(string.ascii_letters, 10),
    "capitals and digits of 6": _of(string.ascii_uppercase + string.digits, 6),
    **{f"{n} digits": _number(n) for n in (2, 3, 4, 6, 7, 8, 9, 10)},
    "twelve digits": _number(12),
    "hundreds": _number(1, below=400),
    "five digits, counted": _number(5, below=3000),
    "six digits, counted": _number(6, below=5000),
    "eight digits, counted": _number(8, below=9000),
    "ten digits, counted": _number(10, below=9000),
    "C and digits": _number(3, "C"),
    "CL_": _number(4, "CL_"),
    "client-": _number(3, "client-"),
    "client ": _number(3, "client "),
    "patient": _number(4, "Patient"),
    "PT": _number(5, "PT"),
    "P.": _number(3, "P."),
    "K-numbers": _number(4, "K-"),
    "K without hyphen": _number(6, "K"),
    "S and six digits": _number(6, "S"),
    "subject": _number(2, "sub-", 99),
    "ID:": _number(4, "ID:"),
    "#": _number(4, "#"),
    "No.": _number(3, "No. "),
    "case number": shape("F-20## / ###", "F-201# / ###"),
    "BIDS session": shape("sub-###_ses-0%"),
    "REDCap record": shape("1001-%", "1002-%#", "1003-%#"),
    "REDCap with group": shape("##-####"),
    "REDCap with arm": shape("10#-%#-%"),
    "Qualtrics": _of(NANOID[:62], 15, "R_"),
    "LimeSurvey token": _of(NANOID[:62], 15),
    "Prolific": _of("0123456789abcdef", 20, "5f3a"),
    "MTurk": _of(string.ascii_uppercase + string.digits, 13, "A"),
    "Sona": _number(5),
    "FHIR": shape("Patient/####", "Patient/%###"),
    "FHIR with letters": _of(string.ascii_lowercase + string.digits, 8, "pat-"),
    "OpenMRS": shape("10####%-%"),
    "site and number": shape("A-###", "B-###"),
    "site, arm, number": shape("S0%-A-###", "S0%-B-###"),
    "site.number": shape("0%.###"),
    "site/number": shape("%/###"),
    "letters, number, letter": shape("AB###C"),
    "three groups": shape("@@-##-@@"),
    "four by four": _words("k3m9 p2q8 z7x4 w5v1 r6t3 n8b2 h4j7"),
    "licence groups": lambda draw: "-".join(_of(CROCKFORD, 4)(draw) for _ in range(3)),
    "year of intake and number": shape("2021-####", "2022-####", "2023-####"),
    "year/number": shape("2021/###", "2022/###"),
    "year in the front": shape("22####", "23####"),
    "study and year": shape("TRIAL2021-###", "TRIAL2022-###"),
    "study code": shape("PSY22-###"),
    "wave": shape("W%_####"),
    "dyad": shape("D##A", "D##B"),
    "dyad, words": shape("dyad_##_client"),
    "couples": shape("##m", "##f"),
    "self-generated, mother and day": lambda draw: (
        _of("ABEGHIKLMRSTU", 2)(draw) + f"{draw.randint(1, 31):02d}" + _of("ABEHKMRSW", 2)(draw)
    ),
    "self-generated, four letters": lambda draw: _of("ABEGHIKLMRSTU", 4)(draw) + f"{draw.randint(1, 31):02d}",
    "self-generated, small": lambda draw: (
        _of("abeghiklmrstu", 2)(draw)
        + f"{draw.randint(1, 31):02d}"
        + _of("abehkmrsw", 1)(draw)
        + f"{draw.randint(1, 12):02d}"
    ),
    "animals": _words(_ANIMALS, end="##"),
    "adjective and animal": lambda draw: f"{draw.choice(_ADJECTIVES.split())}-{draw.choice(_ANIMALS.split())}",
    "adjective_animal": lambda draw: f"{draw.choice(_ADJECTIVES.split())}_{draw.choice(_ANIMALS.split())}",
    "AdjectiveAnimal": lambda draw: (
        f"{draw.choice(_ADJECTIVES.split()).title()}{draw.choice(_ANIMALS.split()).title()}{draw.randint(10, 99)}"
    ),
    "Greek letters": lambda draw: (
        f"{draw.choice(['alpha', 'beta', 'gamma', 'delta', 'epsilon', 'omega', 'sigma'])}-{draw.randint(1, 99)}"
    ),
    "spelling alphabet": _words("alfa bravo charlie delta echo foxtrot golf hotel kilo lima oscar tango", "-", "#"),
    "planets": lambda draw: f"{draw.choice(_PLANETS.split())}{draw.randint(1, 99)}",
    "colours": lambda draw: f"{draw.choice(_COLOURS.split())}{draw.randint(1, 999)}",
    "pronounceable": lambda draw: "".join(draw.choice("bdfgklmnprstvz") + draw.choice("aeiou") for _ in range(3)),
    "pronounceable, hyphen": lambda draw: "-".join(
        "".join(draw.choice("bdfghjklmnprstvz") + draw.choice("aiou") + draw.choice("bdfgklmnprstvz") for _ in range(2))
        for _ in range(2)
    ),
    "decimal of a spreadsheet": lambda draw: f"{draw.randint(1, 999)}.0",
    "quoted number": shape("'####"),
    "scientific": shape("%.##E+05"),
    "negative": shape("-%###"),
    "zero and letters": shape("0%#@"),
    "anon": _number(4, "anon"),
    "user": _number(4, "user"),
    "user_": _number(5, "user_"),
    "resp": _number(3, "resp_"),
    "id and hash": _of("0123456789abcdef", 12, "id_"),
    "sha and salt": _of("0123456789abcdef", 16, "sha256:"),
    "prefix with colon": shape("site1:####", "site2:####"),
    "client letter": lambda draw: f"Client {draw.choice(string.ascii_uppercase)}",
    "client letters": lambda draw: f"Client {_of(string.ascii_uppercase, 2)(draw)}",
    "case of": lambda draw: f"Case {draw.choice(string.ascii_uppercase)}{draw.randint(1, 9)}",
    "person number": _number(2, "Person "),
    "one animal": lambda draw: draw.choice(_ANIMALS.split()),
    "Animal": lambda draw: draw.choice(_ANIMALS.split()).title(),
    "Adjective Animal": lambda draw: (
        f"{draw.choice(_ADJECTIVES.split()).title()} {draw.choice(_ANIMALS.split()).title()}"
    ),
    "animal and number": lambda draw: f"{draw.choice(_ANIMALS.split())}{draw.randint(1, 99)}",
    "adjective animal, small": lambda draw: f"{draw.choice(_ADJECTIVES.split())} {draw.choice(_ANIMALS.split())}",
    "flowers": lambda draw: draw.choice(_FLOWERS.split()),
    "trees, German": lambda draw: draw.choice(_TREES.split()),
    "gods": lambda draw: draw.choice(["Zeus", "Hera", "Apollo", "Athena", "Hermes", "Ares", "Hestia"]),
    "chemical elements": lambda draw: draw.choice(["Argon", "Neon", "Krypton", "Cobalt", "Nickel", "Titan", "Helium"]),
    "milliseconds": lambda draw: str(draw.randrange(1_560_000_000_000, 1_690_000_000_000)),
    "seconds": lambda draw: str(draw.randrange(1_560_000_000, 1_690_000_000)),
    "day of intake and counter": lambda draw: f"{_days('%Y%m%d')(draw)}-{draw.randint(1, 9):02d}",
    "session and its day": lambda draw: f"{draw.randint(1, 400):03d}_{_days('%Y-%m-%d')(draw)}",
    "month/year of intake": lambda draw: f"{_days('%m/%Y')(draw)}-{draw.randint(1, 99)}",
    "two groups": shape("## ##"),
    "three groups of two": shape("##-##-##"),
    "three groups of three": shape("### ### ###"),
    "letters and number apart": shape("@@ ###"),
    "three letters, three digits": shape("@@@ ###"),
    "stops": shape("#.##.###"),
    "ten and letter": shape("########@"),
    "letter and eight": shape("@########"),
    "letter and nine": shape("@#########"),
    "two letters and six": shape("@@######"),
    "three letters and six": shape("@@@######"),
    "eleven digits": _number(11),
    "thirteen digits": _number(13),
    "sixteen digits": _number(16),
    "nineteen digits, snowflake": _number(17, "10"),
    "number and two letters": shape("####@@"),
    "six and two letters": shape("######@@"),
    "eight and two letters": shape("########@@"),
    "version of a record": shape("####.%"),
    "dates as visits": lambda draw: f"V{draw.randint(1, 9)}_{_days('%d%b%Y')(draw)}",
    "German abbreviation and number": shape("Kl. ###", "Pat. ###"),
    "Spanish": _number(3, "Paciente "),
    "Russian": _number(3, "Клиент "),
    "Chinese": _number(3, "患者"),
    "Greek": _number(3, "Πελάτης "),
    "Arabic": _number(3, "عميل "),
    "Japanese": _number(3, "症例"),
}

THERAPISTS: dict[str, Maker] = {
    "T12": shape("T%#"),
    "th_": _number(2, "th_"),
    "therapist letter": lambda draw: f"Therapist {draw.choice('ABCDEFGH')}",
    "TH-": _number(3, "TH-"),
    "letter": _of(string.ascii_uppercase, 1),
    "two letters": _of(string.ascii_uppercase, 2),
    "intern": _number(1, "intern", 9),
    "trainee": _number(2, "trainee-"),
    "Th.": _number(2, "Th. "),
    "Behandler": _number(2, "Behandler "),
    "supervisor": _number(1, "SV"),
    "tp": _number(3, "tp"),
    "roman": lambda draw: draw.choice(["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"]),
    "Terapeuta": _number(2, "Terapeuta_"),
}

PLACES: dict[str, str] = {
    "compass": "north south east west centre",
    "clinic letters": "clinic_a clinic_b clinic_c",
    "practice codes": "PR-001 PR-002 PR-014",
    "site numbers": "site01 site02 site03",
    "towns": "Leipzig Hamburg Bremen Dresden",
    "towns, English": "Leeds Bristol York Sheffield",
    "institutes": "university_clinic|day clinic|Ambulanz|outpatient unit",
    "quarters": "Praxis Nord|Praxis Süd|Praxis am Park",
    "community": "Riverside Centre|Oakwood House|Hill Top",
    "wards": "ward 3|ward 4|ward 7B",
    "regions": "NRW BY BW HH",
    "countries": "DE AT CH NL",
    "UK sites": "LDN01 MAN02 EDI01",
    "streets as sites": "Kings Cross|Camden|Brixton",
    "Spanish sites": "Centro Norte|Centro Sur|Hospital de Día",
    "abbreviations": "ZPHU IPP UKE LMU",
}

CELLS: dict[str, str] = {
    "ratings of Likert": "1 2 3 4 5 6 7",
    "ratings with halves": "1.5 2.0 2.5 3.5 4.0",
    "ratings, comma": "1,5 2,5 3,5 4,0",
    "ratings, out of": "3/7 4/7 5/7 6/7",
    "per cent": "20% 45% 70% 85%",
    "out of range": "11 12 99 -9 888 999 -99",
    "missing codes": "NA n/a . - missing not_asked refused #NULL! NaN nan",
    "plus and minus": "+ ++ - -- 0",
    "text ratings": "low medium high",
    "agreement": "strongly agree|agree|neutral|disagree|strongly disagree",
    "German agreement": "stimmt genau|stimmt eher|stimmt kaum|stimmt nicht",
    "frequency": "never|rarely|sometimes|often|always",
    "German frequency": "nie|selten|manchmal|oft|immer",
    "French frequency": "jamais|parfois|souvent|toujours",
    "yes and no": "yes no y n true false",
    "yes in languages": "ja nein oui non sí no",
    "ICD-10": "F32.1 F33.0 F41.1 F43.1 F60.31 F10.2 Z73",
    "ICD-11": "6A70.1 6B00 6B40 6C40.2",
    "DSM": "296.32 300.02 309.81",
    "ICD with words": "F32.1 moderate|F41.1 generalised",
    "ATC": "N06AB06 N05BA12 N06AX11",
    "OPS": "9-410 9-411.2 9-649.0",
    "EBM": "35421 35425 35110 23220",
    "CPT": "90834 90837 90791",
    "SNOMED": "370143000 197480006 35489007",
    "LOINC": "44249-1 69737-5 55758-7",
    "session labels": "S1 S2 S10 intake follow-up",
    "session with words": "session 1|session 2|session 12",
    "measures": "PHQ-9 GAD-7 CORE-OM OQ-45.2 WAI-SR",
    "modes": "in person|video|telephone|chat",
    "endings": "planned|dropped out|referred|moved|ongoing",
    "German endings": "regulär beendet|abgebrochen|verlegt",
    "reasons": "illness holiday no-show cancelled",
    "gender": "female male non-binary other unknown",
    "gender letters": "w m d f x",
    "age bands": "18-24 25-34 35-44 45-54 65+",
    "ages": "23 34 45 56 67",
    "therapies": "CBT PDT EFT ACT DBT schema",
    "therapies, words": "cognitive behavioural|psychodynamic|systemic|person-centred",
    "weekdays": "Mon Tue Wed Thu Fri",
    "weekdays, German": "Montag Dienstag Mittwoch",
    "months": "January February March June",
    "years": "2019 2020 2021 2022",
    "quarters": "2021Q1 2021Q2 2022Q4",
    "weeks": "2021-W05 2021-W17 2022-W44",
    "durations": "00:50:00 00:45:00 01:30:00",
    "times": "09:00 10:30 14:15 16:45",
    "minutes": "50 min|45 min|90 min",
    "money": "€80 €95 120.00 $150",
    "versions": "v1.0 v1.2.3 2.0",
    "files": "export_01.csv export_02.csv",
    "wave": "T0 T1 T2 FU6",
    "arms": "control waitlist treatment",
    "items": "item_01 item_02 q17",
    "big numbers": "1234.5678 0.000123 1e-05",
    "checkboxes": "1;3;5 2;4 1;2;6",
    "braces": "[1] [2] [3]",
    "ranges": "0-10 10-20 20-30",
    "rooms": "Room 1|Room 2|R2.14",
    "languages": "de en fr-CA tr",
    "currency of grading": "A+ A B- C",
    "stars": "★★★ ★★★★ ★★",
    "Chinese ratings": "非常同意 同意 一般 不同意",
    "Arabic ratings": "نعم لا ربما",
    "Russian ratings": "да нет иногда",
    "emoji": "🙂 😐 🙁",
    "wide digits": "１ ２ ３ ４",
    "software": "REDCap SoSci Unipark",
    "scales": "0..10 1..5 0..100",
}

DAYS: dict[str, Maker] = {
    "ISO": _days("%Y-%m-%d"),
    "German": _days("%d.%m.%Y"),
    "American": _days("%m/%d/%Y"),
    "compact": _days("%Y%m%d"),
    "with a time": _days("%Y-%m-%dT10:00:00"),
    "words": _days("%d %b %Y"),
    "short year": _days("%d.%m.%y"),
}
