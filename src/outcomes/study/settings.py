"""`study.toml` as frozen, checked settings: the one place where a study declares what it is."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from outcomes.contract import CONTRACT, KIND_OF_SCALE, Column, Kind, Role, scales_of
from outcomes.errors import StudyError, visible
from outcomes.links import LINKS
from outcomes.study.base import Name, Part
from outcomes.study.delivery import Delivery
from outcomes.study.multiverse import Multiverse
from outcomes.study.scales import Scale, own_column, refuse_impossible_scales


class Source(Part):
    """How files of one kind look: their names, their column names, what to leave out."""

    pattern: str
    columns: dict[str, str] = Field(default_factory=dict)  # contract name -> name in the file
    constants: dict[str, str] = Field(default_factory=dict)  # contract name -> value for every row
    drop: tuple[str, ...] = ()  # columns of the file that are known and not read
    date_format: str = "%Y-%m-%d"
    missing: tuple[str, ...] = ("", "NA", "N/A", "NULL", "-99")
    yes: tuple[str, ...] = ("1", "true", "yes", "y", "t")
    no: tuple[str, ...] = ("0", "false", "no", "n", "f")
    decimal_mark: Literal[".", ","] = "."
    codes: dict[str, dict[str, str]] = Field(default_factory=dict)  # contract name -> {code in the file: contract code}
    order: Literal["number", "date", "row"] = "number"  # what tells the order of a client's sessions


class Study(Part):
    """What the study is called and asks."""

    name: str = Field(min_length=1, max_length=120)
    question: str = "How does therapist directiveness relate to client satisfaction and dropout?"
    contact: str = ""


class Landing(Part):
    """What is still accepted at the door."""

    max_bad_share: float = Field(0.05, ge=0, le=1)
    max_bytes: int = Field(20_000_000_000, gt=0)  # of one file, unpacked
    pseudonymise: bool = False  # replace ids by keyed pseudonyms; see docs/trust.md
    pseudonym_key_file: str = ""  # outside the study; OUTCOMES_PSEUDONYM_KEY_FILE goes before it


class DropoutDefinition(StrEnum):
    """The lattice of definitions of dropout: each is in use, and none serves all studies."""

    UNILATERAL = "unilateral"
    THERAPIST_JUDGED = "therapist_judged"
    COUNT_2 = "count_2"
    COUNT_3 = "count_3"
    COUNT_4 = "count_4"
    COUNT_MEDIAN = "count_median"
    MISSED_LAST = "missed_last"
    PROTOCOL = "protocol"


class Cohort(Part):
    """Who is in the study."""

    min_attended_sessions: int = Field(1, ge=1)
    first_session: str = ""  # ISO day; sessions before it are out
    last_session: str = ""  # ISO day; sessions after it are out

    @field_validator("first_session", "last_session")
    @classmethod
    def _is_a_day(cls, value: str) -> str:
        if value and not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
            raise ValueError("write the day as YYYY-MM-DD")
        return value


class Dropout(Part):
    """Which definition of dropout the models use, and when silence counts as undetermined."""

    definition: DropoutDefinition = DropoutDefinition.UNILATERAL
    silent_days: int = Field(90, ge=1)


class ModelSpec(Part):
    """One model as declared data."""

    name: Name
    kind: Literal["linear", "hazard"]
    question: str
    population: Literal["mart_session_directiveness", "mart_person_session"]
    outcome: Name
    fixed: tuple[str, ...] = Field(min_length=1)
    random: tuple[str, ...] = Field(min_length=1)
    link: Literal[*LINKS] = "logit"
    engine: Literal["outcomes", "statsmodels"] = "outcomes"

    @property
    def formula(self) -> str:
        """The model in lme4's syntax."""
        return f"{self.outcome} ~ " + " + ".join([*self.fixed, *(f"({term})" for term in self.random)])


