"""QuestionnaireResponses become rows: one answered questionnaire is one row, its linkIds are the columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl

from outcomes.contract import Kind, LeftOut, Refusal, Rule
from outcomes.landing.layouts.base import Export, Layout, Recognised, Table, Tidy
from outcomes.landing.layouts.dropping import mapped_names
from outcomes.landing.layouts.fhir.answers import (
    OWN,
    QUESTIONNAIRE,
    RESPONSE,
    SEVERAL,
    Answered,
    People,
    answered,
    form_of,
)
from outcomes.landing.layouts.fhir.points import Points, points_of
from outcomes.landing.layouts.fhir.resources import (
    SUFFIXES,
    Body,
    Resource,
    Resources,
    items_of,
    object_in,
    read_resources,
    resources_in,
    rewrite,
    text_in,
    text_of,
)
from outcomes.landing.layouts.fhir.totals import check_totals
from outcomes.landing.layouts.typed_cells import STAMPS
from outcomes.landing.refusal import FileRefused, counted, listed
from outcomes.landing.rules.columns import known_names, normal
from outcomes.study.tables.layouts import LayoutName

_FOUND = "resources"  # fact of a table: what was read of the file
_TAKEN = frozenset({"completed", "amended"})
_UNFINISHED = frozenset({"in-progress", "stopped"})
_WRONG = "entered-in-error"
_LOOKED_AT = 65_536  # bytes
_USUAL = {"client_id": "subject", "session_date": "authored", "therapist_id": "therapist"}


def open_fhir(export: Export) -> Table:
    """Open a file: one row a resource; of a response that stands twice and differs nobody can say which is right."""
    found = read_resources(export)
    unclear = {line for line, fate in _versions(found).items() if fate is None}
    people = People(found)
    kept = [one for one in found.every if one.line not in unclear]
    none = Points({}, {})
    rows = []
    for one in kept:
        if one.type == RESPONSE:
            rows.append({**answered(one.body, none).cells, **people.cells(one.body)})
        else:
            rows.append({"subject": people.client_of(one.body)})
    malformed = dict(found.malformed)
    for one in found.every:
        if one.line in unclear:
            malformed[one.line] = (Rule.CONFLICTING_ROWS, [people.client_of(one.body)])
    return Table(_frame(rows), np.array([one.line for one in kept], np.int64), malformed, is_typed=True,
                 facts={STAMPS: True, _FOUND: found})  # fmt: skip


def arrange(table: Table, export: Export, kind: Kind) -> Tidy:
    """Take the completed and amended responses to the questionnaire that the study names.

    Raises
    ------
    FileRefused
        If there are none, it is not said which of several questionnaires is meant, a status is unknown, or a rating
        is a code for which nobody gives points.
    """
    options, found = export.source(kind).fhir, table.facts[_FOUND]
    responses = found.of(RESPONSE)
    _refuse_unclear(responses, options.form, kind)
    earlier = {line for line, fate in _versions(found).items() if fate is LeftOut.SUPERSEDED}
    fates = {one.line: _fate(one, options.form, earlier) for one in found.every}
    in_rows = set(table.lines.tolist())
    taken = [one for one in responses if fates[one.line] is None and one.line in in_rows]
    if not taken and not table.malformed:
        raise FileRefused(
            Refusal.EMPTY, "the file has no completed answers to the questionnaire that the study reads",
            f"check fhir in [sources.{kind}] of study.toml, or export QuestionnaireResponses",
        )  # fmt: skip
    points = points_of([*(one.body for one in found.of(QUESTIONNAIRE)), *_beside(options.questionnaire)],
                       options.points)  # fmt: skip
    answers = [answered(one.body, points) for one in taken]
    _refuse_unscored(answers, export, kind)
    totals, said = check_totals([one.cells for one in answers], [one.unscored for one in answers], options.totals)
    people = People(found)
    rows = [{**one, **people.cells(response.body)} for one, response in zip(totals, taken, strict=True)]
    frame, dropped = _passed_on(_frame(rows), answers, export)
    return Tidy(
        frame, np.array([one.line for one in taken], np.int64), len(in_rows),
        {reason: n for reason in LeftOut if (n := sum(fates[line] is reason for line in in_rows))},
        (*dropped, *_not_read(responses)),
        (*said, *_notes(found, answers, rows, export, kind)),
    )  # fmt: skip


def owners(table: Table, export: Export) -> pl.DataFrame:
    """Give every resource the id of the patient whom it is about."""
    return table.frame


def _versions(found: Resources) -> dict[int, LeftOut | None]:
    """Say which responses are earlier versions of another one, and (None) which contradict it in no known order."""
    by_id: dict[str, list[Resource]] = {}
    for one in found.of(RESPONSE):
        if name := text_of(one.body.get("id")):
            by_id.setdefault(name, []).append(one)
    fates: dict[int, LeftOut | None] = {}
    for same in by_id.values():
        if len(same) < 2 or all(one.body == same[0].body for one in same):
            continue  # word for word the same: the rule of double rows finds it
        ages = [_age(one.body) for one in same]
        latest = max(ages, default=())
        if () in ages or ages.count(latest) > 1:
            fates |= dict.fromkeys((one.line for one in same), None)
        else:
            fates |= {one.line: LeftOut.SUPERSEDED for one, age in zip(same, ages, strict=True) if age != latest}
    return fates


def _age(body: Body) -> tuple[float, ...]:
    """Return when a version was made, comparable; empty where the file does not say."""
    meta = object_in(body, "meta")
    try:
        stamp = datetime.fromisoformat(text_of(meta.get("lastUpdated")))
        return (stamp.replace(tzinfo=stamp.tzinfo or UTC).timestamp(),)
    except ValueError:
        return ()


def _fate(one: Resource, form: str, earlier: set[int]) -> LeftOut | None:
    if one.type != RESPONSE:
        return LeftOut.OTHER_RESOURCE
    if form and form_of(one.body) != form:
        return LeftOut.OTHER_FORM
    if one.line in earlier:
        return LeftOut.SUPERSEDED
    if one.body.get("status") == _WRONG:
        return LeftOut.ENTERED_IN_ERROR
    return LeftOut.UNFINISHED if text_of(one.body.get("status")) in _UNFINISHED else None


def _refuse_unclear(responses: Iterable[Resource], form: str, kind: Kind) -> None:
    known = _TAKEN | _UNFINISHED | {_WRONG}
    strange = sum(text_of(one.body.get("status")) not in known for one in responses)
    if strange:
        raise FileRefused(
            Refusal.UNREADABLE,
            f"of {counted(strange, 'response')} the status is missing or unknown: nobody can say whether they count",
            "export them with their status (completed, amended, in-progress, stopped, entered-in-error)",
        )
    forms = sorted({form_of(one.body) for one in responses})
    if not form and len(forms) > 1:
        raise FileRefused(
            Refusal.UNREADABLE,
            f"the file has answers to {len(forms)} questionnaires: {listed(forms)}",
            f'name the one that is meant in [sources.{kind}] of study.toml: fhir = {{ form = "..." }}',
        )


def _refuse_unscored(answers: Iterable[Answered], export: Export, kind: Kind) -> None:
    """Refuse ratings that are codes without points: a code such as 1 would pass for a number."""
    columns, source = export.settings.columns(kind), export.source(kind)
    ratings = {normal(source.columns.get(one.name, one.name)) for one in columns if one.is_rating}
    links: dict[str, set[str]] = {}
    for one in answers:
        for link, codes in one.unscored.items():
            if normal(link) in ratings:
                links.setdefault(link, set()).update(codes)
    if links:
        codes = sorted(set().union(*links.values()))
        raise FileRefused(
            Refusal.UNREADABLE,
            f"nobody gives points for {counted(len(codes), 'code')} that {listed(sorted(links))} answer with: "
            f"{listed(codes)}",
            f'in [sources.{kind}] of study.toml name the Questionnaire (fhir = {{ questionnaire = "..." }}), or say '
            "what the codes are worth (points = { ... })",
        )


def _beside(path: str) -> list[Body]:
    """Return the Questionnaires of a file that the study names.

    Raises
    ------
    FileRefused
        If it has none.
    """
    if not path:
        return []
    try:
        found = resources_in(text_in(Path(path))).of(QUESTIONNAIRE)
    except (OSError, FileRefused):
        found = ()
    if not found:
        raise FileRefused(
            Refusal.UNREADABLE, "the Questionnaire that the study names is not there, or the file holds none",
            "put the Questionnaire (JSON) beside study.toml and name it: fhir = { questionnaire = \"...\" }",
        )  # fmt: skip
    return [one.body for one in found]


def _passed_on(frame: pl.DataFrame, answers: list[Answered], export: Export) -> tuple[pl.DataFrame, list[str]]:
    """Drop what only FHIR needs, and free text that the study does not map by name."""
    known = frozenset().union(*(known_names(kind, export.settings) for kind in export.kinds))
    mapped = mapped_names(export.kinds, export.settings)
    texts = frozenset().union(*(one.texts for one in answers)) if answers else frozenset()
    dropped = [
        name for name in frame.columns
        if (name in OWN and normal(name) not in known) or (name in texts and normal(name) not in mapped)
    ]  # fmt: skip
    return frame.drop(dropped), dropped


_PERSONAL = ("subject.display", "subject.identifier", "author", "source", "text", "item.text")


def _not_read(responses: Iterable[Resource]) -> list[str]:
    """Return the elements that may name persons or hold wordings and that some response has: none is ever read."""
    found = set()
    for one in responses:
        subject = object_in(one.body, "subject")
        found |= {f"subject.{name}" for name in ("display", "identifier") if name in subject}
        found |= {name for name in ("author", "source", "text") if name in one.body}
        if any("text" in item for item in items_of(one.body)):
            found.add("item.text")
    return [name for name in _PERSONAL if name in found]


def _notes(
    found: Resources, answers: list[Answered], rows: list[dict[str, str]], export: Export, kind: Kind
) -> list[str]:
    notes = []
    read, options = known_names(kind, export.settings), export.source(kind).fhir
    if found.is_page:
        notes.append("the Bundle is one page of several: export all pages, or land each")
    several = sum(any(SEVERAL in cell for cell in one.cells.values()) for one in answers)
    if several:
        notes.append(f"{counted(several, 'response has', 'responses have')} several answers to one item")
    named = sum("display" in object_in(one.body, "subject") for one in found.of(RESPONSE))
    if named:
        notes.append(f"{counted(named, 'response names its', 'responses name their')} subject (display): not read")
    texts = sorted({link for one in answers for link in one.texts})
    if texts:
        notes.append(f"free text, files and references are not read unless mapped by name: {listed(texts)}")
    if normal("therapist") in read and any(not row["therapist"] for row in rows):
        without = sum(not row["therapist"] for row in rows)
        notes.append(f"{counted(without, 'response has', 'responses have')} no one therapist in an Encounter")
    links = {link for one in answers for link in one.cells}
    totals = [one for one in sorted(links) if one.lower().endswith(("score", "total", "sum"))]
    if unchecked := [one for one in totals if normal(one) in read and one not in options.totals]:
        notes.append(f"{listed(unchecked)} may be stored totals: name their items in fhir.totals to have them checked")
    return notes


def _frame(rows: list[Mapping[str, str]]) -> pl.DataFrame:
    names = dict.fromkeys((*OWN, *(name for row in rows for name in row)))
    return pl.DataFrame({name: [row.get(name, "") for row in rows] for name in names},
                        schema=dict.fromkeys(names, pl.String))  # fmt: skip


def recognise(path: Path) -> Recognised | None:
    """Tell FHIR by its resourceType."""
    if path.suffix.lower() not in SUFFIXES:
        return None
    try:
        with path.open("rb") as stream:
            start = stream.read(_LOOKED_AT).decode("utf-8-sig", "replace")
    except OSError:
        return None
    if '"resourceType"' not in start or RESPONSE not in start:
        return None
    try:
        found = resources_in(text_in(path))
    except FileRefused:
        found = None
    forms = sorted({form_of(one.body) for one in found.of(RESPONSE)} - {""}) if found else []
    options: dict[str, object] = {"columns": _USUAL}
    if forms:
        options["fhir.form"] = forms[0]
    return Recognised(
        LayoutName.FHIR, "its resources are FHIR QuestionnaireResponses", options,
        ("there is no therapist in a response: an Encounter in the same Bundle, or the study, names one",
         *([f"it has answers to several questionnaires: {listed(forms)}"] if len(forms) > 1 else [])),
    )  # fmt: skip


FHIR = Layout(
    LayoutName.FHIR, "FHIR export", SUFFIXES, open_fhir, arrange, owners, rewrite, recognise,
    "what its questionnaires ask, by date (directiveness, satisfaction, alliance where an item rates them); not how "
    "clients ended; differences between therapists only where a Bundle brings Encounters",
)  # fmt: skip
