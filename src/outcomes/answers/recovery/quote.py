"""One estimate of one simulated cohort."""

from __future__ import annotations

import math
from dataclasses import dataclass

from outcomes.answers.common.fitting import LEVEL
from outcomes.answers.recovery.tables import EstimatorName

RISK_SESSION = 8
"""Session by which dropout is told."""
ALPHA = 1 - LEVEL


@dataclass(frozen=True)
class Quote:
    """One estimate of one cohort; all numbers are NaN where it was refused.

    Attributes
    ----------
    estimator : EstimatorName
    estimate, std_error, conf_low, conf_high : float
        Of a spread between therapists the error is the one that its test sees, not the interval's.
    is_found : bool
        The test says that there is an effect.
    """

    estimator: EstimatorName
    estimate: float = math.nan
    std_error: float = math.nan
    conf_low: float = math.nan
    conf_high: float = math.nan
    is_found: bool = False

    @property
    def is_refused(self) -> bool:
        """Whether there is no estimate with an interval."""
        return not all(map(math.isfinite, (self.estimate, self.std_error, self.conf_low, self.conf_high)))
