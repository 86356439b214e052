"""`study.toml` as frozen, checked settings: the one place where a study declares what it is."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from outcomes.contract import CONTRACT, KIND_OF_SCALE, Column, Kind, Role, scales_of
from outcomes.errors import visible
from outcomes.link_names import LINK_NAMES
from outcomes.study.tables.base import Name, Part
from outcomes.study.tables.confidential import Disclosure
from outcomes.study.tables.delivery import Delivery
from outcomes.study.tables.feedback import Feedback
from outcomes.study.tables.instruments import ScoredScale, refuse_impossible_scores
from outcomes.study.tables.multiverse import Multiverse
from outcomes.study.tables.report import Report
from outcomes.study.tables.scales import DEFAULT_UNIT, Scale, own_column, refuse_impossible_scales
from outcomes.study.tables.source import Source
from outcomes.study.visible import texts


class Study(Part):
    """What the study is called and asks."""

    name: str = Field(
        min_length=1,
        max_length=120,
        description="What the study is called in reports",
        examples=['"Practice outcomes"'],
    )
    question: str = Field(
        "How does therapist directiveness relate to client satisfaction and dropout?",
        description="What it asks, in a sentence for the report",
        examples=['"Does guidance help?"'],
    )
    contact: str = Field("", description="Whom to ask; stands in the report", examples=['"outcomes@clinic.example"'])


class Landing(Part):
    """What is still accepted at the door."""

    max_bad_share: float = Field(
        0.05, ge=0, le=1, description="A file with a larger share of bad rows is refused whole", examples=["0.02"]
    )
    max_bytes: int = Field(20_000_000_000, gt=0, description="Most bytes of one file, unpacked", examples=["500000000"])
    pseudonymise: bool = Field(False, description="Replace ids by keyed pseudonyms (docs/trust.md)", examples=["true"])
    pseudonym_key_file: str = Field(
        "",
        description="The key's file, outside the study; OUTCOMES_PSEUDONYM_KEY_FILE goes before it",
        examples=['"/keys/study.key"'],
    )


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

    min_attended_sessions: int = Field(
        1, ge=1, description="Clients with fewer attended sessions are out", examples=["2"]
    )
    first_session: str = Field("", description="Day; sessions before it are out", examples=['"2024-01-01"'])
    last_session: str = Field("", description="Day; sessions after it are out", examples=['"2024-12-31"'])

    @field_validator("first_session", "last_session")
    @classmethod
    def _is_a_day(cls, value: str) -> str:
        if value and not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
            raise ValueError("write the day as YYYY-MM-DD")
        return value


class Dropout(Part):
    """Which definition of dropout the models use, and when silence counts as undetermined."""

    definition: DropoutDefinition = Field(
        DropoutDefinition.UNILATERAL,
        description="The definition of dropout that the models use (docs/answers.md)",
        examples=['"count_3"'],
    )
    silent_days: int = Field(
        90,
        ge=1,
        description="Silent for so many days at the data cut and no ending recorded: undetermined",
        examples=["120"],
    )


class ModelSpec(Part):
    """One model as declared data."""

    name: Name = Field(description="Name of the model in all tables", examples=['"satisfaction"'])
    kind: Literal["linear", "hazard"] = Field(
        description="Linear mixed model of sessions, or hazard of dropout", examples=['"linear"']
    )
    question: str = Field(
        description="What it asks, in a sentence for the report",
        examples=['"Are sessions with more guidance more satisfying?"'],
    )
    population: Literal["mart_session_directiveness", "mart_person_session"] = Field(
        description="The table whose rows are modelled", examples=['"mart_session_directiveness"']
    )
    outcome: Name = Field(description="Its column that is explained", examples=['"satisfaction_score"'])
    fixed: tuple[str, ...] = Field(
        min_length=1, description="Fixed effects, one text a term", examples=['["directiveness_within", "log_session"]']
    )
    random: tuple[str, ...] = Field(
        min_length=1, description="Random effects, as in lme4", examples=['["1 | client_id", "1 | therapist_id"]']
    )
    link: Literal[*LINK_NAMES] = Field("logit", description="Link of a hazard", examples=['"cloglog"'])
    engine: Literal["outcomes", "statsmodels"] = Field(
        "outcomes", description="What fits it; statsmodels for comparison", examples=['"statsmodels"']
    )

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
    CONTRASTS = "contrasts"  # near to and far from the preference; with little and much guidance
    CONNECTION = "connection"  # alliance, feedback, empowerment
    THERAPISTS = "therapists"  # how much they differ
    MISSING = "missing"  # what if ratings are missing for a reason
    MULTIVERSE = "multiverse"  # the slope within clients in every defensible way
    CERTAINTY = "certainty"  # how sure each finding is


class Answers(Part):
    """Which analyses the refresh runs."""

    leave_out: tuple[AnalysisName, ...] = Field(
        (), description="Analyses that are not run; the report says so", examples=['["multiverse"]']
    )


class Seal(Part):
    """Whether outcomes stay out of the database until the specification is sealed; see docs/multiverse.md."""

    required: bool = Field(
        False,
        description="Outcomes stay out of the database until `outcomes seal` (docs/multiverse.md)",
        examples=["true"],
    )


class Recovery(Part):
    """How closely it is tried whether data of this size can answer."""

    cohorts: int = Field(
        20,
        ge=0,
        le=1000,
        description="Simulated cohorts that try whether data of this size can answer; 0: left out",
        examples=["20"],
    )


AN_ADDRESS = "tcp://10.0.0.5:8786"


def is_address(text: str) -> bool:
    """Whether a text is the address of a Dask scheduler."""
    return bool(re.fullmatch(r"(tcp|tls)://[^\s/]+:\d{1,5}", text))


class Cluster(Part):
    """Who helps with the work that can be done side by side."""

    address: str = Field(
        "",
        description="Scheduler of a Dask cluster, to which numbers of single sessions cross (docs/cluster.md); "
        "`--cluster` goes before it; empty: this machine",
        examples=[f'"{AN_ADDRESS}"'],
    )

    @field_validator("address")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        if value and not is_address(value):
            raise ValueError(f"write the address as the scheduler prints it, e.g. {AN_ADDRESS}")
        return value


class Retention(Part):
    """Which earlier releases are kept; the published one always is."""

    keep_last: int = Field(0, ge=0, description="Releases to keep; 0 keeps all", examples=["12"])
    one_a_month: bool = Field(True, description="Of the older ones, keep the last of each month", examples=["true"])


class Schedule(Part):
    """How fresh the published release is expected to be."""

    expected_hours: float = Field(
        0, ge=0, description="`outcomes status` calls an older release stale; 0: never", examples=["26"]
    )


class StudySettings(Part):
    """All of `study.toml`."""

    study: Study = Field(description="What the study is called and asks")
    landing: Landing = Field(Landing(), description="What is still accepted at the door")
    sources: dict[Kind, Source] = Field(
        description="How files of one kind look: `sources.sessions`, `sources.episodes`, `sources.clients`"
    )
    scales: dict[Name, Scale] = Field(
        default_factory=dict,
        description="Rating scales by name: those of the contract that your files have, and ratings of your own",
    )
    instruments: dict[Name, ScoredScale] = Field(
        default_factory=dict,
        description="Scales whose scores are made of the items of a questionnaire, by the scale that they feed "
        "(docs/recipes/item-responses.md)",
    )
    cohort: Cohort = Field(Cohort(), description="Who is in the study")
    dropout: Dropout = Field(Dropout(), description="What counts as dropout")
    models: tuple[ModelSpec, ...] = Field((), description="Models to fit; empty: those of a new study")
    answers: Answers = Field(Answers(), description="Which analyses are run")
    multiverse: Multiverse = Field(
        Multiverse(), description="Defensible ways of estimating the slope within clients (docs/multiverse.md)"
    )
    seal: Seal = Field(Seal(), description="Whether outcomes wait for a sealed specification")
    recovery: Recovery = Field(Recovery(), description="Whether data of this size can answer")
    cluster: Cluster = Field(Cluster(), description="Who helps with the work (docs/cluster.md)")
    disclosure: Disclosure = Field(Disclosure(), description="What may leave (docs/trust.md)")
    retention: Retention = Field(Retention(), description="Which earlier releases are kept")
    schedule: Schedule = Field(Schedule(), description="How fresh the release is expected to be")
    delivery: Delivery = Field(Delivery(), description="Who gets what (docs/operations.md)")
    report: Report = Field(Report(), description="The stakeholders' report")
    feedback: Feedback = Field(Feedback(), description="Pages for single therapists, off by default (docs/feedback.md)")

    @model_validator(mode="before")
    @classmethod
    def _all_can_be_seen(cls, declared: Any) -> Any:
        for place, text in texts(declared):
            if visible(text) != text:
                raise ValueError(f"{visible(place)} has a sign that cannot be seen: {visible(text)}")
        return declared

    @model_validator(mode="after")
    def _parts_agree(self) -> StudySettings:
        if Kind.SESSIONS not in self.sources:
            raise ValueError("[sources.sessions] is needed: session ratings are what a study is made of")
        refuse_impossible_scales(self.scales)
        refuse_impossible_scores(self.instruments, self.scales)
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

    def unit(self, scale: str) -> str:
        """Return the unit of a scale, a plural noun; that of scales without one where it is not declared."""
        return self.scales[scale].unit if scale in self.scales else DEFAULT_UNIT

    @property
    def own_columns(self) -> tuple[Column, ...]:
        """What sessions files may hold beyond the contract: the study's own scales."""
        return tuple(own_column(name, self.scales[name]) for name in self.extra_scales)

    def columns(self, kind: Kind) -> tuple[Column, ...]:
        """Return what files of a kind may hold: the contract's columns and, for sessions, the study's own scales."""
        return CONTRACT[kind] + (self.own_columns if kind is Kind.SESSIONS else ())

    def scored(self, kind: Kind) -> dict[str, ScoredScale]:
        """Return the scales of one kind of file that are made of items; own scales are ratings of sessions."""
        return {
            name: scored for name, scored in self.instruments.items() if KIND_OF_SCALE.get(name, Kind.SESSIONS) is kind
        }

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
        first = {column.name for column in outcomes if column.is_central}
        own = [
            column
            for column in self.own_columns
            if self.scales[column.name].role is Role.OUTCOME and self.scales[column.name].measures not in first
        ]
        return (*(column for column in outcomes if column.name not in first), *own)
