"""A fitted model of ratings and dropout, with the verbs of the other fits; and several of them beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import polars as pl
import scipy

from outcomes.errors import UsageError
from outcomes.mixed.optimise import OptSummary
from outcomes.mixed.results.status import FitStatus

LEVEL = 0.95


class Sharing(StrEnum):
    """What of the ratings the hazard of dropping out depends on."""

    INTERCEPT = "intercept"  # the level that a client (and a therapist) has over the whole course
    SLOPE = "slope"  # the client's own slope
    BOTH = "intercept and slope"
    CURRENT_VALUE = "current value"  # the expected rating at the session itself, m_i(t)


@dataclass(frozen=True)
class SharedParameterFit:
    """A fitted shared-parameter model; look at `status` before the estimates.

    Attributes
    ----------
    sharing : Sharing
    link : str
        Of the hazard.
    names, beta, vcov : tuple of str (p,), ndarray (p,), ndarray (p, p)
        Fixed effects of the ratings, in the outcome's units.
    hazard_names, gamma, hazard_vcov : tuple of str (g,), ndarray (g,), ndarray (g, g)
        Fixed effects of the hazard, on the link's scale.
    association : pl.DataFrame
        One row a shared effect: group, estimate (change of the hazard's linear predictor per unit of the effect on the
        rating, or of the current value), std_error, effect (intercept, slope, current value), statistic, p_value
        (normal, against 0), conf_low, conf_high (95%); missing where the effect's variance is zero.
    standard_deviations : dict of str to float
        By group: intercepts and slopes of the ratings, and the hazard's own effects.
    correlations : dict of str to float
        Of intercept and slope, by group; only where the formula lets them correlate.
    sigma : float
        Residual standard deviation.
    log_likelihood : float
        Laplace's approximation with quadrature over clients, all constants included.
    n_parameters : int
    nobs, n_events : int
        Ratings; rows of the risk set that end in the event.
    n_groups : dict of str to int
    status : FitStatus
    messages : tuple of str
    optimizer : OptSummary
    """

    sharing: Sharing
    link: str
    names: tuple[str, ...]
    beta: np.ndarray
    vcov: np.ndarray
    hazard_names: tuple[str, ...]
    gamma: np.ndarray
    hazard_vcov: np.ndarray
    association: pl.DataFrame
    standard_deviations: dict[str, float]
    correlations: dict[str, float]
    sigma: float
    log_likelihood: float
    n_parameters: int
    nobs: int
    n_events: int
    n_groups: dict[str, int]
    status: FitStatus
    messages: tuple[str, ...]
    optimizer: OptSummary

    @property
    def aic(self) -> float:
        """Akaike's information criterion, -2 log L + 2 k; comparable between fits of the same ratings and risk set."""
        return -2 * self.log_likelihood + 2 * self.n_parameters

    def conf_int(self, level: float = LEVEL) -> np.ndarray:
        """Wald intervals of `beta`, shape (p, 2), by the normal distribution."""
        half = scipy.stats.norm.ppf((1 + level) / 2) * np.sqrt(np.diag(self.vcov))
        return np.column_stack([self.beta - half, self.beta + half])

    def tidy(self) -> pl.DataFrame:
        """Fixed effects of both parts and the associations: part, term, estimate, std_error, statistic, p_value, ends.

        `part` is ratings, hazard or association; tests and 95% intervals are by the normal distribution.
        """
        parts = [
            wald("ratings", self.names, self.beta, np.sqrt(np.diag(self.vcov))),
            wald("hazard", self.hazard_names, self.gamma, np.sqrt(np.diag(self.hazard_vcov))),
        ]
        terms = pl.format("{}: {}", "group", "effect").alias("term")
        numbers = ("estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high")
        associations = self.association.select(pl.lit("association").alias("part"), terms, *numbers)
        return pl.concat([*parts, associations])

    def summary(self) -> str:
        """The fit as aligned text: what was fitted, how it ended, both parts, associations, spread, what to know."""
        facts = [
            ("Hazard depends on", f"{self.sharing} of the rating ({self.link})"),
            ("Status", self.status.words),
            ("Observations", f"{self.nobs:,} ratings, {self.n_events:,} events"),
            ("Groups", ", ".join(f"{name} {count:,}" for name, count in self.n_groups.items())),
            ("Criterion", f"log-likelihood {self.log_likelihood:.4f}   AIC {self.aic:.2f}"),
        ]
        lines = ["Ratings and dropout with shared effects", *(f"{name:<19}{value}" for name, value in facts)]
        header = f"{'':<34}{'estimate':>11}{'std_error':>11}{'z':>8}{'p_value':>9}{'lower 95%':>12}{'upper 95%':>12}"
        for part, rows in self.tidy().group_by("part", maintain_order=True):
            lines += ["", str(part[0]).capitalize(), header, *(_line(row) for row in rows.iter_rows(named=True))]
        spread = {**self.standard_deviations, "residual": self.sigma}
        lines += ["", "Standard deviations", *(f"{name:<34}{value:>11.4g}" for name, value in spread.items())]
        lines += [f"{f'correlation, {name}':<34}{value:>11.3f}" for name, value in self.correlations.items()]
        return "\n".join([*lines, *([""] if self.messages else []), *(f"Note: {text}" for text in self.messages)])


