"""When a model is not fitted because it would mislead: every threshold with its source, every reason with its numbers.

A refusal is a value: which rule, how much it needs, how much there is. Its sentence holds no count of the data, so that
it may stand in a report.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from outcomes.errors import FitRefused
from outcomes.languages import later
from outcomes.study.settings import Disclosure

MINIMUM_CLIENTS = 50
"""Fewest clients of a mixed model: below it the standard errors of client-level effects are too small (Maas & Hox
2005, doi 10.1027/1614-2241.1.3.86)."""

VERDICT_CLIENTS = 100
"""Fewest clients of a verdict: nine coefficients, several of them between clients, need about ten clients each (Harrell
2015, doi 10.1007/978-3-319-19425-7, section 4.4)."""

EVENTS_PER_TERM = 5
"""Fewest events, and fewest sessions without one, per fixed effect of a hazard (Vittinghoff & McCulloch 2007, doi
10.1093/aje/kwk052)."""

LEAST_VALUES = 2
"""Different values that an outcome must take for anything to explain differences in it."""

VERDICT_VALUES = 4
"""Different values of guidance that a curve with a bend needs: one more than its coefficients."""


class RefusalRule(StrEnum):
    """What there is too little of."""

    COHORT = "sessions in the cohort"
    COMPLETE = "sessions with all ratings"
    RATED = "sessions with both ratings"
    ENDINGS = "recorded endings"
    COLUMNS = "columns with values"
    DROPOUTS = "recorded dropouts"
    THERAPISTS = "therapists"
    CLIENTS = "clients"
    VERDICT_CLIENTS = "clients of a verdict"
    SPREAD = "values of the outcome"
    VERDICT_SPREAD = "values of guidance and outcome"
    STEADY = "clients whose guidance differs between sessions"
    EVENTS = "events for each term"
    SESSIONS = "sessions beyond terms"


SENTENCES = {
    RefusalRule.COHORT: later("No session of the cohort can take part in this model."),
    RefusalRule.COMPLETE: later("No session has all the ratings that this question needs."),
    RefusalRule.RATED: later("No session has both a rating of guidance and {about}."),
    RefusalRule.ENDINGS: later("No endings are recorded in these data, so nothing can be said about dropout."),
    RefusalRule.COLUMNS: later("The data hold no values for: {about}."),
    RefusalRule.DROPOUTS: later(
        "No dropout is recorded in these data under the study's definition, so nothing can be said about it."
    ),
    RefusalRule.THERAPISTS: later(
        "There are too few therapists. With so few, differences between therapists cannot be told "
        "from chance, and other results would look more certain than they are."
    ),
    RefusalRule.CLIENTS: later("There are too few clients with the ratings that this question needs."),
    RefusalRule.VERDICT_CLIENTS: later(
        "There are too few clients for a verdict on guidance: at least {needed} with complete ratings are needed."
    ),
    RefusalRule.SPREAD: later("All sessions have the same value of {about}, so nothing can explain differences in it."),
    RefusalRule.VERDICT_SPREAD: later(
        "Guidance or {about} hardly varies, so nothing can be said about their relation."
    ),
    RefusalRule.STEADY: later(
        "Each client has the same guidance in all sessions, so nothing can be said about more or less of it in the "
        "same client."
    ),
    RefusalRule.EVENTS: later("There are too few {about} for the number of terms in this model."),
    RefusalRule.SESSIONS: later("There are too few sessions for the number of terms in this model."),
}
"""By rule; report and brief say them in the language of the study."""
_HINTS = {
    RefusalRule.THERAPISTS: "pool practices",
    RefusalRule.CLIENTS: "wait for more clients",
    RefusalRule.VERDICT_CLIENTS: "collect more data, or pool the data of more practices",
}


@dataclass(frozen=True)
class Refusal:
    """One reason not to fit, or where `holds` is false one that does not apply.

    Attributes
    ----------
    rule : RefusalRule
    found, needed : int
        How much there is of what the rule counts, and the least that a fit takes.
    about : str
        What the sentence names: an outcome, columns, events.
    """

    rule: RefusalRule
    found: int
    needed: int = 1
    about: str = ""

    @property
    def holds(self) -> bool:
        """Whether there is too little."""
        return self.found < self.needed

    @property
    def sentence(self) -> str:
        """The reason in plain words, without any count of the data."""
        return SENTENCES[self.rule].format(about=self.about, needed=self.needed)

    def error(self) -> FitRefused:
        """The refusal as an error."""
        return FitRefused(self.sentence, _HINTS.get(self.rule, ""))


def first_that_holds(refusals: Iterable[Refusal]) -> Refusal | None:
    """The first reason not to fit; None where there is none."""
    return next((refusal for refusal in refusals if refusal.holds), None)


def refuse(*refusals: Refusal) -> None:
    """Raise the first reason not to fit, if there is one.

    Raises
    ------
    FitRefused
    """
    if first := first_that_holds(refusals):
        raise first.error()


def few_people(n_clients: int, n_therapists: int, rule: Disclosure) -> tuple[Refusal, Refusal]:
    """What a mixed model of sessions, clients and therapists needs."""
    return (
        Refusal(RefusalRule.THERAPISTS, n_therapists, rule.minimum_therapists),
        Refusal(RefusalRule.CLIENTS, n_clients, MINIMUM_CLIENTS),
    )


def few_events(n_events: int, n_sessions: int, n_terms: int, about: str) -> Refusal:
    """What a hazard needs: events, and sessions without one, for each of its terms."""
    return Refusal(RefusalRule.EVENTS, min(n_events, n_sessions - n_events), EVENTS_PER_TERM * n_terms, about)
