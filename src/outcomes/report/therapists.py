"""How much therapists differ, in words; nothing in it can be traced to one of them."""

from __future__ import annotations

import math

from outcomes.analyses.therapist_effects import RESIDUAL_VARIANCE, LatentResidual, median_odds_ratio, variance_share
from outcomes.models.state import ModelStatus
from outcomes.report.facts import ModelFacts
from outcomes.report.words import Statement, number, percent, topic, unusable

_GROUP, _INTERCEPT = "therapist_id", "(Intercept)"
_NO_DIFFERENCE = 0.005  # a share that would print as 0%
_NAMES = {"therapist_id": "between therapists", "client_id": "between clients", "practice_id": "between practices"}
_RESIDUAL = "from session to session"


def therapist_statement(model: ModelFacts) -> Statement:
    """Say how much of the differences in a model's outcome lies between therapists, or why that cannot be said."""
    if not model.has_enough_therapists:
        return Statement(
            "There are too few therapists to say how much they differ.",
            ("With so few, differences between them cannot be told from chance.",),
        )
    if not model.is_usable:
        return unusable(model)
    if (_GROUP, _INTERCEPT) not in model.variances:
        return Statement("This model does not look at differences between therapists.")
    between = model.variances[_GROUP, _INTERCEPT] ** 2
    share = variance_share(between, _total(model) - between)
    if share < _NO_DIFFERENCE:
        return Statement(
            f"We found no measurable differences between therapists in {topic(model)}.",
            ("That is a result: in these data it matters little for it which therapist a client sees.",),
        )
    if model.kind == "linear":
        return Statement(
            f"About {percent(share)} of the differences in {topic(model)} lie between therapists.",
            (
                # The median difference of two draws from N(0, s2v) is the logarithm of the median odds ratio.
                f"For two therapists picked at random, the average ratings of similar clients typically differ by "
                f"{number(math.log(median_odds_ratio(between)))} points (half of all such pairs differ by less).",
            ),
        )
    ratio = median_odds_ratio(between)
    measure = "odds" if model.link == "logit" else "risk at each session"
    return Statement(
        f"About {percent(share)} of the differences in {topic(model)} lie between therapists.",
        (
            f"For two therapists picked at random and the same client, the {measure} of dropping out with the one are "
            f"typically {number(ratio, 2)} times those with the other (median ratio; 1 would be no difference).",
        ),
    )


def variance_shares(model: ModelFacts) -> dict[str, float]:
    """Shares of the variance of a linear model's outcome by where it lies, 0 to 1; empty where it cannot be told."""
    known = model.has_enough_therapists and model.is_usable and model.kind == "linear"
    if not known or (_GROUP, _INTERCEPT) not in model.variances:
        return {}
    total = _total(model)
    groups = [group for group, term in model.variances if term == _INTERCEPT]
    groups.sort(key=lambda group: group != _GROUP)
    shares = {_NAMES.get(group, group): model.variances[group, _INTERCEPT] ** 2 / total for group in groups}
    return {**shares, _RESIDUAL: model.variances["residual", ""] ** 2 / total}


def note_on_state(model: ModelFacts) -> str:
    """What a reader must know of a fit that is complete with a note."""
    if model.status is not ModelStatus.SINGULAR:
        return ""
    return (
        "One part of this model is at the edge of what is possible (a difference that is zero, or two that always go "
        "together); its other results stand."
    )


def _total(model: ModelFacts) -> float:
    """Variance of the outcome that the random intercepts and the lowest level make up."""
    lowest = (
        model.variances["residual", ""] ** 2
        if model.kind == "linear"
        else RESIDUAL_VARIANCE[LatentResidual(model.link)]
    )
    return lowest + sum(sd**2 for (_, term), sd in model.variances.items() if term == _INTERCEPT)
