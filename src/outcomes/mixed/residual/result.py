"""The frozen result of a linear mixed model with a residual structure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl
import scipy

from outcomes.errors import FormulaError, UsageError
from outcomes.mixed.design.data import VIEW, as_source
from outcomes.mixed.linear.gram import GramData
from outcomes.mixed.linear.predict import predict_linear
from outcomes.mixed.linear.result import LinearFit
from outcomes.mixed.linear.satterthwaite import CovarianceGradient
from outcomes.mixed.residual.whitening import OrderedRows, Structure, drawn
from outcomes.mixed.verbs.rows import Residual, residuals


@dataclass(frozen=True, repr=False)
class StructuredFit(LinearFit):
    """A linear mixed model whose errors differ in spread by group, or follow one another.

    Parameters
    ----------
    given : LinearFit
        The model of the whitened rows, at the estimated residual parameters.
    plain : GramData
        Cross-products of the rows as they are.
    structure : Structure
    rows : OrderedRows
    phi : ndarray
        Log ratios of standard deviations, then atanh(rho).
    moved : CovarianceGradient
        Derivatives behind Satterthwaite's degrees of freedom, by theta, phi and log sigma^2.

    Notes
    -----
    `sigma` is the residual standard deviation of the first group. What rests on errors that are alike (icc, r2,
    Kenward-Roger, profiles, bootstrap, refits, imputation) is refused.
    """

    given: LinearFit | None = field(default=None, repr=False)
    plain: GramData | None = field(default=None, repr=False)
    structure: Structure | None = None
    rows: OrderedRows | None = field(default=None, repr=False)
    phi: np.ndarray | None = None
    moved: CovarianceGradient | None = field(default=None, repr=False)

    @property
    def engine_state(self) -> Any:
        """Refused: what asks for it takes errors for alike.

        Raises
        ------
        UsageError
        """
        raise UsageError(
            "This is not there for a fit with variance_by or ar1.", "use Wald intervals (conf_int) and compare()"
        )

    @property
    def outcome_sums(self) -> tuple[float, ...] | None:
        """Rows, and the outcome's mean and standard deviation; None with an offset."""
        design = self.design
        if design is None or design.offset:
            return None
        at = self.plain.columns.index(design.outcome)
        mean = self.plain.center[at] + self.plain.total[0, at] / self.plain.total[0, 0]
        spread = self.plain.second_moments([design.outcome], about_mean=True)[0, 0]
        return float(self.plain.total[0, 0]), float(mean), float(spread)

    @property
    def covariance_gradient(self) -> CovarianceGradient:
        """Derivatives behind Satterthwaite's degrees of freedom, which allow for the residual parameters."""
        return self.moved

    @property
    def residual_terms(self) -> frozenset[str]:
        """The columns behind the structure, by what they do."""
        asked = {"variance_by": self.structure.variance_by, "ar1": self.structure.ar1}
        return frozenset(f"{word}={column}" for word, column in asked.items() if column)

    @property
    def rho(self) -> float:
        """Correlation of errors one step apart; 0 without ar1."""
        return self.structure.rho(self.phi)

    def _phi_cov(self) -> np.ndarray:
        """Covariance of (phi, log sigma^2)."""
        m = len(self.theta)
        return self.moved.parameter_cov[m:, m:]

    def rho_conf_int(self, level: float = 0.95) -> tuple[float, float]:
        """Wald interval of `rho` on Fisher's scale; NaN without ar1."""
        if self.structure.ar1 is None:
            return np.nan, np.nan
        half = scipy.stats.norm.ppf((1 + level) / 2) * np.sqrt(self._phi_cov()[-2, -2])
        return float(np.tanh(self.phi[-1] - half)), float(np.tanh(self.phi[-1] + half))

    def residual_sd(self, level: float = 0.95) -> pl.DataFrame:
        """Residual standard deviations by group: group, ratio (to the first), sd, conf_low, conf_high (Wald, on the log
        scale); one row without variance_by."""
        n = self.structure.n_ratios + 1
        gradient = np.zeros((n, self.phi.size + 1))
        gradient[np.arange(1, n), np.arange(n - 1)] = 1.0
        gradient[:, -1] = 0.5
        half = scipy.stats.norm.ppf((1 + level) / 2) * np.sqrt(
            np.einsum("ij,jk,ik->i", gradient, self._phi_cov(), gradient)
        )
        ratio = self.structure.ratios(self.phi)
        sd = ratio * self.sigma
        return pl.DataFrame(
            {
                "group": list(self.structure.labels),
                "ratio": ratio,
                "sd": sd,
                "conf_low": sd * np.exp(-half),
                "conf_high": sd * np.exp(half),
            }
        )

    @property
    def own_rows(self) -> tuple[str, list[str], list[list[str]]]:
        """The residual parameters, for the summary."""
        rows = [
            [f"sd {row['group']}".strip(), f"{row['sd']:.5g}", f"{row['conf_low']:.5g}", f"{row['conf_high']:.5g}"]
            for row in self.residual_sd().iter_rows(named=True)
        ]
        if self.structure.ar1:
            low, high = self.rho_conf_int()
            rows.append(["rho", f"{self.rho:.5g}", f"{low:.5g}", f"{high:.5g}"])
        asked = ", ".join(sorted(self.residual_terms))
        return f"Residual structure ({asked})", ["", "estimate", "lower 95%", "upper 95%"], rows

    def sd_conf_int(self, level: float = 0.95) -> pl.DataFrame:
        """Wald intervals of the standard deviations on the log scale, as in `LinearFit.sd_conf_int`; sigma is that of
        the first group."""
        m = len(self.theta)
        kept = [*range(m), len(self.moved.parameter_cov) - 1]
        cov = self.moved.parameter_cov[np.ix_(kept, kept)]
        given = replace(self.given)
        given.__dict__["covariance_gradient"] = replace(self.moved, parameter_cov=cov)
        return given.sd_conf_int(level)

    def predict(self, data: Any = None, kind: str = "marginal", level: float = 0.95) -> pl.DataFrame:
        """Predict as `LinearFit.predict` does; new_low and new_high are of one new observation of the row's group.

        With ar1 the errors of earlier sessions are not carried on: a prediction is of the mean.
        """
        given = replace(self.given)
        given.__dict__["covariance_gradient"] = self.moved
        found = predict_linear(given, data, kind, level)
        if self.structure.variance_by is None:
            return found
        source = self.design.source if data is None else as_source(data)
        ratio = self._ratio_of(source)
        quantile = scipy.stats.t.ppf((1 + level) / 2, found["df_denom"].to_numpy())
        half = (found["new_high"] - found["estimate"]).to_numpy()
        half = quantile * np.sqrt((half / quantile) ** 2 + self.sigma**2 * (ratio**2 - 1))
        return found.with_columns(
            new_low=pl.col("estimate") - pl.Series(half), new_high=pl.col("estimate") + pl.Series(half)
        )

    def _ratio_of(self, source: Any) -> np.ndarray:
        """Ratio of each row's residual standard deviation; NaN for a missing group."""
        name = self.structure.variance_by
        if name not in source.types:
            raise FormulaError(f"The new data have no column {name!r}, which the residual variance needs.")
        column = source.query(f"select cast({source.columns.sql(name)} as varchar) as s from {VIEW}").column("s")
        ratio = dict(zip(self.structure.labels, self.structure.ratios(self.phi), strict=True))
        values = column.to_pylist()
        unknown = sum(v is not None and v not in ratio for v in values)
        if unknown:
            raise UsageError(f"{unknown} rows have a level of {name!r} that the fit has not seen.")
        return np.array([np.nan if v is None else ratio[v] for v in values])

    def resid(self, kind: str = Residual.RESPONSE) -> pl.Series:
        """Residuals at the conditional modes, as of every fit; "pearson" and "standardised" are over the standard
        deviation of the row's group. Errors that follow one another stay correlated."""
        found = residuals(self, kind)
        if kind == Residual.RESPONSE or self.structure.variance_by is None:
            return found
        return pl.Series("residual", found.to_numpy() / self._ratio_of(self.design.source)).fill_nan(None)

    def draw_at(self, eta: np.ndarray, weights: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Outcomes with the errors' structure, for the complete rows in the order of the data."""
        out = np.empty(eta.size)
        out[self.rows.order] = drawn(self.structure, self.rows, self.phi, rng)
        return eta + self.sigma * out
