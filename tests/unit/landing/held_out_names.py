"""Held-out identifiers that point at persons by their names: in many scripts and orders, as logins, in self-made codes.

Written from public lists of common names, style guides for their order and habits of practices, without reading
the patterns of the door.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

Maker = Callable[[Random], str]

_GIVEN = "Anna Peter Sophie Lukas Maria Thomas Julia Jonas Laura Michael Emma Paul Lena David Sarah Felix Nina Simon"
_SURNAMES = (
    "Müller Schmidt Schneider Fischer Weber Becker Hoffmann Koch Bauer Richter Klein Wolf Neumann Schwarz Zimmermann "
    "Hartmann Krüger Werner"
)
_ENGLISH_GIVEN = "James Mary Robert Patricia John Jennifer William Linda Olivia Noah Charlotte Liam Amelia Harry Grace"
_ENGLISH = "Smith Johnson Williams Brown Jones Miller Davis Wilson Taylor Clark Walker Wright Robinson Thompson Hughes"

_BY_COUNTRY = {
    "Spain, two surnames": (
        "María José Carmen Antonio Lucía Javier Pilar",
        "García López|Martínez Ruiz|Sánchez Pérez|Gómez Díaz|Torres Gil",
    ),
    "Brazil": ("João Ana Pedro Mariana Lucas Beatriz", "da Silva|dos Santos|Oliveira|de Souza|Pereira Lima"),
    "Netherlands, with particles": ("Jan Pieter Sanne Daan Femke", "van den Berg|de Vries|van Dijk|ter Horst|de Boer"),
    "Poland": ("Zofia Jan Agnieszka Piotr Małgorzata", "Kowalska|Nowak|Wiśniewski|Wójcik|Kamiński"),
    "Turkey": ("Ayşe Mehmet Fatma Mustafa Elif Emre", "Yılmaz|Kaya|Demir|Çelik|Şahin"),
    "Viet Nam": ("Nguyễn Trần Lê Phạm Hoàng", "Văn An|Thị Mai|Minh Tuấn|Thu Hà|Đức Anh"),
    "Hungary, surname first": ("Nagy Kovács Tóth Szabó Horváth", "Péter|Katalin|László|Zsuzsanna|Gábor"),
    "China, in Pinyin": ("Wang Li Zhang Liu Chen", "Wei|Xiaoming|Na|Jianguo|Yuting"),
    "Nigeria": ("Chinedu Ngozi Oluwaseun Aisha Emeka", "Okafor|Adeyemi|Balogun|Eze|Abubakar"),
    "India, in Latin": ("Rahul Priya Amit Anjali Sanjay", "Sharma|Patel|Singh|Iyer|Reddy"),
    "Finland": ("Matti Aino Juhani Kaisa Antti", "Virtanen|Korhonen|Mäkinen|Nieminen|Laine"),
    "Ireland": ("Sean Aoife Niamh Ciaran Siobhán", "O'Brien|Murphy|O'Sullivan|McCarthy|Byrne"),
    "Russia": ("Иван Мария Сергей Ольга Дмитрий", "Петров|Смирнова|Кузнецов|Попова|Соколов"),
    "Greece": ("Γιώργος Μαρία Νίκος Ελένη Κώστας", "Παπαδόπουλος|Γεωργίου|Νικολάου|Δημητρίου"),
    "Israel": ("דוד שרה משה רחל יוסף", "כהן|לוי|מזרחי|פרץ"),
    "Egypt": ("محمد فاطمة أحمد عائشة علي", "حسن|إبراهيم|محمود|السيد"),
    "Japan": ("佐藤 鈴木 高橋 田中 伊藤", "健|美咲|翔太|陽子|大輔"),
    "India, in Devanagari": ("राहुल प्रिया अमित अंजलि संजय", "शर्मा|पटेल|सिंह|गुप्ता"),
    "Thailand": ("สมชาย สมหญิง อนันต์ มาลี", "ใจดี|ศรีสุข|ทองดี|แสงทอง"),
    "Georgia": ("გიორგი ნინო დავით მარიამ", "ბერიძე|კაპანაძე|გელაშვილი"),
    "Armenia": ("Արմեն Անի Տիգրան Մարիամ", "Հակոբյան|Սարգսյան|Գրիգորյան"),
}
_RUNS = {
    "China, characters": "王伟 李娜 张敏 刘洋 陈静 杨秀英 赵磊 黄丽",
    "Korea, Hangul": "김민준 이서연 박지훈 최수빈 정하은 강도윤",
    "Japan, Katakana": "サトウケン スズキミサキ タカハシショウタ タナカヨウコ",
    "Ukraine, surnames": "Шевченко Коваленко Бондаренко Ткаченко Кравченко Олійник",
    "Greece, surnames": "Παπαδόπουλος Παπανικολάου Βασιλείου Αθανασίου",
    "Bengali": "রহিম করিম ফাতেমা আয়েশা হাসান",
}

_PLAIN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "Ü": "Ue"})


class _Person:
    """One invented person and a birthday, as a template's fields."""

    def __init__(self, draw: Random, english: bool) -> None:
        self.given = draw.choice((_ENGLISH_GIVEN if english else _GIVEN).split())
        self.sur = draw.choice((_ENGLISH if english else _SURNAMES).split())
        self.g, self.s = self.given.translate(_PLAIN).lower(), self.sur.translate(_PLAIN).lower()
        self.i, self.j = self.g[0], self.s[0]
        self.I, self.J = self.i.upper(), self.j.upper()
        self.dd, self.mm, self.yyyy = (
            f"{draw.randint(1, 28):02d}",
            f"{draw.randint(1, 12):02d}",
            str(draw.randint(1945, 2006)),
        )
        self.yy = self.yyyy[2:]
        self.n = f"{draw.randint(1, 99):02d}"
        self.nn = f"{draw.randint(1, 999):03d}"
        self.S3, self.G3 = self.s[:3].upper(), self.g[:3].upper()
        self.S2, self.G2 = self.s[:2].upper(), self.g[:2].upper()


