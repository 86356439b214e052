"""Means and sums of something that people contribute to in different amounts: nobody may make up most of one."""

from __future__ import annotations

from collections.abc import Sequence

from outcomes.study.settings import Disclosure


def magnitude_may_be_shown(contributions: Sequence[float], rule: Disclosure) -> bool:
    """Say whether a mean or a sum may leave: enough people, and none of them dominates it.

    Three rules, as ACRO has them: at least `minimum_count` people; the `dominance_n` largest contributions make up less
    than `dominance_share` of the sum (n-k rule); all but the two largest together are at least `p_ratio` times the
    largest (p-ratio rule: else the second largest contributor could work out the largest).

    Parameters
    ----------
    contributions : sequence of float
        One a person, 0 or more (dominance is not defined with negative ones).
    rule : Disclosure
        The study's thresholds.

    Raises
    ------
    ValueError
        If a contribution is negative.

    Examples
    --------
    >>> magnitude_may_be_shown([1.0] * 12, Disclosure()), magnitude_may_be_shown([500.0] + [1.0] * 12, Disclosure())
    (True, False)
    """
    largest = sorted(contributions, reverse=True)
    if len(largest) < rule.minimum_count:
        return False
    if largest[-1] < 0:
        raise ValueError("dominance is not defined with negative contributions")
    total = sum(largest)
    if total == 0:
        return True
    is_dominated = sum(largest[: rule.dominance_n]) >= rule.dominance_share * total
    return not is_dominated and total - sum(largest[:2]) >= rule.p_ratio * largest[0]