class AnalysisName(StrEnum):
    """What is asked of the data, in the order of the report."""

    RECOVERY = "recovery"  # whether data of this size can answer at all
    GUIDANCE = "guidance"  # within client, between clients, between therapists, lagged
    BALANCE = "balance"  # one best level, fit to the preference, or neither
    RESPONSIVENESS = "responsiveness"  # how therapists change guidance after the session before
    DROPOUT = "dropout"  # under every definition, and the risk by session
    CONNECTION = "connection"  # alliance, feedback, empowerment
    THERAPISTS = "therapists"  # how much they differ
    MISSING = "missing"  # what if ratings are missing for a reason
    MULTIVERSE = "multiverse"  # the slope within clients in every defensible way


class Answers(Part):
    """Which analyses the refresh runs."""

    leave_out: tuple[AnalysisName, ...] = ()


class Seal(Part):
    """Whether outcomes stay out of the database until the specification is sealed; see docs/multiverse.md."""

    required: bool = False


class Recovery(Part):
    """How closely it is tried whether data of this size can answer."""

    cohorts: int = Field(20, ge=0, le=1000)  # simulated cohorts; 0 leaves it out


class QuasiIdentifier(StrEnum):
    """What somebody may know of a client without the study."""

    AGE_BAND = "age_band"
    GENDER = "gender"
    PRACTICE = "practice_id"
    THERAPIST = "therapist_id"


DEFAULT_QUASI_IDENTIFIERS = (QuasiIdentifier.AGE_BAND, QuasiIdentifier.GENDER, QuasiIdentifier.PRACTICE)


class Disclosure(Part):
    """Thresholds for whatever leaves for stakeholders."""

    minimum_count: int = Field(10, ge=1)
    rounding: int = Field(5, ge=1)
    minimum_therapists: int = Field(10, ge=2)  # below it nothing is said of the therapist variance
    minimum_residual_df: int = Field(10, ge=1)  # below it a model's estimates are not shown
    dominance_n: int = Field(2, ge=1)  # the so many largest contributors to a mean or a sum ...
    dominance_share: float = Field(0.9, gt=0, le=1)  # ... may make up this share of it and no more
    p_ratio: float = Field(0.1, gt=0)  # the others together are at least this multiple of the largest one
    quasi_identifiers: tuple[QuasiIdentifier, ...] = Field(DEFAULT_QUASI_IDENTIFIERS, min_length=1)
    k: int = Field(5, ge=2)  # fewest clients that share their quasi-identifiers in the published tables
    l: int = Field(2, ge=1)  # noqa: E741  fewest ways of ending among them; the name of the literature

    @field_validator("quasi_identifiers")
    @classmethod
    def _are_listed_once(cls, value: tuple[QuasiIdentifier, ...]) -> tuple[QuasiIdentifier, ...]:
        if len(set(value)) != len(value):
            raise ValueError("a quasi-identifier is listed twice")
        return value


class Retention(Part):
    """Which earlier releases are kept; the published one always is."""

    keep_last: int = Field(0, ge=0)  # 0 keeps all
    one_a_month: bool = True  # of the older ones, keep the last of each month


class Schedule(Part):
    """How fresh the published release is expected to be."""

    expected_hours: float = Field(0, ge=0)  # older than this is stale; 0 expects nothing


class Report(Part):
    """For whom the report is written."""

    title: str = ""
    audience: str = "practice leads, clinicians and service users"
    language: Literal["en"] = "en"


