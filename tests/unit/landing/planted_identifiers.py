"""Identifiers as files of many countries have them, drawn with a seed and made by their issuers' own rules.

Nothing here reads the patterns that look for them: names are of lists of its own, numbers are built as issuers do.
"""

# ruff: noqa: E501  one form per line reads as a table

from __future__ import annotations

import string
from collections.abc import Callable
from random import Random

from planted_numbers import (
    ahv,
    birthday,
    bsn,
    chi,
    codice_fiscale,
    cpf,
    cpr,
    digits,
    dni,
    foedselsnummer,
    hetu,
    iban,
    kvnr,
    letters,
    luhn,
    medicare,
    nhs,
    nie,
    nino,
    nir,
    personnummer,
    pesel,
    spaced,
    ssn,
    steuer_id,
    svnr,
)

Draw = Callable[[Random], str]

GIVEN = """
    Agnieszka Małgorzata Katarzyna Piotr Grzegorz Zsófia László Ayşe Mehmet Özlem Emre Siobhán Niamh Ciarán Oisín Saoirse
    Björn Åsa Linnea Torbjørn Ingeborg Mette Jukka Aino Päivi Giulia Alessandro Chiara Lorenzo Inês João Gonçalo Beatriz
    Núria Jordi Iker Ainhoa Thijs Sanne Joost Femke Maëlle Benoît Océane Étienne Anaïs Wanjiru Chinedu Ngozi Kwame Abena
    Priya Rajesh Sunita Arjun Deepika Thị Minh Hương Yuki Haruto Mei Xiuying Jisoo Olena Dmytro Svetlana Vesna Goran
    Abdullah Khadija Zainab Bilal Noor Tyrone Shaniqua Brayden Mackenzie Trevor Nigel Gemma Alistair Rhiannon Gareth
    Anna Thomas Maria Peter Sarah Michael Laura David Claire John
"""
SURNAMES = """
    Kowalska Nowak Wiśniewski Nagy Szabó Yılmaz Demir O'Brien O'Connor Murphy Lindqvist Johansson Hansen Kristensen
    Virtanen Korhonen Rossi Ferrari Esposito Ferreira Silva Santos García Fernández Etxebarria de-Vries Jansen Bakker
    Lefebvre Moreau Girard Okonkwo Adeyemi Mensah Sharma Patel Iyer Nguyễn Trần Tanaka Satō Wang Zhang Kim Park
    Shevchenko Ivanova Petrović Horvat Hussain Chowdhury Jones Evans Williams Thompson Müller Schneider Weiß Häberle
    Featherstonehaugh Smith-Jones McDonald MacLeod
"""
STREETS = """
    Station London Church Victoria Mill Park Queen's Orchard Albert Castle
"""
TOWNS = "Leeds Utrecht Porto Graz Lyon Uppsala Kraków Bilbao Cork Dunedin"


def _words(text: str) -> list[str]:
    return text.split()


def _given(draw: Random) -> str:
    return draw.choice(_words(GIVEN))


def _surname(draw: Random) -> str:
    return draw.choice(_words(SURNAMES)).replace("de-", "de ")


def _email(draw: Random) -> str:
    plain = (
        f"{_given(draw)}.{_surname(draw)}".lower().encode("ascii", "ignore").decode().replace(" ", "").replace("'", "")
    )
    return f"{plain}{draw.choice(['', '1984', '+therapy'])}@{draw.choice(['example.org', 'mail.example.co.uk', 'praxis.example.de'])}"


def _uk_postcode(draw: Random) -> str:
    area = draw.choice(["M", "LS", "SW", "EH", "CF", "B", "BT"])
    return f"{area}{draw.randrange(1, 20)} {draw.randrange(10)}{draw.choice('ABDEFGHJLNPQRSTUWXYZ')}{draw.choice('ABDEFGHJLNPQRSTUWXYZ')}"


def _town(draw: Random) -> str:
    return draw.choice(_words(TOWNS))


def _street(draw: Random) -> str:
    return draw.choice(_words(STREETS))


def _number(draw: Random) -> int:
    return draw.randrange(1, 190)


_STORIES = (
    "{given} told me about the quarrel with her brother",
    "felt better after talking to {given} {surname} about work",
    "Klient berichtet von Streit mit {given}, schläft schlecht",
    "la patiente parle de sa soeur {given} et du deuil",
    "Se siente mejor desde que habló con {given}",
    "discussed homework, next time phone call with {given}",
)


