"""Points of coded answers: as the Questionnaire gives them, or as the study declares them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import isfinite

from outcomes.contract import Refusal
from outcomes.landing.layouts.fhir.resources import Body, items_of, object_in, objects_in, tail_of, text_of
from outcomes.landing.refusal import FileRefused, listed

_EXTENSIONS = frozenset(
    {"ordinalvalue", "itemweight", "questionnaire-ordinalvalue", "valueset-ordinalvalue", "codesystem-ordinalvalue"}
)
"""Last parts of the addresses under which FHIR's versions (R4, R5, SDC) keep the points of an answer."""

_VALUES = ("valueDecimal", "valueInteger")


@dataclass(frozen=True)
class Points:
    """What answers are worth.

    Attributes
    ----------
    of_items : dict
        By questionnaire, linkId and code: the points by the coding's system ('' where it has none).
    declared : dict of str to str
        By code, as the study says.
    """

    of_items: Mapping[tuple[str, str, str], Mapping[str, str]]
    declared: Mapping[str, str]

    def of(self, form: str, link: str, coding: Body) -> set[str]:
        """Return what one coded answer is worth by all who say so: none, one, or several that contradict."""
        code, system = text_of(coding.get("code")), text_of(coding.get("system"))
        by_system = self.of_items.get((form, link, code), {})
        if system and "" not in by_system:
            found = {by_system[system]} if system in by_system else set()
        else:
            found = set(by_system.values())
        own = own_points(coding)
        if own:
            found.add(own)
        if not found and code in self.declared:
            found.add(self.declared[code])
        return {spelt_alike(one) for one in found}


def spelt_alike(number: str) -> str:
    """Write a number so that 1, 1.0 and 1.00 are one."""
    return f"{float(number):.12g}"


def number_in(text: str) -> float | None:
    """Return the number that a text spells; None where it spells none."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if isfinite(number) else None


def own_points(element: Body) -> str:
    """Return the points that an extension of an element holds; '' where it has none."""
    for extension in objects_in(element, "extension"):
        if text_of(extension.get("url")).rpartition("/")[2].lower() in _EXTENSIONS:
            found = (text_of(extension.get(name)) for name in _VALUES)
            return next((one for one in found if number_in(one) is not None), "")
    return ""


def points_of(questionnaires: Iterable[Body], declared: Mapping[str, float]) -> Points:
    """Collect the points of all answer options.

    Raises
    ------
    FileRefused
        If the study declares other points for a code than the Questionnaire.
    """
    found: dict[tuple[str, str, str], dict[str, str]] = {}
    for one in questionnaires:
        forms = {text_of(one.get("id")), tail_of(text_of(one.get("url")))} - {""}
        sets = _value_sets(one)
        for item in items_of(one):
            for coding, points in _options(item, sets):
                for form in forms:
                    key = (form, text_of(item.get("linkId")), text_of(coding.get("code")))
                    found.setdefault(key, {})[text_of(coding.get("system"))] = points
    spelt = {code: spelt_alike(str(points)) for code, points in declared.items()}
    other = sorted(
        {code for (_, _, code), points in found.items() if code in spelt
         for one in points.values() if spelt_alike(one) != spelt[code]}
    )  # fmt: skip
    if other:
        raise FileRefused(
            Refusal.UNREADABLE, f"the study declares other points than the Questionnaire for {listed(other)}",
            "take these codes out of points in fhir of study.toml, or correct them",
        )  # fmt: skip
    return Points(found, spelt)


def _options(item: Body, sets: Mapping[str, list[Body]]) -> Iterator[tuple[Body, str]]:
    for option in objects_in(item, "answerOption"):
        coding = object_in(option, "valueCoding")
        if points := own_points(coding) or own_points(option):
            yield coding, points
    for coding in sets.get(text_of(item.get("answerValueSet")), []):
        if points := own_points(coding):
            yield coding, points


def _value_sets(questionnaire: Body) -> dict[str, list[Body]]:
    """Return the codes of the sets of answers that a Questionnaire contains, by the names that its items use."""
    sets: dict[str, list[Body]] = {}
    for one in objects_in(questionnaire, "contained"):
        codes = [
            {"system": text_of(part.get("system")), **concept}
            for part in objects_in(object_in(one, "compose"), "include")
            for concept in objects_in(part, "concept")
        ]
        sets["#" + text_of(one.get("id"))] = codes
        if address := text_of(one.get("url")):
            sets[address] = codes
    return sets
