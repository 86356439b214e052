"""The rating scales that a study declares: those of the contract, and its own."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from pydantic import Field, model_validator

from outcomes.contract import CONTRACT, KIND_OF_SCALE, Column, Role, own_scale
from outcomes.study.tables.base import Part

DEFAULT_UNIT = "points"
DEFAULT_RANGE = (0, 10)
"""Of the ratings in the study file that `outcomes init` writes. A scale that was left so may be unused: whether it fits
the others is asked where data have it."""
OWN_ROLES = (Role.EXPOSURE, Role.OUTCOME, Role.MEDIATOR, Role.MODERATOR)
"""What a study's own scale, a rating of sessions, can be."""

_OF_CONTRACT = {column.name: column for columns in CONTRACT.values() for column in columns}
_TAKEN = frozenset(_OF_CONTRACT) | {column.published for column in _OF_CONTRACT.values()}


class Direction(StrEnum):
    """Whether a larger number means more of the construct."""

    MORE = "higher_is_more"
    LESS = "higher_is_less"


class Rater(StrEnum):
    """Who gave the rating."""

    CLIENT = "client"
    THERAPIST = "therapist"
    OBSERVER = "observer"


class Scale(Part):
    """One rating scale: range, direction, rater. The same construct by two raters is two scales."""

    minimum: float = Field(description="Lowest possible rating", examples=["0"])
    maximum: float = Field(description="Highest possible rating", examples=["10"])
    rater: Rater = Field(description="Who gave the rating", examples=['"client"'])
    direction: Direction = Field(
        Direction.MORE,
        description="Whether a larger number means more of the construct; scores are turned so that it does",
        examples=['"higher_is_less"'],
    )
    role: Role | None = Field(
        None,
        description="What an own scale is: exposure, outcome, mediator or moderator; the contract's scales have theirs",
        examples=['"outcome"'],
    )
    measures: str = Field(
        "", description="The construct, where the scale's own name is not it", examples=['"satisfaction"']
    )
    unit: str = Field(
        DEFAULT_UNIT,
        pattern=r"^[^\d{}]{1,40}$",
        description="A plural noun for sentences of the report",
        examples=['"points"'],
    )

    @model_validator(mode="after")
    def _range_is_not_empty(self) -> Scale:
        if not self.minimum < self.maximum:
            raise ValueError("minimum must be smaller than maximum")
        return self


def own_column(name: str, scale: Scale) -> Column:
    """Return the column of a scale that only the study declares.

    Its role is what the study says; else that of the construct that it measures; else outcome, so that a seal withholds
    it. Which scales are analysed as outcomes is `StudySettings.further_outcomes`.
    """
    measured = _OF_CONTRACT.get(scale.measures) if scale.measures in KIND_OF_SCALE else None
    role = scale.role or (measured.role if measured else Role.OUTCOME)
    spoken = name.replace("_", " ")
    of = f" ({scale.measures})" if scale.measures and scale.measures != name else ""
    return own_scale(name, role, f"The study's own scale {spoken}{of}, rated by the {scale.rater}")


def refuse_impossible_scales(scales: Mapping[str, Scale]) -> None:
    """Refuse scales that clash with columns, or that contradict the contract.

    Raises
    ------
    ValueError
        With the scale's place in the study file and what to do.
    """
    for name, scale in scales.items():
        if name in KIND_OF_SCALE:
            _refuse_contradiction(name, scale, scales)
        elif name in _TAKEN:
            raise ValueError(f"[scales.{name}]: {name!r} is a column already that is no scale; give it another name")
        elif scale.role and scale.role not in OWN_ROLES:
            raise ValueError(
                f"[scales.{name}] has the role {scale.role}, but an own scale is a rating of sessions; "
                f"choose one of: {', '.join(OWN_ROLES)}"
            )


def _refuse_contradiction(name: str, scale: Scale, scales: Mapping[str, Scale]) -> None:
    """Refuse a scale of the contract that is declared as something else."""
    column = _OF_CONTRACT[name]
    if scale.role not in (None, column.role):
        raise ValueError(
            f"[scales.{name}] has the role {scale.role}, but {name} is {column.role} here; "
            "leave role out, or give the scale a name of your own"
        )
    if has_other_metric(column, scales) and (scale.minimum, scale.maximum) != DEFAULT_RANGE:
        raise ValueError(two_metrics(column))


def has_other_metric(column: Column, scales: Mapping[str, Scale]) -> bool:
    """Say whether a scale that must share another's range has one of its own."""
    own, other = scales.get(column.name), scales.get(column.same_metric_as)
    return bool(own and other and (own.minimum, own.maximum) != (other.minimum, other.maximum))


def two_metrics(column: Column) -> str:
    """Say that two scales whose difference means something have different ranges."""
    return f"{column.same_metric_as} and {column.name} must share one metric (same minimum and maximum)"