def _story(draw: Random) -> str:
    return draw.choice(_STORIES).format(given=_given(draw), surname=_surname(draw))


PLANTED: dict[str, dict[str, Draw]] = {
    "names of persons": {
        "given and surname": lambda d: f"{_given(d)} {_surname(d)}",
        "surname, given": lambda d: f"{_surname(d)}, {_given(d)}",
        "SURNAME Given": lambda d: f"{_surname(d).upper()} {_given(d)}",
        "lower case": lambda d: f"{_given(d)} {_surname(d)}".lower(),
        "initial and surname": lambda d: f"{d.choice(string.ascii_uppercase)}. {_surname(d)}",
        "surname and initials": lambda d: f"{_surname(d)} {letters(d, 1)}.{letters(d, 1)}.",
        "title and surname": lambda d: f"{d.choice(['Mrs', 'Mr', 'Dr', 'Frau', 'Mme', 'Sra.', 'Sig.', 'Dhr.'])} {_surname(d)}",
        "three names": lambda d: f"{_given(d)} {_given(d)} {_surname(d)}",
        "given.surname": lambda d: f"{_given(d)}.{_surname(d)}".lower().replace(" ", ""),
        "given name only": _given,
        "surname only": _surname,
    },
    "e-mail": {
        "address": _email,
        "capitals": lambda d: _email(d).upper(),
        "name and address": lambda d: f"{_given(d)} {_surname(d)} <{_email(d)}>",
        "mailto": lambda d: f"mailto:{_email(d)}",
    },
    "telephone": {
        "UK mobile": lambda d: f"07{digits(d, 3)} {digits(d, 6)}",
        "UK mobile, tight": lambda d: f"07{digits(d, 9)}",
        "UK landline": lambda d: f"01{d.randrange(2, 9)}{digits(d, 2)} {digits(d, 6)}",
        "UK landline, brackets": lambda d: f"(020) {digits(d, 4)} {digits(d, 4)}",
        "Germany": lambda d: f"0{d.choice(['30', '89', '221', '6221'])}/{digits(d, 7)}",
        "Germany, mobile": lambda d: f"0{d.choice(['151', '170', '176'])} {digits(d, 8)}",
        "France": lambda d: f"0{d.randrange(1, 8)} {spaced(digits(d, 8), 2, 2, 2, 2)}",
        "France, dots": lambda d: f"0{d.randrange(1, 8)}.{spaced(digits(d, 8), 2, 2, 2, 2, mark='.')}",
        "Netherlands": lambda d: f"06-{digits(d, 8)}",
        "Spain": lambda d: f"6{digits(d, 2)} {spaced(digits(d, 6), 3, 3)}",
        "Sweden": lambda d: f"070-{digits(d, 3)} {digits(d, 2)} {digits(d, 2)}",
        "United States": lambda d: f"({d.randrange(200, 990)}) {d.randrange(200, 990)}-{digits(d, 4)}",
        "United States, dots": lambda d: f"{d.randrange(200, 990)}.{d.randrange(200, 990)}.{digits(d, 4)}",
        "Australia": lambda d: f"04{digits(d, 2)} {digits(d, 3)} {digits(d, 3)}",
        "international": lambda d: f"+{d.choice(['44', '49', '33', '31', '46'])} {digits(d, 3)} {digits(d, 6)}",
        "international, 00": lambda d: f"00{d.choice(['44', '49', '33'])} {digits(d, 3)} {digits(d, 6)}",
        "international, tight": lambda d: f"+44{d.randrange(1, 8)}{digits(d, 9)}",
    },
    "numbers of health care": {
        "NHS number": nhs,
        "NHS number, spaced": lambda d: spaced(nhs(d), 3, 3, 4),
        "CHI number (Scotland)": chi,
        "KVNR (Germany)": kvnr,
        "Medicare (Australia)": medicare,
        "Medicare (Australia), spaced": lambda d: spaced(medicare(d), 4, 5, 1),
        "NIR (France)": nir,
        "NIR (France), spaced": lambda d: spaced(nir(d), 1, 2, 2, 2, 3, 3, 2),
        "AHV (Switzerland)": lambda d: spaced(ahv(d), 3, 4, 4, 2, mark="."),
    },
    "national numbers": {
        "SSN (United States)": lambda d: spaced(ssn(d), 3, 2, 4, mark="-"),
        "NINO (United Kingdom)": nino,
        "NINO, spaced": lambda d: spaced(nino(d), 2, 2, 2, 2, 1),
        "BSN (Netherlands)": bsn,
        "PESEL (Poland)": pesel,
        "personnummer (Sweden)": lambda d: spaced(personnummer(d), 6, 4, mark="-"),
        "personnummer, tight": personnummer,
        "CPR (Denmark)": lambda d: spaced(cpr(d), 6, 4, mark="-"),
        "HETU (Finland)": hetu,
        "fødselsnummer (Norway)": foedselsnummer,
        "DNI (Spain)": dni,
        "NIE (Spain)": nie,
        "codice fiscale (Italy)": codice_fiscale,
        "tax number (Germany)": steuer_id,
        "SVNR (Austria)": lambda d: spaced(svnr(d), 4, 6),
        "SVNR, tight": svnr,
        "rodné číslo (Czechia)": lambda d: f"{birthday(d):%y%m%d}/{digits(d, 4)}",
        "RRN (Belgium)": lambda d: f"{birthday(d):%y.%m.%d}-{digits(d, 3)}.{digits(d, 2)}",
        "CPF (Brazil)": lambda d: (lambda n: f"{n[:3]}.{n[3:6]}.{n[6:9]}-{n[9:]}")(cpf(d)),
        "SIN (Canada)": lambda d: spaced(luhn(str(d.randrange(1, 8)) + digits(d, 7)), 3, 3, 3),
        "IBAN": iban,
        "IBAN, spaced": lambda d: spaced(iban(d), 4, 4, 4, 4, 4, 2),
        "passport (Germany)": lambda d: f"C{''.join(d.choices('0123456789CFGHJKLMNPRTVWXYZ', k=8))}",
    },
    "dates of birth": {
        "ISO": lambda d: f"{birthday(d):%Y-%m-%d}",
        "ISO with time": lambda d: f"{birthday(d):%Y-%m-%dT00:00:00}",
        "dots": lambda d: f"{birthday(d):%d.%m.%Y}",
        "strokes": lambda d: f"{birthday(d):%d/%m/%Y}",
        "month first": lambda d: f"{birthday(d):%m/%d/%Y}",
        "short year": lambda d: f"{birthday(d):%d.%m.%y}",
        "short year, strokes": lambda d: f"{birthday(d):%d/%m/%y}",
        "eight digits": lambda d: f"{birthday(d):%Y%m%d}",
        "day first, eight digits": lambda d: f"{birthday(d):%d%m%Y}",
        "month by name": lambda d: f"{birthday(d):%d %B %Y}",
        "month by name, short": lambda d: f"{birthday(d):%d-%b-%Y}",
        "month by name, first": lambda d: f"{birthday(d):%B %d, %Y}",
    },
    "postcodes": {
        "United Kingdom": _uk_postcode,
        "United Kingdom, tight": lambda d: _uk_postcode(d).replace(" ", ""),
        "United States, nine digits": lambda d: f"{digits(d, 5)}-{digits(d, 4)}",
        "Netherlands": lambda d: f"{d.randrange(1000, 9999)} {letters(d, 2)}",
        "Netherlands, tight": lambda d: f"{d.randrange(1000, 9999)}{letters(d, 2)}",
        "Canada": lambda d: f"{d.choice('KLMVT')}{d.randrange(10)}{d.choice('ABCEGH')} {d.randrange(10)}{d.choice('ABCEGH')}{d.randrange(10)}",
        "Sweden": lambda d: f"{d.randrange(100, 990)} {digits(d, 2)}",
        "Poland": lambda d: f"{digits(d, 2)}-{digits(d, 3)}",
        "Portugal": lambda d: f"{d.randrange(1000, 9999)}-{digits(d, 3)}",
        "postcode and town": lambda d: f"{d.randrange(10000, 99999)} {_town(d)}",
        "Germany, five digits": lambda d: f"{d.randrange(10000, 99999)}",
    },
    "addresses": {
        "United Kingdom": lambda d: f"{_number(d)} {_street(d)} {d.choice(['Road', 'Street', 'Lane', 'Avenue', 'Close'])}",
        "United Kingdom, full": lambda d: f"Flat {d.randrange(1, 9)}, {_number(d)} {_street(d)} Road, {_town(d)} {_uk_postcode(d)}",
        "United States": lambda d: f"{_number(d)} {_street(d)} {d.choice(['St', 'Ave', 'Blvd', 'Dr'])} Apt {d.randrange(1, 40)}",
        "Germany": lambda d: f"{d.choice(['Goethe', 'Haupt', 'Bahnhof', 'Garten'])}{d.choice(['straße', 'str.', 'weg', 'platz'])} {_number(d)}",
        "France": lambda d: f"{_number(d)} {d.choice(['rue', 'avenue', 'boulevard', 'place'])} {d.choice(['de la Gare', 'Victor Hugo', 'des Lilas'])}",
        "Spain": lambda d: f"{d.choice(['Calle', 'Avenida', 'Plaza'])} {d.choice(['Mayor', 'Real', 'del Sol'])} {_number(d)}",
        "Italy": lambda d: f"{d.choice(['Via', 'Viale', 'Piazza'])} {d.choice(['Roma', 'Garibaldi', 'Dante'])} {_number(d)}",
        "Netherlands": lambda d: f"{d.choice(['Dorps', 'Kerk', 'Molen'])}{d.choice(['straat', 'weg', 'laan'])} {_number(d)}",
        "Sweden": lambda d: f"{d.choice(['Stor', 'Kyrko', 'Drottning'])}gatan {_number(d)}",
        "coordinates": lambda d: f"{d.uniform(47, 58):.5f}, {d.uniform(-4, 14):.5f}",
    },
    "addresses on the network": {
        "IPv4": lambda d: ".".join(str(d.randrange(1, 255)) for _ in range(4)),
        "IPv6": lambda d: "2001:db8:" + ":".join(f"{d.randrange(1, 65536):x}" for _ in range(6)),
        "IPv6, short": lambda d: f"2001:db8::{d.randrange(1, 65536):x}",
        "MAC": lambda d: ":".join(f"{d.randrange(256):02x}" for _ in range(6)),
        "URL": lambda d: f"https://www.example.org/people/{_given(d).lower()}{d.randrange(99)}",
        "URL without scheme": lambda d: f"www.example.com/{_given(d).lower()}.{_surname(d).lower()}".replace(" ", ""),
        "handle": lambda d: f"@{_given(d).lower()}_{d.randrange(1000)}",
    },
    "free text": {
        "what was said": _story,
        "a note": lambda d: f"{_story(d)}; {d.choice(['risk low', 'call GP', 'see letter', 'to be continued'])}",
        "a short remark": lambda d: d.choice(["came late again, {}", "{} was in the room too", "missed, called {} twice"]).format(_given(d)),
    },
}  # fmt: skip
"""Group -> form -> how one value is drawn."""