def person(template: str, *, english: bool = False) -> Maker:
    """Fill a template with a person's names and birthday."""
    return lambda draw: template.format_map(vars(_Person(draw, english)))


def _joined(given: str, surnames: str, glue: str = " ") -> Maker:
    return lambda draw: draw.choice(given.split()) + glue + draw.choice(surnames.split("|"))


def _chosen(names: str) -> Maker:
    return lambda draw: draw.choice(names.split())


NAMES: dict[str, Maker] = {
    "given and surname": person("{given} {sur}"),
    "surname, given": person("{sur}, {given}"),
    "SURNAME Given": lambda draw: (lambda p: f"{p.sur.upper()} {p.given}")(_Person(draw, False)),
    "initial and surname": person("{given[0]}. {sur}"),
    "surname and initial": person("{sur} {given[0]}.", english=True),
    "surname, initial without a stop": person("{sur} {I}", english=True),
    "given name and initial": person("{given} {J}."),
    "given name and initial without a stop": person("{given} {J}"),
    "given names": person("{given}", english=True),
    "surnames": person("{sur}", english=True),
    "German surnames": person("{sur}"),
    "small letters": person("{g} {s}"),
    "capitals": lambda draw: (lambda p: f"{p.given.upper()} {p.sur.upper()}")(_Person(draw, True)),
    "title without a space": person("Dr.{sur}"),
    "titles": person("Dr. med. {given} {sur}"),
    "German form of address": person("Frau {sur}"),
    "German form of address, short": person("Hr. {sur}"),
    "English form of address": person("Mrs {sur}", english=True),
    "French form of address": person("Mme {sur}"),
    "Spanish form of address": person("Sra. {sur}"),
    "three names": person("{given} Alexander {sur}"),
    "middle initial": person("{given} T. {sur}", english=True),
    "hyphenated surname": person("{given} {sur}-Meier"),
    "born as": person("{given} {sur} geb. Vogel"),
    "two initials and surname": person("{I}.{J}. {sur}", english=True),
    "role and name": person("client {given}", english=True),
    **{country: _joined(*parts) for country, parts in _BY_COUNTRY.items()},
    **{country: _chosen(run) for country, run in _RUNS.items()},
    "Russia, three names": _joined("Иванов Сидоров Волков", "Иван Петрович|Олег Ильич|Павел Юрьевич"),
    "Japan, comma": _joined("佐藤 鈴木 高橋 田中", "健|美咲|翔太", "、"),
}

