"""Links of binary outcomes, each whole: likelihood, inverse, latent variance, name of its effect, statsmodels' twin.

A further link is one more entry of `LINKS`; everything else asks the object. Symbols: eta is the linear predictor, k of
n trials are events.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from outcomes.errors import FitRefused, UsageError
from outcomes.logistic import logistic_derivatives, logistic_fourth

ETA_LIMIT = 500.0
"""Linear predictors are cut at +-500: probabilities are 0 or 1 to machine precision long before, and exp stays
finite."""

SMALLEST_SHARE = 1e-15
"""Probabilities closer to 0 or 1 have no link value that a number can hold."""

INTEGER_TOLERANCE = 1e-6
"""Shares times trials must be within this of whole numbers of events."""


def _special() -> ModuleType:
    """scipy's special functions, loaded where they are used: study files ask this module for names only."""
    from scipy import special

    return special


@dataclass(frozen=True)
class Derivatives:
    """Log-likelihood of rows and its derivatives in eta; arrays of shape (rows,).

    score = dl/deta, weight = -d2l/deta2 (observed information), third = dweight/deta.
    """

    loglik: np.ndarray
    score: np.ndarray
    weight: np.ndarray
    third: np.ndarray


@dataclass(frozen=True)
class Ratio:
    """What exp(effect) is: `column` in tables, `label` on pages."""

    column: str
    label: str


@dataclass(frozen=True)
class Link:
    """A link function of the binomial model; pickled by its name.

    Parameters
    ----------
    name : str
    derivatives : callable
        (eta, events, trials) -> Derivatives; `trials` is None when every row is one trial. Binomial coefficients are
        left out.
    fourth : callable
        (eta, events, trials) -> d third / d eta.
    inverse : callable
        eta -> probability.
    start : callable
        probability -> eta.
    latent_variance : float
        Variance of the latent residual: pi^2/3 (logistic), pi^2/6 (extreme value) or 1 (normal).
    ratio : Ratio or None
        What exp(effect) means; None where it means nothing.
    twin : str
        Name of statsmodels' link class.
    """

    name: str
    derivatives: Callable[[np.ndarray, np.ndarray, np.ndarray | None], Derivatives]
    fourth: Callable[[np.ndarray, np.ndarray, np.ndarray | None], np.ndarray]
    inverse: Callable[[np.ndarray], np.ndarray]
    start: Callable[[np.ndarray], np.ndarray]
    latent_variance: float
    ratio: Ratio | None
    twin: str

    n_own = 0
    is_own_located = False
    counts_extra_spread = False

    def __str__(self) -> str:
        return self.name

    def at(self, own: np.ndarray) -> Link:
        """The rows' likelihood: the link has no parameters of its own."""
        return self

    def draw(self, eta: np.ndarray, trials: np.ndarray | None, rng: np.random.Generator) -> np.ndarray:
        """Numbers of events."""
        return rng.binomial(1 if trials is None else trials.astype(np.int64), self.inverse(eta)).astype(float)

    def first_own(self) -> np.ndarray:
        """No parameters."""
        return np.empty(0)

    def own_messages(self, own: np.ndarray) -> list[str]:
        """Nothing to say."""
        return []

    def start_eta(self, events: np.ndarray, trials: np.ndarray | None) -> None:
        """The search may start from zero."""

    def link_of(self, mean: np.ndarray) -> np.ndarray:
        """Linear predictor of a probability, finite at 0 and 1."""
        return self.start(np.clip(mean, SMALLEST_SHARE, 1 - SMALLEST_SHARE))

    def against(
        self, move: np.ndarray, own_move: np.ndarray, events: np.ndarray, trials: np.ndarray | None
    ) -> np.ndarray:
        """How far a movement of the linear predictor goes against each row's outcome: in rows with events only a fall,
        in rows without a rise, in rows with both either."""
        none, every = events == 0, events == (1.0 if trials is None else trials)
        return np.where(every, -move, np.where(none, move, np.abs(move)))

    def __reduce__(self) -> tuple[Callable[[str], Link], tuple[str]]:
        return link_named, (self.name,)

    @property
    def statsmodels(self) -> Any:
        """statsmodels' link object."""
        from statsmodels.genmod.families import links  # heavy: only its users pay for it

        return getattr(links, self.twin)()

    def events(
        self, y: np.ndarray, weights: np.ndarray | None, *, may_be_constant: bool = False
    ) -> tuple[np.ndarray, np.ndarray | None, float]:
        """Check an outcome: events, trials (None when all are 1) and the log binomial coefficients.

        Parameters
        ----------
        y : ndarray, shape (n,)
            0 or 1, or shares of events.
        weights : ndarray, shape (n,), or None
            Numbers of trials.
        may_be_constant : bool
            Let an outcome pass that is always or never an event (a part of the rows).

        Raises
        ------
        FitRefused
            Outcomes that are not events of trials; an outcome without variation.
        """
        trials = None if weights is None or np.all(weights == 1) else weights.astype(float)
        events = y.astype(float) if trials is None else y * trials
        whole = np.round(events)
        outside = (y < 0) | (y > 1) | (np.abs(events - whole) > INTEGER_TOLERANCE * np.maximum(1.0, np.abs(events)))
        if trials is not None:
            outside |= trials != np.round(trials)
        if outside.any():
            raise FitRefused(
                f"The outcome of {int(outside.sum())} of {y.size} rows is not a number of events out of trials.",
                "use 0 and 1, or shares between 0 and 1 with the number of trials as `weights`",
            )
        if not may_be_constant:
            refuse_constant(whole.sum(), float(y.size if trials is None else trials.sum()), y.size)
        if trials is None:
            return whole, None, 0.0
        return (
            whole,
            trials,
            float(
                (
                    _special().gammaln(trials + 1)
                    - _special().gammaln(whole + 1)
                    - _special().gammaln(trials - whole + 1)
                ).sum()
            ),
        )


