"""The contract of the source files: kinds, columns, rules and refusals, each stated once.

Landing enforces it, the simulator plants violations of it, `outcomes init` writes it into the study's own page. What a
release publishes of a rating, what a seal withholds, which checks its range has and how it is described follow from it.
"""

from outcomes.contract.columns import (
    CONTRACT,
    KIND_OF_SCALE,
    MEASURED,
    OTHER_SCORES,
    SCORE,
    Column,
    own_scale,
    scales_of,
)
from outcomes.contract.left_out import LEFT_OUT_REASONS, LeftOut
from outcomes.contract.refusals import REFUSAL_REASONS, Refusal
from outcomes.contract.rules import RULE_REASONS, Rule
from outcomes.contract.vocabulary import AGE_BANDS, GENDERS, Ending, Kind, Role, ValueType

__all__ = [
    "AGE_BANDS",
    "CONTRACT",
    "GENDERS",
    "KIND_OF_SCALE",
    "LEFT_OUT_REASONS",
    "MEASURED",
    "OTHER_SCORES",
    "REFUSAL_REASONS",
    "RULE_REASONS",
    "SCORE",
    "Column",
    "Ending",
    "Kind",
    "LeftOut",
    "Refusal",
    "Role",
    "Rule",
    "ValueType",
    "own_scale",
    "scales_of",
]