LOGINS: dict[str, Maker] = {
    "jsmith": person("{i}{s}", english=True),
    "j.smith": person("{i}.{s}", english=True),
    "j_smith": person("{i}_{s}", english=True),
    "smithj": person("{s}{i}", english=True),
    "smith.j": person("{s}.{i}", english=True),
    "anna_mueller": person("{g}_{s}"),
    "anna.mueller": person("{g}.{s}"),
    "anna-mueller": person("{g}-{s}"),
    "mueller_anna": person("{s}_{g}"),
    "AnnaMueller": lambda draw: (lambda p: p.g.title() + p.s.title())(_Person(draw, False)),
    "annamueller": person("{g}{s}"),
    "anna.m": person("{g}.{j}"),
    "annam": person("{g}{j}"),
    "jsmith2": lambda draw: person("{i}{s}", english=True)(draw) + str(draw.randint(1, 9)),
    "anna85": person("{g}{yy}"),
    "smith_01": person("{s}_{n}", english=True),
    "Mueller_A_001": lambda draw: (lambda p: f"{p.s.title()}_{p.I}_{p.nn}")(_Person(draw, False)),
    "DOMAIN and login": person("CLINIC\\{i}{s}", english=True),
    "001_anna": person("{nn}_{g}"),
    "001-Smith": person("{nn}-{sur}", english=True),
    "mr_smith": person("mr_{s}", english=True),
    "fr.mueller": person("fr.{s}"),
}

CODES: dict[str, Maker] = {
    "initials and birthday": person("{I}{J}{yyyy}{mm}{dd}"),
    "initials and birthday, hyphens": person("{I}{J}-{yyyy}-{mm}-{dd}"),
    "initials and German birthday": person("{I}{J}{dd}{mm}{yyyy}"),
    "initials and short birthday": person("{I}{J}{dd}{mm}{yy}"),
    "initials and short birthday, year first": person("{I}{J}{yy}{mm}{dd}"),
    "initials, hyphen, short birthday": person("{I}{J}-{dd}{mm}{yy}"),
    "birthday and initials": person("{dd}{mm}{yyyy}{I}{J}"),
    "birthday, underscore, initials": person("{yyyy}{mm}{dd}_{I}{J}"),
    "short birthday and sex": lambda draw: person("{yy}{mm}{dd}")(draw) + draw.choice("MF"),
    "initials in small letters and birthday": person("{i}{j}{dd}{mm}{yyyy}"),
    "practice, initials, birthday": person("B{n}-{I}{J}-{dd}{mm}{yyyy}"),
    "birthday and counter": person("{yyyy}{mm}{dd}-{n}"),
    "birthday, dots inside a code": person("C_{dd}.{mm}.{yyyy}"),
    "name and year": person("{sur}{yyyy}"),
    "name, underscore, year": person("{s}_{yyyy}", english=True),
    "given name and year": person("{g}{yyyy}"),
    "name and birthday": person("{s}{dd}{mm}{yy}"),
    "initials, dots, year": person("{I}.{J}.{yyyy}"),
    "initials and year": person("{I}{J}{yyyy}"),
    "initials, hyphen, year": person("{I}{J}-{yyyy}"),
    "three letters each and year": person("{S3}{G3}{yyyy}"),
    "two letters each and birthday": person("{S2}{G2}{dd}{mm}{yyyy}"),
    "three letters and short birthday": person("{S3}{dd}{mm}{yy}"),
    "initials in brackets": person("{nn} ({I}.{J}.)"),
    "birthdays as digits": person("{dd}{mm}{yyyy}"),
    "birthdays as digits, year first": person("{yyyy}{mm}{dd}"),
    "short birthdays as digits": person("{dd}{mm}{yy}"),
    "short birthdays, year first": person("{yy}{mm}{dd}"),
    "birthdays and two digits": person("{yyyy}{mm}{dd}{n}"),
    "name inside a code": person("PT-{sur}-{n}", english=True),
}