def refuse_constant(events: float, trials: float, n: int) -> None:
    """Refuse an outcome that is always or never an event."""
    if events in (0.0, trials):
        raise FitRefused(
            f"The outcome is {'always' if events else 'never'} 1 in all {n} rows.",
            "a model needs rows with and without the event",
        )


def _cloglog_derivatives(eta: np.ndarray, events: np.ndarray, trials: np.ndarray | None) -> Derivatives:
    """Complementary log-log: with m = exp(eta), l = k log(1 - exp(-m)) - (n - k) m."""
    mean = np.exp(np.clip(eta, -ETA_LIMIT, 50.0))
    others = (1.0 if trials is None else trials) - events
    survival = np.exp(-mean)
    ratio = np.where(mean > 1e-300, mean * survival / -np.expm1(-mean), 1.0)  # m / (exp(m) - 1)
    rest = ratio + mean - 1.0
    loglik = np.where(events > 0, events * np.log(-np.expm1(-mean)), 0.0) - others * mean
    score = events * ratio - others * mean
    weight = events * ratio * rest + others * mean
    third = events * ratio * (mean - ratio * rest - rest * rest) + others * mean
    return Derivatives(loglik, score, weight, third)


def _cloglog_fourth(eta: np.ndarray, events: np.ndarray, trials: np.ndarray | None) -> np.ndarray:
    """By the chain rule through ratio' = -ratio rest and rest' = m - ratio rest."""
    mean = np.exp(np.clip(eta, -ETA_LIMIT, 50.0))
    others = (1.0 if trials is None else trials) - events
    ratio = np.where(mean > 1e-300, mean * np.exp(-mean) / -np.expm1(-mean), 1.0)
    rest = ratio + mean - 1.0
    change = mean - ratio * rest
    inner = change - rest * rest
    slope = mean + ratio * rest * rest - ratio * change - 2.0 * rest * change
    return events * ratio * (slope - rest * inner) + others * mean


def _expit(eta: np.ndarray) -> np.ndarray:
    """Logistic distribution function."""
    return 1.0 / (1.0 + np.exp(-np.clip(eta, -ETA_LIMIT, ETA_LIMIT)))


def _mills(eta: np.ndarray) -> np.ndarray:
    """phi(eta) / Phi(eta), in logarithms so that the tail does not vanish."""
    return np.exp(-0.5 * eta**2 - 0.5 * np.log(2 * np.pi) - _special().log_ndtr(eta))


def _probit_derivatives(eta: np.ndarray, events: np.ndarray, trials: np.ndarray | None) -> Derivatives:
    """Probit: l = k log Phi(eta) + (n - k) log Phi(-eta), by g = phi / Phi with g' = -g (eta + g)."""
    eta = np.clip(eta, -ETA_LIMIT, ETA_LIMIT)
    others = (1.0 if trials is None else trials) - events
    g, g_others = _mills(eta), _mills(-eta)
    h, h_others = eta + g, g_others - eta
    return Derivatives(
        events * _special().log_ndtr(eta) + others * _special().log_ndtr(-eta),
        events * g - others * g_others,
        events * g * h + others * g_others * h_others,
        events * g * (1.0 - h * h - g * h) - others * g_others * (1.0 - h_others * h_others - g_others * h_others),
    )


def _probit_fourth(eta: np.ndarray, events: np.ndarray, trials: np.ndarray | None) -> np.ndarray:
    """d/deta of g (1 - h^2 - g h), with h = eta + g and h' = 1 - g h."""
    eta = np.clip(eta, -ETA_LIMIT, ETA_LIMIT)
    others = (1.0 if trials is None else trials) - events

    def single(x: np.ndarray) -> np.ndarray:
        g = _mills(x)
        h = x + g
        return g * (h**3 + 4.0 * g * h * h + g * g * h - 3.0 * h - g)

    return events * single(eta) + others * single(-eta)


LINKS: dict[str, Link] = {
    link.name: link
    for link in (
        Link(
            name="logit",
            derivatives=logistic_derivatives,
            fourth=logistic_fourth,
            inverse=_expit,
            start=lambda p: np.log(p) - np.log1p(-p),
            latent_variance=np.pi**2 / 3,
            ratio=Ratio("odds_ratio", "Ratio of odds"),
            twin="Logit",
        ),
        Link(
            name="cloglog",
            derivatives=_cloglog_derivatives,
            fourth=_cloglog_fourth,
            inverse=lambda eta: -np.expm1(-np.exp(np.clip(eta, -ETA_LIMIT, 50.0))),
            start=lambda p: np.log(-np.log1p(-p)),
            latent_variance=np.pi**2 / 6,
            ratio=Ratio("hazard_ratio", "Ratio of hazards"),
            twin="CLogLog",
        ),
        Link(
            name="probit",
            derivatives=_probit_derivatives,
            fourth=_probit_fourth,
            inverse=lambda eta: _special().ndtr(eta),
            start=lambda share: _special().ndtri(share),
            latent_variance=1.0,
            ratio=None,
            twin="Probit",
        ),
    )
}
"""Every link by name."""


def link_named(link: str | Link) -> Link:
    """The link of this name.

    Raises
    ------
    UsageError
        When there is none; the message lists the names.

    Examples
    --------
    >>> link_named("cloglog").ratio.column
    'hazard_ratio'
    """
    if isinstance(link, Link):
        return link
    if link not in LINKS:
        raise UsageError(f"The link {link!r} is not available.", f"use {' or '.join(LINKS)}")
    return LINKS[link]
