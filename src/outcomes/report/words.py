"""Results as plain sentences: absolute numbers first, a null result said as a result, refusals in place of numbers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from outcomes.models.state import CurvePoint, ModelStatus
from outcomes.report.facts import Estimate, ModelFacts
from outcomes.study.settings import DropoutDefinition

TERMS = {
    "(Intercept)": "Starting level",
    "directiveness_within": "Guidance in this session, compared with the client's usual",
    "directiveness_client": "The client's usual guidance, compared with other clients of the therapist",
    "directiveness_therapist": "The therapist's usual guidance, compared with other therapists",
    "directiveness_so_far": "Guidance on average so far",
    "directiveness_change": "Guidance in this session, compared with the sessions before",
    "log_session": "Session number (logarithm)",
    "session_1": "First session",
    "session_2": "Second session",
    "session_3": "Third session",
    "satisfaction_score": "satisfaction",
    "directiveness_score": "guidance",
    "is_dropout": "dropout",
}
"""Columns in plain words; a column that is not listed keeps its name."""

_REASONS = {
    "quarantined: see core_quarantine for the rules": "rows with mistakes in them",
    "superseded by a later file": "rows that a later file replaced",
    "directiveness not rated": "guidance not rated",
}
TOLD_SESSIONS = (8, 12, 3)
"""Of the sessions that dropout is told for, the one that words and table use: the first that there is."""

_STATES = {
    ModelStatus.CONVERGED: "calculation complete",
    ModelStatus.SINGULAR: "calculation complete, with a note",
    ModelStatus.NOT_CONVERGED: "calculation did not settle",
    ModelStatus.REFUSED: "not calculated",
}


DEFINITIONS = {
    DropoutDefinition.UNILATERAL: "the client ended it without agreement",
    DropoutDefinition.THERAPIST_JUDGED: "the therapist judged the ending to be premature",
    DropoutDefinition.COUNT_2: "the client came to fewer than 2 sessions",
    DropoutDefinition.COUNT_3: "the client came to fewer than 3 sessions",
    DropoutDefinition.COUNT_4: "the client came to fewer than 4 sessions",
    DropoutDefinition.COUNT_MEDIAN: "the client came to fewer sessions than half of all clients",
    DropoutDefinition.MISSED_LAST: "the last appointment was missed and none came after it",
    DropoutDefinition.PROTOCOL: "the client came to fewer sessions than were planned",
}
"""Definitions of dropout in plain words."""


class Direction(StrEnum):
    """What a 95% interval says about the sign of an effect."""

    MORE = "more"
    LESS = "less"
    UNCLEAR = "unclear"


@dataclass(frozen=True)
class Statement:
    """A headline and the sentences below it."""

    headline: str
    sentences: tuple[str, ...] = ()


def direction(effect: Estimate) -> Direction:
    """Read the sign off the interval; an interval that holds zero says nothing about it."""
    if effect.conf_low > 0:
        return Direction.MORE
    return Direction.LESS if effect.conf_high < 0 else Direction.UNCLEAR


def is_bend(term: str) -> bool:
    """Whether a term is the square of guidance within clients."""
    return term.replace(" ", "").replace("^", "**") in ("I(directiveness_within**2)", "directiveness_within**2")


def number(value: float, digits: int = 1) -> str:
    """A number with a true minus sign and no minus zero."""
    text = f"{value:.{digits}f}"
    text = text.removeprefix("-") if float(text) == 0 else text
    return text.replace("-", "−")


def percent(value: float) -> str:
    """A probability in whole percent; below 1% said so."""
    return "under 1%" if value < 0.005 else f"{round(100 * value)}%"


def of_100(value: float) -> str:
    """A probability as people out of 100."""
    return "fewer than 1" if value < 0.005 else str(round(100 * value))


def topic(model: ModelFacts) -> str:
    """What a model is about, in one word."""
    return "dropout" if model.kind == "hazard" else "satisfaction"


def state_label(model: ModelFacts) -> str:
    """The state of a fit in a few words; a complete one may have a note too (a column dropped, say)."""
    has_note = model.status is ModelStatus.CONVERGED and model.reason
    return _STATES[ModelStatus.SINGULAR if has_note else model.status]


def term_label(term: str) -> str:
    """A model's term for readers."""
    return "Bend of the line (guidance in this session, squared)" if is_bend(term) else TERMS.get(term, term)


def plain(text: str) -> str:
    """Replace column names and the pipeline's own words in a sentence by what they mean."""
    text = _REASONS.get(text, text)
    for name in sorted(TERMS, key=len, reverse=True):
        text = text.replace(name, TERMS[name][0].lower() + TERMS[name][1:])
    return text


def unusable(model: ModelFacts) -> Statement:
    """What stands where a model has no numbers to tell."""
    if model.status is ModelStatus.REFUSED:
        return Statement("These data cannot answer this.", (plain(model.reason),))
    return Statement(
        "No result: the calculation did not settle on an answer.",
        ("Its numbers would not be reliable and are not told here. The analyst has to look at the model.",),
    )


