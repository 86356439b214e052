"""From the quotes of many simulated cohorts to one card an estimator: bias, coverage, power, and whether the data can
answer."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from scipy import stats

from outcomes.answers.balance.tables import Verdict
from outcomes.answers.recovery.quote import Quote
from outcomes.answers.recovery.tables import CanAnswer, EstimatorName, TriedVerdict
from outcomes.mixed import FitStatus

POWER = 0.80
FINDABLE = 2.8
"""Standard errors that an effect must have to be found in `POWER` of studies at the 5% level: 1.96 + 0.84."""
MAX_REFUSED = 0.2
MIN_COVERAGE = 0.9
"""Where even the upper end of the coverage's interval lies below this, intervals mislead."""
CONFIDENCE = 0.95
LOGIT_SD = math.pi / math.sqrt(3)


@dataclass(frozen=True)
class Yardstick:
    """From where an effect is worth finding, and from where it is large, in the estimator's unit.

    For slopes both are shares of a standard deviation of the outcome (`y`) per standard deviation of the predictor
    (`x`); the names are those of `Simulated.sds`.
    """

    worth: float
    large: float
    x: str = ""
    y: str = ""

    def in_unit(self, sds: Mapping[str, float]) -> tuple[float, float]:
        """Both ends in the estimator's unit."""
        scale = (sds[self.y] if self.y else 1.0) / (sds[self.x] if self.x else 1.0)
        return self.worth * scale, self.large * scale


def _slope(x: str, y: str = "satisfaction") -> Yardstick:
    """Session-level slopes in this field are .05 to .20 standard deviations (.16 to .21 in PMC7776120)."""
    return Yardstick(0.10, 0.20, x, y)


_RISK = Yardstick(0.05, 0.10)  # five and ten clients of a hundred
_SHARE = Yardstick(0.05, 0.10)  # therapists' usual share of outcome (Johns 2019), and twice that
_ODDS = Yardstick(math.log(1.53), math.log(1.93))  # latent shares .057 (Zimmermann 2017) and .126 (Saxon 2017)
_DISTANCE = Yardstick(0.10, 0.20, "", "satisfaction")  # a small difference between two ways to hold a session
_PATH = Yardstick(0.05, 0.10, "within", "satisfaction")  # of a product of two slopes less can be expected

ZERO: Callable[[Mapping[str, float]], float] = lambda known: 0.0  # noqa: E731  a truth, like those below


def _known(name: str) -> Callable[[Mapping[str, float]], float]:
    return lambda known: known[name]


@dataclass(frozen=True)
class Estimator:
    """One estimate that a report quotes.

    Attributes
    ----------
    name : EstimatorName
    question : str
        In plain words.
    unit : str
    yardstick : Yardstick
    truth : callable or None
        From the world's known truths; None, or a NaN, where it is what the same model finds in very large cohorts.
    needs : tuple of str
        Columns of mart_session_directiveness without which a study cannot ask.
    """

    name: EstimatorName
    question: str
    unit: str
    yardstick: Yardstick
    truth: Callable[[Mapping[str, float]], float] | None = None
    needs: tuple[str, ...] = ("satisfaction_score",)


SLOPE = "points of satisfaction per point of guidance"
_LOGIT = "log odds of dropping out after a session, per point of guidance"
_DISTANT = ("satisfaction_score", "directiveness_preferred_score")
_LEAVING = ("ending", "directiveness_preferred_score")
_WISH = ("satisfaction_score", "directiveness_preferred_score", "is_asked_about_guidance")

