"""Identifiers of persons in forms that the door's patterns were not made from: the held-out set.

Written from public descriptions of formats, names and habits before the patterns were read. Half of the forms, drawn
by a hash of their names, is for development: what it misses may be looked at. The other half is measured only.
No person is meant: names are common ones put together at random, numbers are random.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from random import Random

from held_out_names import CODES, LOGINS, NAMES, person
from held_out_numbers import ACCOUNTS, CITIZENS, shape

Maker = Callable[[Random], str]


def _one(*makers: Maker) -> Maker:
    return lambda draw: draw.choice(makers)(draw)


PHONES: dict[str, Maker] = {
    "Germany, mobile": shape("0151 ########", "0176 ########"),
    "Germany, slash": shape("030/%######", "089/%#####"),
    "Germany, zero in brackets": shape("+49 (0)30 %###-##"),
    "Germany, mobile in groups": shape("0170-### ## ##"),
    "Austria": shape("0664 %######", "+43 664 %######"),
    "Switzerland": shape("079 %## ## ##", "044 %## ## ##"),
    "France": shape("06 ## ## ## ##", "01.4#.##.##.##"),
    "Italy": shape("+39 347 ### ####", "333 %######"),
    "Spain": shape("6## ## ## ##", "91 ### ## ##"),
    "Portugal": shape("91# ### ###", "21 ### ####"),
    "Netherlands": shape("06-########", "020-%######"),
    "Belgium": shape("0475 ## ## ##", "02 5## ## ##"),
    "United Kingdom, mobile": shape("07700 ######", "07911 ######"),
    "United Kingdom, London": shape("020 7### ####", "(020) 8### ####"),
    "Ireland": shape("087 ### ####", "(01) 8## ####"),
    "Denmark": shape("20 ## ## ##", "40 ## ## ##"),
    "Sweden": shape("070-### ## ##", "08-### ## ##"),
    "Norway": shape("9## ## ###", "4## ## ###"),
    "Finland": shape("040 %######", "050-%######"),
    "Poland": shape("5## ### ###", "22 %## ## ##"),
    "Czechia": shape("+420 60# ### ###", "72# ### ###"),
    "Hungary": shape("06 30 %## ####", "+36 20 %## ####"),
    "Greece": shape("69## ######", "210 %######"),
    "Russia": shape("8 (9%#) ###-##-##", "+7 9%# ###-##-##"),
    "Turkey": shape("0532 ### ## ##", "0(533) ### ## ##"),
    "United States, brackets": shape("(212) 5%#-####", "(415) 6%#-####"),
    "United States, dots": shape("212.5%#.####"),
    "United States, bare": shape("2125%#####", "4156%#####"),
    "United States, one in front": shape("1-415-6%#-####"),
    "Mexico": shape("55 %### ####", "+52 55 %### ####"),
    "Brazil": shape("(11) 9%###-####", "(21) 9%###-####"),
    "Argentina": shape("011 4%##-####", "+54 9 11 4%##-####"),
    "Chile": shape("+56 9 %### ####"),
    "Australia": shape("04%# ### ###", "(02) 9%## ####"),
    "New Zealand": shape("021 %## ####", "09 %## ####"),
    "Japan": shape("090-%###-####", "03-%###-####"),
    "South Korea": shape("010-%###-####"),
    "China": shape("138########", "139 #### ####"),
    "India": shape("98### #####", "+91-98###-#####"),
    "South Africa": shape("082 %## ####"),
    "Nigeria": shape("0803 ### ####"),
    "Israel": shape("052-%######", "054-%######"),
    "Emirates": shape("050 %## ####", "+971 50 %## ####"),
    "mobile, bare": shape("0176########", "07700######", "06########"),
    "two zeros": shape("0049176########", "00447700######"),
    "with a word": shape("Tel. 030 %######", "mob 07700 ######"),
    "with an extension": shape("030 %###### App. ##", "(212) 5%#-#### x##"),
}

MAIL: dict[str, Maker] = {
    "mail": person("{g}.{s}@example.org"),
    "mail of a provider": person("{g}{yy}@mail.example.com"),
    "(at) and dot": person("{g} (at) example dot org"),
    "(at) without spaces": person("{g}.{s}(at)example.org"),
    "[at] and [dot]": person("{g}[at]example[dot]org"),
    "AT and DOT": person("{g} AT example DOT org"),
    "at and a stop": person("{g}.{s} at example.org"),
    "(a) of Germans": person("{g}.{s}(a)example.de"),
    "no dot": person("{g}@example"),
    "wide at sign": person("{g}.{s}＠example.org"),
    "name and brackets": person("{given} {sur} <{g}@example.org>"),
    "link to mail": person("mailto:{g}@example.org"),
    "spaces around the sign": person("{g} @ example.org"),
    "under_at_score": person("{g}.{s}_at_example.org"),
}

PROFILES: dict[str, Maker] = {
    "LinkedIn": person("linkedin.com/in/{g}{s}"),
    "Facebook": person("https://www.facebook.com/{g}.{s}"),
    "Instagram": person("instagram.com/{g}_{s}"),
    "handle": person("@{g}_{s}"),
    "short Facebook": person("fb.com/{g}.{s}"),
    "Telegram": person("t.me/{g}{yy}"),
    "WhatsApp": shape("wa.me/49151########"),
    "Mastodon": person("@{g}@social.example"),
    "Skype": person("skype:{g}.{s}"),
    "label and handle": person("Insta: {g}_{yy}"),
    "reddit": person("u/{g}{s}"),
    "GitHub": person("github.com/{i}{s}", english=True),
    "home page": person("www.{g}-{s}.de"),
    "Xing": person("xing.com/profile/{given}_{J}"),
    "ORCID": shape("0000-000#-%###-####"),
    "own domain": person("{g}{s}.com"),
    "IPv4": shape("84.1##.%#.%#"),
    "MAC": shape("A4:5E:60:%#:%#:%#"),
}

ADDRESSES: dict[str, Maker] = {
    "Germany": _one(shape("Hauptstraße %#", "Goethestr. %", "Am Markt %", "Lindenweg %#a")),
    "Germany, whole": shape("Hauptstraße %#, 1%### Berlin", "Gartenweg %, 8%### München"),
    "Germany, no space": shape("Hauptstr.%#", "Bahnhofstr.%"),
    "United Kingdom": shape("%# High Street", "%# Station Road", "Flat %, %# Baker St"),
    "France": shape("%#, rue de la Paix", "% bis avenue Victor Hugo", "%# boulevard Voltaire"),
    "Spain": shape("Calle Mayor %, 2º A", "Avda. de América %#", "C/ Serrano %#"),
    "Italy": shape("Via Roma %#", "Piazza Garibaldi %", "Corso Italia %#"),
    "Poland": shape("ul. Długa %/%", "al. Jana Pawła II %#"),
    "Sweden": shape("Kungsgatan %#", "Storgatan %B"),
    "Norway": shape("Storgata %", "Kirkeveien %#"),
    "Finland": shape("Mannerheimintie % A %#", "Kirkkokatu %#"),
    "Denmark": shape("Vestergade %#, 2. tv", "Strandvejen %##"),
    "Netherlands": shape("Dorpsstraat %", "Prinsengracht 2##", "Kerkweg %#"),
    "Portugal and Brazil": shape("Rua Augusta %##", "Av. Paulista 1%##", "Travessa do Carmo %"),
    "United States": shape("1%## Pennsylvania Ave NW", "%## Main St Apt %", "4%# Oak Drive"),
    "Hungary": shape("Andrássy út %#", "Kossuth utca %"),
    "Czechia": shape("Dlouhá ulice %#", "náměstí Míru %"),
    "Turkey": shape("Atatürk Cad. No: %#", "Gül Sokak No: %"),
    "Russia": shape("ул. Ленина, д. %#", "пр. Мира, %#, кв. %"),
    "Japan": shape("東京都渋谷区神南1-%-%", "大阪市北区梅田%-%-%"),
    "China": shape("北京市朝阳区建国路%#号", "上海市浦东新区世纪大道%##号"),
    "India": shape("Plot %#, MG Road", "H.No. %#, Sector %"),
    "Malaysia": shape("No. %#, Jalan Ampang", "%#, Lorong Damai"),
    "post box": shape("PO Box %##", "Postfach %# ##", "BP %##"),
    "town with code": shape("1%### Berlin", "8%### München", "D-2%### Hamburg"),
    "place on the map": shape("52.5####, 13.4####", "48.8####,2.3####"),
    "place in degrees": shape("52°31'%#\" N 13°24'%#\" E"),
    "plus code": shape("9F4MGC2Q+%R", "8FVC9G8F+6X"),
    "number plate, Germany": shape("B-AM %###", "HH KL %##"),
    "number plate, France": shape("@@-###-@@"),
    "number plate, United Kingdom": shape("@@1# @@@"),
}

POSTCODES: dict[str, Maker] = {
    "United Kingdom": shape("SW1A %AA", "M1 %AE", "EH% %YZ", "BS%# %TH"),
    "Canada": shape("K1A 0B%", "M5V %L%", "H2Y 1C%"),
    "Netherlands": shape("10## AB", "35## GX"),
    "United States, nine digits": shape("1000#-%###", "9021#-%###"),
    "Brazil": shape("0131#-###", "2204#-###"),
    "Japan": shape("〒1##-00##", "150-00##"),
    "Ireland": shape("D02 X2#%", "A65 F4E%"),
    "Austria and Germany, letter": shape("A-1%%0", "D-1####"),
    "Switzerland, letter": shape("CH-8###"),
    "Sweden": shape("11# ##", "41# ##"),
    "Poland": shape("00-###", "31-###"),
    "Portugal": shape("1%##-###"),
    "Argentina": shape("C1%##ABC"),
    "Greece": shape("10# ##"),
    "Germany": shape("1%###", "8%###"),
}

BIRTHDAYS: dict[str, Maker] = {
    "German": person("{dd}.{mm}.{yyyy}"),
    "ISO": person("{yyyy}-{mm}-{dd}"),
    "American, short": person("{mm}/{dd}/{yy}"),
    "English words": _one(*(person(f"{{dd}} {month} {{yyyy}}") for month in ("March", "May", "August", "October"))),
    "American words": _one(*(person(f"{month} {{dd}}, {{yyyy}}") for month in ("March", "May", "August"))),
    "German words": _one(*(person(f"{{dd}}. {month} {{yyyy}}") for month in ("März", "Mai", "Oktober"))),
    "French words": _one(*(person(f"{{dd}} {month} {{yyyy}}") for month in ("mars", "août", "décembre"))),
    "English, short words": _one(*(person(f"{{dd}}-{month}-{{yyyy}}") for month in ("Mar", "May", "Aug"))),
    "Japanese": person("{yyyy}年{mm}月{dd}日"),
    "born in": person("born {yyyy}"),
    "geboren": person("geb. {dd}.{mm}.{yy}"),
    "star": person("*{dd}.{mm}.{yyyy}"),
    "Roman month": _one(*(person(f"{{dd}}/{month}/{{yyyy}}") for month in ("III", "VII", "X"))),
    "short German": person("{dd}.{mm}.{yy}"),
    "stops, year first": person("{yyyy}.{mm}.{dd}"),
    "month and year": person("{mm}/{yyyy}"),
    "with a time": person("{yyyy}-{mm}-{dd}T00:00:00"),
    "DOB": person("DOB {mm}/{dd}/{yyyy}"),
}

TEXTS: dict[str, Maker] = {
    "a sentence": _one(person("{given} said she felt better"), person("did not come, {given} was ill")),
    "ask": person("7 - ask Dr. {sur}"),
    "rating and name": person("5 ({given})"),
    "call": lambda draw: f"call mother {PHONES['Germany, mobile'](draw)}",
    "mother of": person("mother of {given} {J}"),
    "see file": person("see file {sur}, {given}"),
    "German sentence": _one(person("mit {given} telefoniert"), person("Termin mit Frau {sur} verschoben")),
    "note in Russian": person("клиент {given} не пришёл"),
}

HELD_OUT: dict[str, dict[str, Maker]] = {
    "names of persons": NAMES,
    "logins": LOGINS,
    "self-made codes": CODES,
    "mail, plain and hidden": MAIL,
    "profiles and addresses on the network": PROFILES,
    "telephone": PHONES,
    "national numbers": CITIZENS,
    "accounts and devices": ACCOUNTS,
    "addresses": ADDRESSES,
    "postcodes": POSTCODES,
    "dates of birth": BIRTHDAYS,
    "free text": TEXTS,
}


def is_for_development(group: str, form: str) -> bool:
    """Say to which half a form belongs; the hash decides, not its difficulty."""
    return hashlib.sha256(f"{group}: {form}".encode()).digest()[0] % 2 == 0
