"""Bootstrap over therapists: they are drawn with all their clients and sessions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import stats

from outcomes.answers.common.fitting import LEVEL

DRAWS = 500
"""Place an interval's ends to about a twelfth of its width (Monte-Carlo error of a 2.5% quantile)."""
SEED = 3_812


@dataclass(frozen=True)
class Bootstrapped:
    """A quantity with its draws.

    Attributes
    ----------
    point : ndarray, any shape s
    draws : ndarray, shape (draws, *s)
    n_therapists : int
    """

    point: np.ndarray
    draws: np.ndarray
    n_therapists: int

    @cached_property
    def std_error(self) -> np.ndarray:
        """Standard deviation of the draws, widened by sqrt(J / (J - 1)), shape s."""
        return self.draws.std(axis=0, ddof=1) * np.sqrt(self.n_therapists / (self.n_therapists - 1))

    @cached_property
    def interval(self) -> tuple[np.ndarray, np.ndarray]:
        """Both ends of the expanded percentile interval, each of shape s.

        Percentiles of a bootstrap of few units are too narrow, like a normal interval with divisor n. The percentile is
        taken at Phi(-sqrt(J / (J - 1)) t_{J-1}) in place of 2.5% (Hesterberg 2015, doi 10.1080/00031305.2015.1089789).
        """
        j = self.n_therapists
        tail = stats.norm.cdf(-np.sqrt(j / (j - 1)) * stats.t.ppf((1 + LEVEL) / 2, j - 1))
        low, high = np.quantile(self.draws, [tail, 1 - tail], axis=0)
        return low, high

    @cached_property
    def p_value(self) -> np.ndarray:
        """Two-sided p against 0 by a t test on therapists less one; NaN where nothing varies, shape s."""
        error = self.std_error
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(error > 0, 2 * stats.t.sf(np.abs(self.point / error), self.n_therapists - 1), np.nan)

    def less(self, reference: int) -> Bootstrapped:
        """Each entry of the first axis less that of the reference."""
        held = slice(reference, reference + 1)
        return Bootstrapped(self.point - self.point[held], self.draws - self.draws[:, held], self.n_therapists)


def therapist_draws(n_therapists: int) -> np.ndarray:
    """How often each therapist is in each draw, shape (DRAWS, n_therapists); the first use is the only chance in it."""
    rng = np.random.default_rng(SEED)
    return rng.multinomial(n_therapists, np.full(n_therapists, 1 / n_therapists), size=DRAWS).astype(float)
