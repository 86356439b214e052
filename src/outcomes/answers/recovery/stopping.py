"""When further cohorts would not change what a card says: the class that it gives is as good as certain.

Stochastic curtailment (Lan, Simon & Halperin 1982, doi 10.1080/07474948208836014) with predictive probabilities
(Spiegelhalter, Freedman & Blackburn 1986, doi 10.1016/0197-2456(86)90003-6): the cohorts still to come are drawn from
what those so far let expect, and the card's class is worked out for each completed set.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from outcomes.answers.recovery.cards import (
    FINDABLE,
    MAX_REFUSED,
    Estimator,
    Simulated,
    card,
    is_often_false,
    judged,
    recognised,
    share_of,
    truth_of,
    verdict_class,
    verdict_rights,
)
from outcomes.mixed import FitStatus

FIRST, STEP = 10, 2
"""Cohorts before the first look, and between looks. Of 20 no class can be certain earlier: after eight cohorts without
a refusal more than four further ones are expected in 1.6 of 100 studies, after ten in 0.5."""
CERTAIN = 0.99
"""Predictive probability of the class so far from which on it counts as certain."""
CERTAIN_APART = 0.995
"""The same of what one of a verdict's two worlds says alone, so that both together are wrong in 1 of 100 at most."""
COMPLETIONS, SEED = 1_000, 1_982
_JEFFREYS = 0.5


def rounds(n_cohorts: int) -> list[range]:
    """Cut so many cohorts, numbered from 0, into those before each look."""
    ends = [*range(FIRST, n_cohorts, STEP), n_cohorts]
    return [range(start, end) for start, end in zip([0, *ends[:-1]], ends, strict=True)]


def is_settled(estimator: Estimator, found: Simulated, n_cohorts: int) -> bool:
    """Whether all `n_cohorts` would give an estimator the class that the cohorts so far give it."""
    given = [cohort[estimator.name] for cohort in found.cohorts if estimator.name in cohort]
    given = [quote for quote in given if not quote.is_refused]
    n, n_given = len(found.cohorts), len(given)
    now = card(estimator, found)
    left = n_cohorts - n
    if left <= 0 or n - n_given > MAX_REFUSED * n_cohorts:  # refused already, whatever comes
        return True
    if n_given < 2:
        return False
    rng = np.random.default_rng(SEED)
    truth, truth_error = truth_of(estimator, found)
    hits = sum(quote.conf_low <= truth <= quote.conf_high for quote in given)
    more = left - _more(rng, n - n_given, n, left)
    all_given = n_given + more
    hit_share = rng.beta(hits + _JEFFREYS, n_given - hits + _JEFFREYS, COMPLETIONS)
    all_hits = hits + rng.binomial(more, hit_share)
    values, errors = (np.array([getattr(quote, name) for quote in given]) for name in ("estimate", "std_error"))
    value, error = (_completed_mean(rng, one, more) for one in (values, errors))
    spread = np.hypot(values.std(ddof=1) / np.sqrt(all_given), truth_error)
    ends = estimator.yardstick.in_unit(found.sds)
    same = [
        m >= (1 - MAX_REFUSED) * n_cohorts
        and judged(FINDABLE * e, v - truth, s, share_of(int(h), int(m))[2], ends)[0] is now.answer
        and now.status is FitStatus.CONVERGED
        for m, h, v, e, s in zip(all_given, all_hits, value, error, spread, strict=True)
    ]
    return bool(np.mean(same) >= CERTAIN)


def is_verdict_settled(in_null: Sequence[str], in_fit: Sequence[str], positive: frozenset[str], n_cohorts: int) -> bool:
    """Whether all `n_cohorts` would give a verdict the class that the cohorts so far give it."""
    tried = (len(in_null), len(in_fit))
    left = n_cohorts - max(tried)
    refused = sum(verdict == FitStatus.REFUSED for verdict in (*in_null, *in_fit))
    if left <= 0 or refused > MAX_REFUSED * 2 * n_cohorts:
        return True
    if refused:
        return False
    rng = np.random.default_rng(SEED)
    rights = verdict_rights(in_null, in_fit, positive)
    now = verdict_class(*(share_of(right, n) for right, n in zip(rights, tried, strict=True)))
    completed = [right + _more(rng, right, n, left) for right, n in zip(rights, tried, strict=True)]
    pairs, times = np.unique(completed, axis=1, return_counts=True)
    same = [
        verdict_class(*(share_of(int(right), n + left) for right, n in zip(pair, tried, strict=True))) == now
        for pair in pairs.T
    ]
    return bool(np.average(same, weights=times) >= CERTAIN)


def settled_worlds(
    in_null: Sequence[str], in_fit: Sequence[str], positive: frozenset[str], n_cohorts: int
) -> tuple[bool, bool]:
    """Whether all `n_cohorts` would leave what the world without effect, and that of fit, says of a verdict's class."""
    left = n_cohorts - max(len(in_null), len(in_fit))
    if left <= 0:
        return True, True
    if FitStatus.REFUSED in (*in_null, *in_fit):
        return False, False
    rng = np.random.default_rng(SEED)
    rights = verdict_rights(in_null, in_fit, positive)
    null, fit = (
        _is_same(part, right, n, right + _more(rng, right, n, left), n + left)
        for part, right, n in zip((is_often_false, recognised), rights, (len(in_null), len(in_fit)), strict=True)
    )
    return null, fit


def _is_same(
    part: Callable[[tuple[float, float, float]], object], right: int, n: int, completed: np.ndarray, n_completed: int
) -> bool:
    """Whether a part of a verdict's class is as good as certain to stay."""
    now, (values, times) = part(share_of(right, n)), np.unique(completed, return_counts=True)
    same = [part(share_of(int(one), n_completed)) == now for one in values]
    return bool(np.average(same, weights=times) >= CERTAIN_APART)


def where_tried(found: Simulated, tried: Sequence[frozenset[str]], name: str) -> Simulated:
    """Only the cohorts in which an estimator was tried."""
    cohorts: list[Mapping] = [one for one, names in zip(found.cohorts, tried, strict=True) if name in names]
    return replace(found, cohorts=cohorts)


def _more(rng: np.random.Generator, hits: int, n: int, left: int) -> np.ndarray:
    """Further hits in each completion, beta-binomial after Jeffreys' prior."""
    return rng.binomial(left, rng.beta(hits + _JEFFREYS, n - hits + _JEFFREYS, COMPLETIONS))


def _completed_mean(rng: np.random.Generator, values: np.ndarray, more: np.ndarray) -> np.ndarray:
    """Mean of all values once `more` have come, in each completion (the predictive t distribution)."""
    n = values.size
    t = rng.standard_t(n - 1, COMPLETIONS) * values.std(ddof=1)
    further = values.mean() + t * np.sqrt(1 / n + 1 / np.maximum(more, 1))
    return (n * values.mean() + more * further) / (n + more)
