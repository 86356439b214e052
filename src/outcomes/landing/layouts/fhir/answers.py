"""From one answered questionnaire to cells: what was answered under which linkId, by whom, when, with whom."""

from __future__ import annotations

from dataclasses import dataclass, field

from outcomes.landing.layouts.fhir.points import Points, own_points, spelt_alike
from outcomes.landing.layouts.fhir.resources import (
    Body,
    Resource,
    Resources,
    items_of,
    object_in,
    objects_in,
    tail_of,
    text_of,
)

RESPONSE, ENCOUNTER, PATIENT, QUESTIONNAIRE = "QuestionnaireResponse", "Encounter", "Patient", "Questionnaire"
OWN = (
    "response_id", "subject", "authored", "status", "questionnaire", "encounter", "encounter_date", "therapist",
    "practice",
)  # fmt: skip
"""Columns that say whose answers these are; every other is named by a linkId."""

SEVERAL = " | "  # between the answers of an item that has several: no rule takes them for one
_LEADING = frozenset({"PPRF", "ATND"})  # primary performer, attender: FHIR's codes of taking part in an encounter
_TEXTS = ("valueString", "valueUri", "valueAttachment", "valueReference")
_PLAIN = ("valueInteger", "valueDecimal", "valueDate", "valueDateTime", "valueTime")


@dataclass(frozen=True)
class Answered:
    """The cells of one response.

    Attributes
    ----------
    cells : dict of str to str
        By linkId; several answers stand with bars between them.
    texts : frozenset of str
        linkIds with an answer in free text, a file or a reference.
    unscored : dict of str to set of str
        Codes by linkId for which nobody gives points.
    """

    cells: dict[str, str]
    texts: frozenset[str]
    unscored: dict[str, set[str]]


@dataclass
class _Found:
    values: dict[str, list[str]] = field(default_factory=dict)
    texts: set[str] = field(default_factory=set)
    unscored: dict[str, set[str]] = field(default_factory=dict)


def form_of(response: Body) -> str:
    """Return the name of the questionnaire that was answered, without its server and version."""
    return tail_of(text_of(response.get("questionnaire")))


def answered(response: Body, points: Points) -> Answered:
    """Read all answers of a response; texts of questions and of codings are not read."""
    found, form = _Found(), form_of(response)
    for item in items_of(response):
        link = text_of(item.get("linkId"))
        name = f"{link} " if link in OWN else link
        for answer in objects_in(item, "answer"):
            found.values.setdefault(name, []).append(_value(answer, form, name, link, points, found))
    cells = {name: SEVERAL.join(values) for name, values in found.values.items()}
    return Answered(cells, frozenset(found.texts), found.unscored)


def _value(answer: Body, form: str, name: str, link: str, points: Points, found: _Found) -> str:
    coding = object_in(answer, "valueCoding")
    if coding:
        worth = points.of(form, link, coding)
        if own := own_points(answer):
            worth = worth | {spelt_alike(own)}
        if worth:
            return SEVERAL.join(sorted(worth))
        found.unscored.setdefault(name, set()).add(text_of(coding.get("code")))
        return text_of(coding.get("code"))
    quantity = object_in(answer, "valueQuantity")
    if quantity:  # "<" or ">" before a value says that it is not the value
        return text_of(quantity.get("comparator")) + text_of(quantity.get("value"))
    if isinstance(answer.get("valueBoolean"), bool):
        return "true" if answer["valueBoolean"] else "false"
    for kind in _TEXTS:
        if kind in answer:
            found.texts.add(name)
            return text_of(answer[kind])
    return next((text_of(answer[kind]) for kind in _PLAIN if kind in answer), "")


class People:
    """Whose answers they are: references resolved within the file, never followed out of it."""

    def __init__(self, found: Resources) -> None:
        self._ids = {one.address: text_of(one.body.get("id")) for one in found.every if one.address}
        self._encounters = {self._own_id(one): one.body for one in found.of(ENCOUNTER)}

    def cells(self, response: Body) -> dict[str, str]:
        """Return the columns that say whose answers these are."""
        encounter = self.id_in(object_in(response, "encounter"), ENCOUNTER)
        body = self._encounters.get(encounter, {}) if encounter else {}
        started = text_of(object_in(body, "period").get("start"))
        cells = (
            text_of(response.get("id")), self.client_of(response), day_of(text_of(response.get("authored"))),
            text_of(response.get("status")), form_of(response), encounter, day_of(started), self._therapist(body),
            self.id_in(object_in(body, "serviceProvider"), "Organization"),
        )  # fmt: skip
        return dict(zip(OWN, cells, strict=True))

    def client_of(self, body: Body) -> str:
        """Return the id of the patient whom a resource is about: its subject's, or its own where it is the patient."""
        if body.get("resourceType") == PATIENT:
            return text_of(body.get("id"))
        return self.id_in(object_in(body, "subject") or object_in(body, "patient"), PATIENT)

    def id_in(self, reference: Body, type_: str) -> str:
        """Return the id that a reference names; '' for another type, one within a resource, or an identifier only."""
        address = text_of(reference.get("reference"))
        if not address or address.startswith("#"):
            return ""
        if known := self._ids.get(address):
            return known
        is_other = "/" in address and not address.startswith("urn:") and f"/{type_}/" not in f"/{address}"
        return "" if is_other else tail_of(address)

    def _therapist(self, encounter: Body) -> str:
        """Return the practitioner of an encounter; of several, the only one who leads it, else nobody."""
        everyone, leading = [], []
        for one in objects_in(encounter, "participant"):
            person = object_in(one, "individual") or object_in(one, "actor")  # R4, R5
            practitioner = self.id_in(person, "Practitioner") or self.id_in(person, "PractitionerRole")
            if practitioner:
                everyone.append(practitioner)
                codes = {text_of(code.get("code")) for role in objects_in(one, "type")
                         for code in objects_in(role, "coding")}  # fmt: skip
                if codes & _LEADING:
                    leading.append(practitioner)
        persons = sorted(set(leading or everyone))
        return persons[0] if len(persons) == 1 else ""

    def _own_id(self, one: Resource) -> str:
        return text_of(one.body.get("id")) or tail_of(one.address)


def day_of(stamp: str) -> str:
    """Return the day of a point in time as it was written; what is less than a day stays and is no date.

    >>> day_of("2023-10-01T12:00:00Z"), day_of("2023-10")
    ('2023-10-01', '2023-10')
    """
    return stamp[:10] if stamp[10:11] in ("T", "") else stamp
