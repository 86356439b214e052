"""The checks as data: `expectations/<table>.json`, with the study's own ranges filled in.

A file is a Great Expectations suite. Three forms in its `kwargs` keep it independent of the study:

- `{"$scale": "satisfaction", "bound": "maximum"}`: a bound of a scale that `study.toml` declares;
- `{"$study": "disclosure.minimum_therapists"}`: any other setting;
- `{"$values": "ending"}`: a closed list of the contract.

That every rating lies in the range of its scale is not written there: it follows from the contract (`range_checks`).

A query may be written as a list of lines. `severity` is the library's: critical (ours: fatal), warning, info.
`meta` holds the id, Kahn's category, the sentence, what is counted, the remedy, and `optional` where a column that the
study does not collect at all is no finding.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from outcomes.audit.results import Category, Severity
from outcomes.contract import AGE_BANDS, GENDERS, Column, Ending, Kind, Rule, scales_of
from outcomes.scoring.classes import ChangeClass
from outcomes.study.settings import DropoutDefinition, StudySettings

# The order in which the tables are checked and shown: as the data flow.
TABLES = (
    "core_batches",
    "core_quarantine",
    "core_sessions",
    "core_episodes",
    "core_dropout_labels",
    "core_clients",
    "core_measures",
    "core_agreement",
    "mart_participant_flow",
    "mart_session_directiveness",
    "mart_person_session",
    "mart_clients",
    "mart_therapists",
    "mart_reliable_change",
    "codebook",
)

_SEVERITIES = {"critical": Severity.FATAL, "warning": Severity.WARNING, "info": Severity.INFO}
ENDING_STATES = ("dropout", "planned", "other", "undetermined")
_VALUES: dict[str, tuple[str, ...]] = {
    "age_band": AGE_BANDS,
    "change_class": tuple(one for one in ChangeClass if one is not ChangeClass.MISSING),
    "definition": tuple(DropoutDefinition),
    "ending": tuple(Ending),
    "ending_state": ENDING_STATES,
    "gender": GENDERS,
    "kind": tuple(Kind),
    "person_session_state": (*ENDING_STATES, "continues"),
    "rule": tuple(Rule),
}


class _NotDeclared(Exception):
    """The study declares no such scale."""


@dataclass(frozen=True)
class Check:
    """One check as it stands in a suite.

    Attributes
    ----------
    type : str
        Great Expectations' name of the expectation.
    kwargs : mapping
        Its arguments, the study's own values not yet filled in.
    counted : str
        What the denominator counts, e.g. "appointments".
    column : str
        The column that the check is about; empty for the table or several columns.
    is_optional : bool
        Whether a wholly empty column means "not collected" rather than "missing".
    """

    id: str
    table: str
    type: str
    kwargs: Mapping[str, Any]
    category: Category
    severity: Severity
    sentence: str
    counted: str
    remedy: str
    column: str = ""
    is_optional: bool = False

    @property
    def tolerated_prop(self) -> float:
        """Share of violations that is accepted, 0-1."""
        return round(1 - self.kwargs.get("mostly", 1.0), 6)

    def expectation(self, settings: StudySettings) -> dict[str, Any] | None:
        """Return the check in Great Expectations' form, or None where the study does not declare its scale."""
        try:
            kwargs = {name: _filled(value, settings) for name, value in self.kwargs.items()}
        except _NotDeclared:
            return None
        severity = next(theirs for theirs, ours in _SEVERITIES.items() if ours is self.severity)
        return {"type": self.type, "kwargs": kwargs, "severity": severity, "meta": {"id": self.id}}


def _filled(value: Any, settings: StudySettings) -> Any:
    """Replace the three `$` forms and join the lines of a query."""
    if isinstance(value, list) and value and all(isinstance(line, str) for line in value):
        return "\n".join(value)
    if not isinstance(value, Mapping):
        return value
    if "$scale" in value:
        if value["$scale"] not in settings.scales:
            raise _NotDeclared(value["$scale"])
        return getattr(settings.scales[value["$scale"]], value["bound"])
    if "$study" in value:
        found: Any = settings
        for part in value["$study"].split("."):
            found = getattr(found, part)
        return found
    if "$values" in value:
        return list(_VALUES[value["$values"]])
    return {name: _filled(inner, settings) for name, inner in value.items()}


@cache
def read_suite(table: str) -> tuple[Check, ...]:
    """Read the checks of one table."""
    suite = json.loads((files("outcomes.expectations") / f"{table}.json").read_text(encoding="utf-8"))
    return tuple(_check(table, each) for each in suite["expectations"])


def read_suites(settings: StudySettings | None = None) -> dict[str, tuple[Check, ...]]:
    """Read every suite, in the order of `TABLES`; with the checks of a study's own scales where it is given."""
    own = settings.own_columns if settings else ()
    ratings = {f"core_{kind}": scales_of(kind) + (own if kind is Kind.SESSIONS else ()) for kind in Kind}
    return {table: read_suite(table) + range_checks(table, ratings.get(table, ())) for table in TABLES}


def range_checks(table: str, ratings: Sequence[Column]) -> tuple[Check, ...]:
    """Return the check that each rating of a table lies in the range of its scale."""
    within = "within the range that the study declares"
    is_of_sessions = table == f"core_{Kind.SESSIONS}"
    return tuple(
        Check(
            id=f"{table}.{rating.published}.range",
            table=table,
            type="expect_column_values_to_be_between",
            kwargs={
                "column": rating.published,
                "min_value": {"$scale": rating.name, "bound": "minimum"},
                "max_value": {"$scale": rating.name, "bound": "maximum"},
            },
            category=Category.CONFORMANCE,
            severity=Severity.FATAL,
            sentence=(
                f"Ratings of {rating.spoken} lie {within}."
                if is_of_sessions
                else f"{rating.spoken.capitalize()} lies {within}."
            ),
            counted="ratings",
            remedy=f"Compare [scales.{rating.name}] in study.toml with the source's range and land the files again.",
            column=rating.published,
        )
        for rating in ratings
    )


def _check(table: str, written: Mapping[str, Any]) -> Check:
    meta = written["meta"]
    return Check(
        id=f"{table}.{meta['id']}",
        table=table,
        type=written["type"],
        kwargs=written["kwargs"],
        category=Category(meta["category"]),
        severity=_SEVERITIES[written["severity"]],
        sentence=meta["sentence"],
        counted=meta["counted"],
        remedy=meta["remedy"],
        column=written["kwargs"].get("column", meta.get("column", "")),
        is_optional=meta.get("optional", False),
    )