class StudySettings(Part):
    """All of `study.toml`."""

    study: Study
    landing: Landing = Landing()
    sources: dict[Kind, Source]
    scales: dict[Name, Scale]
    cohort: Cohort = Cohort()
    dropout: Dropout = Dropout()
    models: tuple[ModelSpec, ...] = ()
    answers: Answers = Answers()
    multiverse: Multiverse = Multiverse()
    seal: Seal = Seal()
    recovery: Recovery = Recovery()
    disclosure: Disclosure = Disclosure()
    retention: Retention = Retention()
    schedule: Schedule = Schedule()
    delivery: Delivery = Delivery()
    report: Report = Report()

    @model_validator(mode="before")
    @classmethod
    def _all_can_be_seen(cls, declared: Any) -> Any:
        for place, text in _texts(declared):
            if visible(text) != text:
                raise ValueError(f"{visible(place)} has a sign that cannot be seen: {visible(text)}")
        return declared

    @model_validator(mode="after")
    def _parts_agree(self) -> StudySettings:
        if Kind.SESSIONS not in self.sources:
            raise ValueError("[sources.sessions] is needed: session ratings are what a study is made of")
        refuse_impossible_scales(self.scales)
        for kind, source in self.sources.items():
            known = {column.name for column in self.columns(kind)}
            for part in ("columns", "constants", "codes"):
                for name in getattr(source, part):
                    if name not in known:
                        raise ValueError(
                            f"[sources.{kind}.{part}] names {name!r}: no column of {kind}, no declared scale"
                        )
            for twice in set(source.columns) & set(source.constants):
                raise ValueError(f"[sources.{kind}] gives {twice!r} a column and a constant; keep one")
        if len({spec.name for spec in self.models}) != len(self.models):
            raise ValueError("two models have the same name")
        return self

    @property
    def extra_scales(self) -> tuple[str, ...]:
        """Scales beyond the contract's: the study's own, ratings of sessions."""
        return tuple(name for name in self.scales if name not in KIND_OF_SCALE)

    @property
    def own_columns(self) -> tuple[Column, ...]:
        """What sessions files may hold beyond the contract: the study's own scales."""
        return tuple(own_column(name, self.scales[name]) for name in self.extra_scales)

    def columns(self, kind: Kind) -> tuple[Column, ...]:
        """Return what files of a kind may hold: the contract's columns and, for sessions, the study's own scales."""
        return CONTRACT[kind] + (self.own_columns if kind is Kind.SESSIONS else ())

    def withheld(self, kind: Kind) -> frozenset[str]:
        """Return the columns of a kind that stay out of the database until a study that requires a seal is sealed.

        An own scale without a role is among them: nobody said that it is no outcome.
        """
        return frozenset(column.name for column in self.columns(kind) if column.role.is_consequence)

    @property
    def further_outcomes(self) -> tuple[Column, ...]:
        """Ratings of sessions that are outcomes beside satisfaction: the contract's and the study's own.

        An own scale is one where its role says so, unless it measures satisfaction itself: then it is another rating
        of the same, which the multiverse takes. One without a role is none.
        """
        outcomes = [column for column in scales_of(Kind.SESSIONS) if column.role is Role.OUTCOME]
        first = {column.name for column in outcomes if column.required}
        own = [
            column
            for column in self.own_columns
            if self.scales[column.name].role is Role.OUTCOME and self.scales[column.name].measures not in first
        ]
        return (*(column for column in outcomes if column.name not in first), *own)


def _texts(declared: Any, place: str = "the file") -> Iterator[tuple[str, str]]:
    """Yield every text and every name of a study file with its place."""
    if isinstance(declared, str):
        yield place, declared
    elif isinstance(declared, Mapping):
        for name, content in declared.items():
            yield place, str(name)
            yield from _texts(content, str(name))
    elif isinstance(declared, list | tuple):
        for content in declared:
            yield from _texts(content, place)


def read_settings(path: Path) -> StudySettings:
    """Read and check a study file.

    Parameters
    ----------
    path : Path
        The `study.toml`.

    Raises
    ------
    StudyError
        If the file is missing, is not TOML, or declares something that cannot hold; every problem is listed.
    """
    try:
        declared = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as missing:
        raise StudyError(f"There is no {path.name} in {path.parent}", "run `outcomes init` on that folder") from missing
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as broken:
        raise StudyError(f"{path.name} is not valid TOML: {broken}", "mend the line that is named") from broken
    except OSError as unreadable:
        raise StudyError(
            f"{path.name} cannot be read: {unreadable.strerror}", "check the file's permissions"
        ) from unreadable
    try:
        return StudySettings.model_validate(declared)
    except ValidationError as invalid:
        problems = "\n".join(f"  {_place(error['loc'])}: {error['msg']}" for error in invalid.errors())
        raise StudyError(
            f"{path.name} has {invalid.error_count()} problem(s):\n{problems}", "mend them and run again"
        ) from invalid


def _place(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location) or "the file as a whole"
