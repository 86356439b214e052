"""What the engine asks of a family of outcomes: the log-likelihood of a row and its derivatives.

A family may have parameters of its own beside the linear predictor: thresholds of ordered categories, the dispersion
of counts. They come first in psi (see `outcomes.mixed.layout.Layout`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from outcomes.links import Derivatives


@dataclass(frozen=True)
class OwnDerivatives:
    """Derivatives by the family's own r parameters: of the log-likelihood, the score and the weight, each (r, rows);
    `second` (r, r, rows) are the second ones of the log-likelihood."""

    loglik: np.ndarray
    score: np.ndarray
    weight: np.ndarray
    second: np.ndarray


class RowLikelihood(Protocol):
    """The likelihood of rows at given own parameters."""

    n_own: int

    def derivatives(self, eta: np.ndarray, events: np.ndarray, trials: np.ndarray | None) -> Derivatives:
        """Log-likelihood and derivatives in eta."""
        ...

    def fourth(self, eta: np.ndarray, events: np.ndarray, trials: np.ndarray | None) -> np.ndarray:
        """Derivative of `Derivatives.third` in eta; asked of families without own parameters only."""
        ...

    def by_own(self, eta: np.ndarray, events: np.ndarray, trials: np.ndarray | None) -> OwnDerivatives:
        """Derivatives by the own parameters; asked of families that have some."""
        ...

    def draw(self, eta: np.ndarray, trials: np.ndarray | None, rng: np.random.Generator) -> np.ndarray:
        """Outcomes (rows,) as the family reads them."""
        ...


class Family(Protocol):
    """A family of outcomes with its link.

    n_own : own parameters; is_own_located : whether they shift the outcome as fixed effects do (thresholds), so that
    the model without random effects estimates them too; latent_variance : residual variance on the link's scale, the
    unit in which a variance counts as zero; counts_extra_spread : whether one row informs a random intercept of its
    own.
    """

    n_own: int
    is_own_located: bool
    latent_variance: float
    counts_extra_spread: bool

    def at(self, own: np.ndarray) -> RowLikelihood:
        """The rows' likelihood at own parameters (r,)."""
        ...

    def first_own(self) -> np.ndarray:
        """Own parameters (r,) with which the model without random effects starts."""
        ...

    def start_eta(self, events: np.ndarray, trials: np.ndarray | None) -> np.ndarray | None:
        """A linear predictor by row near the outcomes; None where the search may start from zero."""
        ...

    def against(
        self, move: np.ndarray, own_move: np.ndarray, events: np.ndarray, trials: np.ndarray | None
    ) -> np.ndarray:
        """How far a movement of eta and the own parameters goes against each row's outcome; not above zero where it
        lowers no likelihood."""
        ...

    def own_messages(self, own: np.ndarray) -> list[str]:
        """What a reader must know of estimated own parameters (one at its boundary)."""
        ...
