"""Specifications of the multiverse: every combination of the choices that a study declares and its data allow."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product

import duckdb

from outcomes.answers.multiverse.rows import ratings
from outcomes.answers.multiverse.tables import Choosing, choice_words
from outcomes.study.settings import StudySettings
from outcomes.study.tables.multiverse import (
    Centring,
    Covariates,
    Detrending,
    Equivalence,
    Exclusion,
    Lag,
    Responsiveness,
    Structure,
)

TESTED = "within"

_BETWEEN = {
    Centring.CLIENT_COUNTS_ONCE: ("client", "therapist"),
    Centring.SESSION_WEIGHTED: ("client_by_sessions", "therapist_by_sessions"),
    Centring.CLIENT_ONLY: ("client_mean",),
}
TREND = {Detrending.NONE: (), Detrending.LINEAR: ("session",), Detrending.LOG: ("log_session",)}
COVARIATES = {
    Covariates.NONE: (),
    Covariates.SEVERITY: ("severity",),
    Covariates.PREFERENCE: ("preference",),
    Covariates.BOTH: ("severity", "preference"),
}
_RANDOM = {
    Structure.TWO_LEVELS: (),
    Structure.THREE_LEVELS: ("(1 | therapist_id)",),
    Structure.SLOPE_BY_THERAPIST: ("(1 | therapist_id)", f"(0 + {TESTED} | therapist_id)"),
}
_BY_CLIENT = {Lag.SAME_SESSION: f"(1 + {TESTED} | client_id)", Lag.NEXT_SESSION: "(1 | client_id)"}
"""A lagged outcome leaves too little of the client for a slope of its own; `answers.guidance` does the same."""
_LAGGED = {Lag.SAME_SESSION: (), Lag.NEXT_SESSION: ("within_next", "y", "y_first", "d_first")}
_OUTCOME = {Lag.SAME_SESSION: "y", Lag.NEXT_SESSION: "y_next"}

TAKES_PART: dict[str, Callable[[int, int], bool]] = {
    Exclusion.NONE: lambda n_sessions, n_therapists: True,
    Exclusion.FEWER_THAN_2: lambda n_sessions, n_therapists: n_sessions >= 2,
    Exclusion.FEWER_THAN_3: lambda n_sessions, n_therapists: n_sessions >= 3,
    Exclusion.CHANGED_THERAPIST: lambda n_sessions, n_therapists: n_therapists == 1,
}
"""Whether a client with so many rated sessions and therapists takes part."""


@dataclass(frozen=True)
class Space:
    """What there is to choose from.

    Attributes
    ----------
    choices : dict of str to tuple of str
        Dimension: its choices that the data allow, never none; ratings first, then in the order of `formula`.
    types : dict of str to Equivalence
    left_out : tuple of str
        Choices and dimensions that the data do not allow, in words.
    """

    choices: dict[str, tuple[str, ...]]
    types: dict[str, Equivalence]
    left_out: tuple[str, ...]

    def specs(self) -> Iterator[dict[str, str]]:
        """Every combination: dimension to choice. Those that share their rows follow one another."""
        ignored = {Choosing.RESPONSIVENESS: Responsiveness.IGNORED}
        yield from (
            dict(zip(self.choices, combination, strict=True)) | ignored
            for combination in product(*self.choices.values())
        )

    @property
    def pooled(self) -> tuple[str, ...]:
        """Dimensions over which specifications are pooled: equivalent, and with something to choose."""
        return self._open(lambda kind: kind is Equivalence.EQUIVALENT)

    @property
    def apart(self) -> tuple[str, ...]:
        """Dimensions whose choices stay apart."""
        return self._open(lambda kind: kind is not Equivalence.EQUIVALENT)

    def _open(self, wanted: Callable[[Equivalence], bool]) -> tuple[str, ...]:
        return tuple(name for name, found in self.choices.items() if len(found) > 1 and wanted(self.types[name]))


def formula(spec: Mapping[str, str]) -> str:
    """One specification in lme4's syntax, over the columns of `multiverse_rows.session_table`."""
    lag = spec[Choosing.LAG]
    fixed = (
        TESTED,
        *_LAGGED[lag],
        *_BETWEEN[spec[Choosing.CENTRING]],
        *TREND[spec[Choosing.DETRENDING]],
        *COVARIATES[spec[Choosing.COVARIATES]],
    )
    return f"{_OUTCOME[lag]} ~ " + " + ".join([*fixed, _BY_CLIENT[lag], *_RANDOM[spec[Choosing.STRUCTURE]]])


def space(settings: StudySettings, rows: duckdb.DuckDBPyRelation) -> Space:
    """The declared dimensions, less what these data do not allow."""
    declared = settings.multiverse
    rated = (Choosing.SATISFACTION_RATING, Choosing.GUIDANCE_RATING)
    names = [name for name in Choosing if name not in (*rated, Choosing.RESPONSIVENESS)]
    constructs = dict(zip(rated, ("satisfaction", "directiveness"), strict=True))
    choices: dict[str, tuple[str, ...]] = {name: ratings(settings, of) for name, of in constructs.items()}
    choices |= {name: getattr(declared, name).choices for name in names}
    types = dict.fromkeys(rated, declared.raters)
    types |= {name: getattr(declared, name).type for name in names}
    left_out = []
    for dimension, scale in zip(rated, ("satisfaction", "guidance"), strict=True):
        if len(choices[dimension]) == 1:
            left_out.append(f"{choice_words(dimension)}: the study declares one scale that measures {scale}")
    for dimension, choice, reason in _impossible(rows):
        if choice in choices[dimension]:
            left = tuple(name for name in choices[dimension] if name != choice)
            # The whole cohort and no covariates are always possible, also where they were not asked for.
            choices[dimension] = left or ((Covariates.NONE,) if dimension == Choosing.COVARIATES else (Exclusion.NONE,))
            left_out.append(f"{choice_words(dimension)}, {choice_words(choice)}: {reason}")
    return Space(choices, types, tuple(left_out))


def _impossible(rows: duckdb.DuckDBPyRelation) -> Iterator[tuple[str, str, str]]:
    """Choices that change nothing or that no session has the columns for."""
    found = rows.aggregate(
        "count(severity) > 0, count(preference) > 0, min(n_sessions) < 2, min(n_sessions) < 3, max(n_therapists) > 1"
    ).fetchall()[0]
    has_severity, has_preference, has_below_2, has_below_3, has_change = (bool(fact) for fact in found)
    if not has_severity:
        yield Choosing.COVARIATES, Covariates.SEVERITY, "not known for any session"
    if not has_preference:
        yield Choosing.COVARIATES, Covariates.PREFERENCE, "not known for any session"
    if not (has_severity and has_preference):
        yield Choosing.COVARIATES, Covariates.BOTH, "not both known for any session"
    if not has_below_2:
        yield Choosing.EXCLUSIONS, Exclusion.FEWER_THAN_2, "no client has fewer"
    if not has_below_3:
        yield Choosing.EXCLUSIONS, Exclusion.FEWER_THAN_3, "no client has fewer"
    if not has_change:
        yield Choosing.EXCLUSIONS, Exclusion.CHANGED_THERAPIST, "no client changed therapist"