ESTIMATORS: tuple[Estimator, ...] = (
    Estimator(EstimatorName.WITHIN, "Are clients more satisfied with sessions that have more guidance than usual?",
              SLOPE, _slope("within"), _known("within")),
    Estimator(EstimatorName.CLIENTS, "Are clients who usually get more guidance more satisfied?",
              SLOPE, _slope("client"), _known("client")),
    Estimator(EstimatorName.CLIENTS_CORRECTED, "Is that so as well where each usual level is known exactly?",
              SLOPE, _slope("client"), _known("client exactly")),
    Estimator(EstimatorName.THERAPISTS, "Are clients of therapists who guide more also more satisfied?",
              SLOPE, _slope("therapist"), _known("therapist")),
    Estimator(EstimatorName.CLIENT_CONTEXT, "Does usual guidance matter otherwise than a session's own?",
              SLOPE, _slope("client"), _known("context of clients")),
    Estimator(EstimatorName.THERAPIST_CONTEXT, "Does a therapist's style matter otherwise than a session's guidance?",
              SLOPE, _slope("therapist"), _known("context of therapists")),
    Estimator(EstimatorName.REACTANCE, "Does guidance suit clients with little reactance better?",
              SLOPE + " and point of reactance", _slope("within times reactance"), None,
              ("satisfaction_score", "reactance_score")),
    Estimator(EstimatorName.NEXT_SATISFACTION, "Is the session after more guidance more satisfying?",
              SLOPE, _slope("within"), ZERO),
    Estimator(EstimatorName.NEXT_GUIDANCE, "Do therapists guide more after a more satisfying session?",
              "points of guidance per point of satisfaction", _slope("satisfaction", "guidance"), ZERO),
    Estimator(EstimatorName.DROPOUT_SO_FAR, "Do clients with more guidance drop out more often?",
              _LOGIT, _slope("so far", "logit"), None, ("ending",)),
    Estimator(EstimatorName.DROPOUT_CHANGE, "Do clients drop out after sessions with more guidance?",
              _LOGIT, _slope("change", "logit"), None, ("ending",)),
    Estimator(EstimatorName.DROPOUT_RISK, "How many more have dropped out by the eighth session?",
              "probability", _RISK, None, ("ending",)),
    Estimator(EstimatorName.ALLIANCE, "Does guidance work through the alliance?", SLOPE, _PATH, ZERO,
              ("satisfaction_score", "alliance_score")),
    Estimator(EstimatorName.OVERWHELM, "Does too much guidance work through feeling overwhelmed?",
              SLOPE, _PATH, ZERO, ("satisfaction_score", "felt_overwhelmed_score", "directiveness_preferred_score")),
    Estimator(EstimatorName.ASKED_DISTANCE, "Does asking bring guidance nearer to the wish?",
              "points of guidance", Yardstick(0.10, 0.20, "", "distance"), None, _WISH),
    Estimator(EstimatorName.ASKED_SATISFACTION, "Is the session after asking more satisfying?",
              "points of satisfaction", Yardstick(0.10, 0.20, "", "satisfaction"), None, _WISH),
    Estimator(EstimatorName.THERAPIST_SHARE, "How much of the differences in satisfaction lies with therapists?",
              "share of the variance", _SHARE),
    Estimator(EstimatorName.THERAPIST_ODDS, "How much do therapists differ in dropout?",
              "logarithm of the odds ratio", _ODDS, None, ("ending",)),
    Estimator(EstimatorName.RESPONSE, "Do therapists change guidance after a session's rating?",
              "points of guidance per point of satisfaction", _slope("satisfaction", "guidance"), ZERO),
    Estimator(EstimatorName.TOO_LITTLE_DROPOUT, "How many more drop out where guidance is two points too little?",
              "probability", _RISK, _known(EstimatorName.TOO_LITTLE_DROPOUT), _LEAVING),
    Estimator(EstimatorName.TOO_MUCH_DROPOUT, "How many more drop out where guidance is two points too much?",
              "probability", _RISK, _known(EstimatorName.TOO_MUCH_DROPOUT), _LEAVING),
    Estimator(EstimatorName.TOO_LITTLE_SATISFACTION, "How much less satisfying is guidance two points too little?",
              "points of satisfaction", _DISTANCE, _known(EstimatorName.TOO_LITTLE_SATISFACTION), _DISTANT),
    Estimator(EstimatorName.TOO_MUCH_SATISFACTION, "How much less satisfying is guidance two points too much?",
              "points of satisfaction", _DISTANCE, _known(EstimatorName.TOO_MUCH_SATISFACTION), _DISTANT),
)  # fmt: skip
VERDICTS = {
    TriedVerdict.SATISFACTION: "Is there one best level, fit to the wish, or neither, for satisfaction?",
    TriedVerdict.DROPOUT: "Is there one best level, fit to the wish, or neither, for dropout?",
}


