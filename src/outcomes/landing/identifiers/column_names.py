"""Column names that say that a column identifies a person or holds free text, in several languages."""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise

# One word of a column name is enough, wherever it stands in the name.
_IDENTIFYING_WORDS_TEXT = """
    surname forename firstname lastname givenname familyname fullname middlename maidenname nickname initials vorname
    nachname familienname geburtsname prenom nombre apellido apellidos naam voornaam achternaam fornamn efternamn nome
    cognome sobrenome imie nazwisko email mail mailadresse correo courriel phone telephone mobile cellphone tel
    telefon telefono telefoon handy mobil fax whatsapp postcode zip zipcode postalcode postleitzahl plz cep cap nhs
    nhsnumber ssn nino chi mrn passport personnummer cpr bsn steuernummer versichertennummer krankenkassennummer
    medicare insurancenumber hospitalnumber nif dni pesel sozialversicherungsnummer dob birthdate birthday dateofbirth
    birth geburtsdatum geburtstag geboortedatum naissance nacimiento nascita address adresse direccion indirizzo adres
    street strasse rue straat hausnummer ip ipaddress facebook instagram twitter etunimi sukunimi fornavn etternavn
    keresztnev vezeteknev jmeno prijmeni emailaddress sahkoposti epost telefonnummer telefonnr telefonu puhelin
    puhelinnumero telefonszam cellno gsm krankenversicherungsnummer krankenversichertennummer versichertennr steuerid
    personnr henkilotunnus hetu fodselsnummer fodselsdato curp cpf ahv ahvnummer iban syntymaaika postnummer domicilio
    ulica osoite gatuadress gatuadresse latitude longitude gps url homepage website photo photograph signature
    kontaktperson employer passnummer reisepassnummer
"""
_IDENTIFYING_WORDS = frozenset(_IDENTIFYING_WORDS_TEXT.split())
# These words identify a person unless what they name is a thing.
_NAME_WORDS = frozenset({"name", "names", "nom", "namn"})
_NAMED_THINGS_TEXT = """
    file scale service practice clinic site measure instrument variable column course department table study team
    item event treatment drug medication arm ward group session test task tool module
"""
_NAMED_THINGS = frozenset(_NAMED_THINGS_TEXT.split())
# A channel, which identifies unless the column says what took place through it.
_CHANNELS = frozenset({"phone", "telephone", "mobile", "telefon", "handy"})
_MEETINGS = frozenset({"session", "sessions", "appointment", "appointments", "therapy", "mode", "modality", "sitzung"})
# Two words side by side.
_IDENTIFYING_PAIRS = frozenset(
    {
        ("e", "mail"), ("first", "name"), ("post", "code"), ("zip", "code"), ("postal", "code"), ("date", "birth"),
        ("social", "security"), ("national", "insurance"), ("national", "id"), ("hospital", "number"),
        ("insurance", "number"), ("medical", "record"), ("code", "postal"), ("codigo", "postal"), ("cell", "no"),
        ("codice", "fiscale"), ("steuer", "id"), ("securite", "sociale"), ("rodne", "cislo"), ("tax", "id"),
        ("driver", "licence"), ("driver", "license"), ("drivers", "licence"), ("drivers", "license"),
        ("bank", "account"), ("data", "urodzenia"), ("datum", "narozeni"), ("kod", "pocztowy"), ("house", "number"),
        ("user", "agent"), ("device", "id"), ("next", "kin"), ("emergency", "contact"),
    }
)  # fmt: skip
_FREE_TEXT_WORDS_TEXT = """
    comment comments note notes remark remarks narrative freetext verbatim transcript diary kommentar kommentare
    bemerkung bemerkungen notiz notizen freitext anmerkung anmerkungen commentaire commentaires remarque remarques
    comentario comentarios notas nota opmerking opmerkingen kommentti anteckning anteckningar commento commenti
    osservazioni
"""
_FREE_TEXT_WORDS = frozenset(_FREE_TEXT_WORDS_TEXT.split())
_FREE_TEXT_PAIRS = frozenset({("free", "text"), ("open", "text"), ("session", "summary"), ("case", "summary")})


# Letters that are none with an accent.
_LETTERS = str.maketrans({"ß": "ss", "ø": "o", "Ø": "O", "æ": "ae", "Æ": "Ae", "ł": "l", "Ł": "L", "đ": "d", "ı": "i"})


def name_words(name: str) -> list[str]:
    """Split a column name into lower-case words without accents: `Client-eMail` -> client, e, mail."""
    plain = unicodedata.normalize("NFKD", name.translate(_LETTERS))
    plain = "".join(character for character in plain if not unicodedata.combining(character))
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", plain)
    return [word for word in re.split(r"[^a-z]+", spaced.lower()) if word]


def is_identifying_name(name: str) -> bool:
    """Say whether a column's name announces a direct identifier."""
    words = name_words(name)
    found = _IDENTIFYING_WORDS & set(words)
    if found and not (found <= _CHANNELS and _MEETINGS & set(words)):
        return True
    if "".join(words) in _IDENTIFYING_WORDS:
        return True
    if _has_pair(words, _IDENTIFYING_PAIRS) or ("of" in words and _has_pair(_without_of(words), _IDENTIFYING_PAIRS)):
        return True
    return bool(_NAME_WORDS & set(words)) and not _NAMED_THINGS & set(words)


def is_free_text_name(name: str) -> bool:
    """Say whether a column's name announces free text."""
    words = name_words(name)
    return bool(_FREE_TEXT_WORDS & set(words)) or _has_pair(words, _FREE_TEXT_PAIRS)


def _has_pair(words: list[str], pairs: frozenset[tuple[str, str]]) -> bool:
    return any(pair in pairs for pair in pairwise(words))


def _without_of(words: list[str]) -> list[str]:
    return [word for word in words if word != "of"]