def compare_sharing(fits: Sequence[SharedParameterFit]) -> pl.DataFrame:
    """Fits of one data set beside each other, the best first.

    Returns
    -------
    pl.DataFrame
        sharing, link, log_likelihood, n_parameters, aic, delta (AIC above the best), weight (Akaike weights, sum to 1),
        status. A fit that did not converge stands last and has no weight.

    Raises
    ------
    UsageError
        No fits, or fits of different data.
    """
    if not fits or len({(fit.nobs, fit.n_events) for fit in fits}) > 1:
        raise UsageError("Only fits of the same ratings and risk set can be compared.", "fit all to the same rows")
    rows = [(str(f.sharing), f.link, f.log_likelihood, f.n_parameters, f.aic, str(f.status)) for f in fits]
    names = ["sharing", "link", "log_likelihood", "n_parameters", "aic", "status"]
    table = pl.DataFrame(rows, schema=names, orient="row")
    counts = pl.col("status") != FitStatus.NOT_CONVERGED
    delta = pl.col("aic") - pl.col("aic").filter(counts).min()
    share = pl.when(counts).then((-delta / 2).exp()).otherwise(0.0)
    return table.with_columns(delta=delta, weight=share / share.sum()).sort(~counts, "aic")


def wald(part: str, terms: Sequence[str], estimate: np.ndarray, std_error: np.ndarray) -> pl.DataFrame:
    """Estimates with their tests and 95% intervals by the normal distribution, as rows of `tidy`."""
    z = estimate / std_error
    half = scipy.stats.norm.ppf((1 + LEVEL) / 2) * std_error
    return pl.DataFrame(
        {
            "part": [part] * len(terms),
            "term": list(terms),
            "estimate": estimate,
            "std_error": std_error,
            "statistic": z,
            "p_value": 2 * scipy.stats.norm.sf(np.abs(z)),
            "conf_low": estimate - half,
            "conf_high": estimate + half,
        }
    )


def _line(row: dict) -> str:
    if row["estimate"] is None:
        return f"{row['term']:<34}{'not estimable':>22}"
    p = "< .001" if row["p_value"] < 0.001 else f"{row['p_value']:.3f}".removeprefix("0")
    return (
        f"{row['term']:<34}{row['estimate']:>11.4g}{row['std_error']:>11.3g}{row['statistic']:>8.2f}{p:>9}"
        f"{row['conf_low']:>12.4g}{row['conf_high']:>12.4g}"
    )