@dataclass(frozen=True)
class Card:
    """One row of table `recovery_cards`; numbers are None where there are none."""

    estimator: EstimatorName | TriedVerdict
    question: str
    unit: str
    n_cohorts: int
    answer: CanAnswer
    reason: str
    status: FitStatus
    truth: float | None = None
    bias: float | None = None
    bias_mc_error: float | None = None
    coverage: float | None = None
    coverage_low: float | None = None
    coverage_high: float | None = None
    power: float | None = None
    power_low: float | None = None
    power_high: float | None = None
    smallest_effect: float | None = None
    effect_worth_finding: float | None = None
    large_effect: float | None = None


@dataclass(frozen=True)
class Simulated:
    """What the cohorts gave.

    Attributes
    ----------
    cohorts : sequence of mapping
        Quotes by estimator; one mapping a cohort.
    large : sequence of mapping
        The same of very large cohorts.
    known : mapping
        Truths in closed form.
    sds : mapping
        Standard deviations that the yardsticks name.
    """

    cohorts: Sequence[Mapping[str, Quote]]
    large: Sequence[Mapping[str, Quote]]
    known: Mapping[str, float] = field(default_factory=dict)
    sds: Mapping[str, float] = field(default_factory=dict)


def card(estimator: Estimator, found: Simulated) -> Card:
    """Summarise one estimator over the cohorts."""
    given = [cohort[estimator.name] for cohort in found.cohorts if estimator.name in cohort]
    given = [quote for quote in given if not quote.is_refused]
    n = len(found.cohorts)
    words = (estimator.name, estimator.question, estimator.unit, n)
    if len(given) < (1 - MAX_REFUSED) * n:
        reason = "In data of this size the answer is refused: there are too few therapists, clients or events."
        return Card(*words, CanAnswer.NO, reason, FitStatus.REFUSED)
    truth, truth_error = truth_of(estimator, found)
    values = np.array([quote.estimate for quote in given])
    errors = np.array([quote.std_error for quote in given])
    spread = values.std(ddof=1) / math.sqrt(len(given)) if len(given) > 1 else float(errors[0])
    bias, bias_error = float(values.mean() - truth), math.hypot(spread, truth_error)
    coverage = share_of(sum(quote.conf_low <= truth <= quote.conf_high for quote in given), len(given))
    power = share_of(sum(quote.is_found for quote in given), len(given)) if truth else (None, None, None)
    smallest = FINDABLE * float(errors.mean())
    worth, large = estimator.yardstick.in_unit(found.sds)
    answer, reason = judged(smallest, bias, bias_error, coverage[2], (worth, large))
    return Card(
        *words, answer, reason, FitStatus.CONVERGED, truth, bias, bias_error, *coverage, *power, smallest, worth, large
    )  # fmt: skip