def satisfaction(model: ModelFacts, drawn: ModelFacts, unit: str, rated_in: str) -> Statement:
    """What more guidance than usual means for satisfaction, within clients, between clients, between therapists.

    `drawn` is the model whose curve is shown: where the line bends, its levels are the better ones. Guidance is in
    `unit`, satisfaction in `rated_in` (both plural, e.g. "points").
    """
    one = unit.removesuffix("s")
    within = model.term("directiveness_within")
    if within is None:
        headline = (
            "In these data clients always got their usual amount of guidance, so more or less of it cannot be compared."
            if "directiveness_within" in model.formula
            else "This model does not compare sessions of the same client."
        )
        sentences = []
    else:
        headline = {
            Direction.MORE: "On average, clients were more satisfied with sessions that had more guidance than usual.",
            Direction.LESS: "On average, clients were less satisfied with sessions that had more guidance than usual.",
            Direction.UNCLEAR: "We found no clear link between getting more guidance than usual and satisfaction.",
        }[direction(within)]
        size = _change(within, rated_in)
        sentences = [
            *_levels(drawn, unit),
            f"On average over that range, one {one} more guidance than usual for a client went with {size}.",
        ]
    for term, who in (
        ("directiveness_client", "Clients who usually got more guidance than other clients of the same therapist"),
        ("directiveness_therapist", "Clients of therapists who usually give more guidance than other therapists"),
    ):
        if effect := model.term(term):
            seen = {
                Direction.MORE: "were more satisfied",
                Direction.LESS: "were less satisfied",
                Direction.UNCLEAR: "were not clearly more or less satisfied",
            }[direction(effect)]
            sentences.append(f"{who} {seen}: one {one} more went with {_change(effect, rated_in)}.")
    return Statement(headline, tuple(sentences))


def _levels(model: ModelFacts, unit: str) -> list[str]:
    """Average ratings at the client's usual guidance and at both ends of the curve."""
    points = model.curves.get("satisfaction", ())
    if not points:
        return []
    usual = min(points, key=lambda p: abs(p.x))
    return [
        f"Sessions with the client's usual amount of guidance were rated {_level(usual)} on average; with clearly less "
        f"({number(abs(points[0].x))} {unit}), {_level(points[0])}; with clearly more ({number(points[-1].x)} {unit}), "
        f"{_level(points[-1])}."
    ]


def _level(point: CurvePoint) -> str:
    return f"{number(point.estimate)} (95% interval {number(point.conf_low)} to {number(point.conf_high)})"


def bend(model: ModelFacts) -> Statement:
    """What the curved model adds, without ever naming a best level."""
    squares = [e for e in model.estimates if e.variant == "main" and is_bend(e.term) and e.estimate is not None]
    if not squares:
        return Statement("")
    caution = (
        "Even a line that rises and then falls would not show a best amount of guidance for everyone. Clients differ "
        "in how much guidance they want, and averaging over them bends the line by itself; so do ratings that cannot "
        "go above the end of the scale. To tell one best amount from a fit with each client's wish, guidance and wish "
        "have to be looked at together; this report claims neither."
    )
    seen = {
        Direction.MORE: "The line bends upwards: it gets steeper as guidance goes above usual.",
        Direction.LESS: "The line bends downwards: it gets flatter, or turns, as guidance goes above usual.",
        Direction.UNCLEAR: "A bent line describes these sessions no better than a straight one: there is no clear "
        "sign of “too little” or “too much”.",
    }[direction(squares[0])]
    return Statement(seen, (caution,))


def dropout(model: ModelFacts, scale: str) -> Statement:
    """What the level of guidance so far, and a change in it, mean for dropout."""
    so_far = model.term("directiveness_so_far")
    if so_far is None:
        return Statement("This model does not ask about the level of guidance.")
    headline = {
        Direction.MORE: "Clients who got more guidance dropped out more often.",
        Direction.LESS: "Clients who got more guidance dropped out less often.",
        Direction.UNCLEAR: "We found no clear link between the amount of guidance and dropout.",
    }[direction(so_far)]
    sentences = []
    if told := _told_horizon(model):
        session, low, high = told
        sentences.append(
            f"Of 100 clients with little guidance ({number(low.x)} {scale}), about {of_100(low.estimate)} drop out "
            f"within {session} sessions (95% interval {of_100(low.conf_low)} to {of_100(low.conf_high)}); of 100 with "
            f"much guidance ({number(high.x)}), about {of_100(high.estimate)} ({of_100(high.conf_low)} to "
            f"{of_100(high.conf_high)})."
        )
    if change := model.term("directiveness_change"):
        seen = {
            Direction.MORE: "After a session with more guidance than before, clients left more often",
            Direction.LESS: "After a session with more guidance than before, clients left less often",
            Direction.UNCLEAR: "Whether a session had more or less guidance than those before made no clear "
            "difference to leaving after it",
        }[direction(change)]
        sentences.append(f"{seen}.")
    robust = model.term("directiveness_so_far", "cluster_robust")
    if robust is not None:
        agrees = direction(robust) is direction(so_far)
        sentences.append(
            "A second method that assumes less about therapists comes to the same conclusion."
            if agrees
            else "A second method that assumes less about therapists does not come to the same conclusion, so this "
            "result is fragile."
        )
    return Statement(headline, tuple(sentences))


def _told_horizon(model: ModelFacts) -> tuple[int, CurvePoint, CurvePoint] | None:
    """The first horizon that there is, with the lowest and the highest point of its curve."""
    for session in TOLD_SESSIONS:
        if points := model.curves.get(f"dropout_by_session_{session}"):
            return session, points[0], points[-1]
    return None


def _change(effect: Estimate, unit: str) -> str:
    """An effect on satisfaction with its interval, in words."""
    if direction(effect) is Direction.UNCLEAR:
        return (
            f"a difference in satisfaction that may be anything from {_signed(effect.conf_low, unit)} to "
            f"{_signed(effect.conf_high, unit)} (95% interval)"
        )
    low, high = sorted((abs(effect.conf_low), abs(effect.conf_high)))
    side = "higher" if effect.estimate > 0 else "lower"
    return (
        f"{number(abs(effect.estimate), 2)} {unit} {side} satisfaction "
        f"(95% interval {number(low, 2)} to {number(high, 2)})"
    )


def _signed(value: float, unit: str) -> str:
    text = number(abs(value), 2)
    if float(text) == 0:
        return "no difference"
    return f"{text} {unit} {'higher' if value > 0 else 'lower'}"
