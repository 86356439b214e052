"""The logistic likelihood of rows and its derivatives in the linear predictor, each computed when it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class Logistic:
    """Log-likelihood l = k eta - n log(1 + exp(eta)) of k events in n trials, as `outcomes.links.Derivatives` has it.

    In terms of exp(-|eta|), so that nothing overflows. A step towards a mode needs two of the four.

    Parameters
    ----------
    eta, events : ndarray, shape (rows,)
    trials : ndarray, shape (rows,), or None for single trials
    small, upper : ndarray, shape (rows,)
        exp(-|eta|), and the larger of p and 1 - p.
    """

    eta: np.ndarray
    events: np.ndarray
    trials: np.ndarray | None
    small: np.ndarray
    upper: np.ndarray

    @cached_property
    def loglik(self) -> np.ndarray:
        return self.events * self.eta - self._of_all(np.maximum(self.eta, 0.0) - np.log(self.upper))

    @cached_property
    def score(self) -> np.ndarray:
        return self.events - self._of_all(self._probability)

    @cached_property
    def weight(self) -> np.ndarray:
        return self._of_all(self._variance)

    @cached_property
    def third(self) -> np.ndarray:
        return self._of_all(self._variance * (1.0 - 2.0 * self._probability))

    @cached_property
    def _probability(self) -> np.ndarray:
        return np.where(self.eta >= 0, self.upper, self.small * self.upper)

    @cached_property
    def _variance(self) -> np.ndarray:
        return self.small * self.upper * self.upper

    def _of_all(self, values: np.ndarray) -> np.ndarray:
        """Of one trial to those of all trials of a row."""
        return values if self.trials is None else self.trials * values


def logistic_derivatives(eta: np.ndarray, events: np.ndarray, trials: np.ndarray | None) -> Logistic:
    """Derivatives of rows of events."""
    small = np.abs(eta)
    np.negative(small, out=small)
    np.exp(small, out=small)
    return Logistic(eta, events, trials, small, 1.0 / (1.0 + small))


def logistic_fourth(eta: np.ndarray, events: np.ndarray, trials: np.ndarray | None) -> np.ndarray:
    """w (1 - 6 p (1 - p))."""
    small = np.exp(-np.abs(eta))
    single = small / (1.0 + small) ** 2
    fourth = single * (1.0 - 6.0 * single)
    return fourth if trials is None else trials * fourth