NAMES_THAT_IDENTIFY = """
    FirstName last_name patientName client_full_name klient_name nom_patient prénom nombre_paciente apellidos cognome
    imię nazwisko förnamn efternamn etunimi sukunimi fornavn etternavn etunimi keresztnev vezeteknev jmeno prijmeni
    emailaddress contact_email e_mail courriel sähköposti epost phone_no mobileNumber home_tel tel_nr telefonnummer
    puhelin telefonszam numer_telefonu gsm cell_no nhs_no NHSNumber chi_number medicare_no krankenversicherungsnummer
    versichertennr sozialversicherungsnummer numéro_sécurité_sociale codice_fiscale steuer_id bsn_nummer personnr
    personnummer henkilotunnus cpr_nr fodselsnummer pesel dni_paciente nie curp cpf rodne_cislo ahv_nummer
    national_insurance_no social_security_number tax_id passport_no driver_licence iban bank_account date_of_birth
    birth_date dob_client Geburtsdatum data_nascita fecha_nacimiento date_naissance fødselsdato syntymäaika
    data_urodzenia datum_narozeni postcode zip_code plz kod_pocztowy postnummer codigo_postal cap_residenza street
    home_address adresse indirizzo domicilio ulica osoite gatuadress house_number latitude longitude gps_lat ip_addr
    ip_address user_agent device_id mac_address url homepage facebook_id twitter_handle instagram photo signature
    gp_name next_of_kin emergency_contact kontaktperson employer school_name
"""
"""Column names that announce an identifier, in the languages of the groups above."""