def verdict_card(name: TriedVerdict, in_null: Sequence[str], in_fit: Sequence[str], positive: frozenset[str]) -> Card:
    """How often a verdict is right: no false one where guidance does nothing, `fit` where fit is true.

    `coverage` is the share of the worlds without effect in which no effect was claimed, `power` the share of the worlds
    of fit (misfit as costly as in the calibrated world) in which the verdict is fit. Each is of the cohorts that its
    world was tried in.
    """
    words = (name, VERDICTS[name], "share of cohorts", max(len(in_null), len(in_fit)))
    if sum(verdict == FitStatus.REFUSED for verdict in (*in_null, *in_fit)) > MAX_REFUSED * len((*in_null, *in_fit)):
        return Card(*words, CanAnswer.NO, "In data of this size the verdict is refused: there are too few therapists "
                    "or clients.", FitStatus.REFUSED)  # fmt: skip
    tried = (len(in_null), len(in_fit))
    rights = [share_of(*one) for one in zip(verdict_rights(in_null, in_fit, positive), tried, strict=True)]
    answer, reason = verdict_class(*rights)
    return Card(*words, answer, reason, FitStatus.CONVERGED, None, None, None, *rights[0], *rights[1])


def verdict_rights(in_null: Sequence[str], in_fit: Sequence[str], positive: frozenset[str]) -> tuple[int, int]:
    """In how many cohorts the verdict is right: without effect, and with fit."""
    return sum(verdict not in positive for verdict in in_null), sum(verdict == Verdict.FIT for verdict in in_fit)


def verdict_class(
    right_null: tuple[float, float, float], right_fit: tuple[float, float, float]
) -> tuple[CanAnswer, str]:
    """The answer of a verdict from its two shares of right ones (share, low, high)."""
    if is_often_false(right_null):
        return CanAnswer.NO, "Too often an effect is claimed where there is none."
    return recognised(right_fit)


def is_often_false(right_null: tuple[float, float, float]) -> bool:
    """What the worlds without effect say of the answer (share, low, high of right verdicts)."""
    return right_null[2] < MIN_COVERAGE


def recognised(right_fit: tuple[float, float, float]) -> tuple[CanAnswer, str]:
    """What the worlds of fit say of the answer (share, low, high of right verdicts)."""
    if right_fit[0] >= 0.8:
        return CanAnswer.YES, "Fit to the wish is recognised where it is as strong as usual."
    if right_fit[0] >= 0.5:
        return CanAnswer.LARGE, "Fit to the wish as strong as usual is recognised in about half of such studies."
    return CanAnswer.NO, "Fit to the wish as strong as usual is mostly left undecided."


def judged(
    smallest: float, bias: float, bias_error: float, coverage_high: float, ends: tuple[float, float]
) -> tuple[CanAnswer, str]:
    """The answer: an effect worth finding must stand out from chance and from the estimator's own bias."""
    if coverage_high < MIN_COVERAGE:
        return CanAnswer.NO, "Its intervals miss the truth too often: they look more certain than they are."
    is_biased = abs(bias) > 2 * bias_error
    needed = smallest + (abs(bias) if is_biased else 0.0)
    why = " and of the estimate's own bias" if is_biased else ""
    if needed <= ends[0]:
        return CanAnswer.YES, f"An effect worth finding stands out of chance{why}."
    if needed <= ends[1]:
        return CanAnswer.LARGE, f"Only a large effect stands out of chance{why}."
    return CanAnswer.NO, f"Even a large effect does not stand out of chance{why}."


def truth_of(estimator: Estimator, found: Simulated) -> tuple[float, float]:
    """The truth and its own error."""
    known = estimator.truth(found.known) if estimator.truth else math.nan
    if not math.isnan(known):
        return known, 0.0
    large = [cohort[estimator.name] for cohort in found.large if estimator.name in cohort]
    large = [quote for quote in large if not quote.is_refused]
    if not large:
        return math.nan, math.nan
    values, errors = (np.array([getattr(quote, name) for quote in large]) for name in ("estimate", "std_error"))
    return float(values.mean()), float(np.sqrt((errors**2).sum()) / len(large))


@lru_cache(maxsize=4_096)
def share_of(hits: int, n: int) -> tuple[float, float, float]:
    """Share with its Clopper-Pearson interval."""
    interval = stats.binomtest(hits, n).proportion_ci(CONFIDENCE)
    return hits / n, float(interval.low), float(interval.high)
