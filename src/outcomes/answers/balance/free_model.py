"""The free quadratic model of guidance, which every form of a verdict restricts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from outcomes.answers.balance.curve_forms import TERMS, Parameters, Projection, project
from outcomes.answers.balance.rows import GuidanceRows
from outcomes.answers.common.words import Outcome
from outcomes.errors import FitRefused
from outcomes.methods.inference.contrasts import WaldTest, wald_test
from outcomes.mixed import FitStatus, fit_cluster_robust, fit_linear

LOGIT_SD = np.pi / np.sqrt(3)


@dataclass(frozen=True)
class FreeModel:
    """The free quadratic model of one outcome at one level.

    Attributes
    ----------
    terms : tuple of str
        Which of `TERMS` it has.
    beta, covariance : ndarray, shapes (p,), (p, p)
    sd : ndarray, shape (p,)
        Effect sizes are beta * sd: standard deviation of each term over that of the outcome.
    df : float
        Therapists less one: what is tested is partly between therapists.
    n_clients : int
    status : FitStatus
    """

    terms: tuple[str, ...]
    beta: np.ndarray
    covariance: np.ndarray
    sd: np.ndarray
    df: float
    n_clients: int
    status: FitStatus

    def project(self, parameters: Parameters) -> Projection:
        """The restricted estimate."""
        return project(self.terms, self.beta, self.covariance, parameters)

    def wald(self, names: tuple[str, ...]) -> WaldTest:
        """Joint test that the named terms are zero."""
        rows = np.eye(len(self.terms))[[i for i, term in enumerate(self.terms) if term in names]]
        return wald_test(rows, self.beta, self.covariance, df_den=self.df)


def fit_free_model(rows: GuidanceRows) -> FreeModel:
    """Fit the outcome on all terms: a mixed model (satisfaction) or a logit hazard with therapist-robust errors."""
    terms = tuple(term for term in TERMS if term in rows.frame.columns)
    fixed = " + ".join([*terms, *rows.covariates])
    if rows.outcome is Outcome.DROPOUT:
        fit = fit_cluster_robust(f"y ~ {fixed}", rows.frame, "therapist_id")
        outcome_sd = LOGIT_SD
    else:
        of_client = " + (1 + w | client_id)" if rows.has_departure else ""
        fit = fit_linear(f"y ~ {fixed}{of_client} + (1 | therapist_id)", rows.frame)
        outcome_sd = float(rows.frame["y"].std())
    if fit.status is FitStatus.NOT_CONVERGED:
        raise FitRefused("The quadratic model of guidance did not converge.", "see the study's declared models")
    missing = [term for term in terms if term not in fit.names]
    if missing:
        raise FitRefused("Guidance, its departures and preferences cannot be told apart in these data.")
    places = [fit.names.index(term) for term in terms]
    return FreeModel(
        terms=terms,
        beta=fit.beta[places],
        covariance=fit.vcov[np.ix_(places, places)],
        sd=np.array([rows.frame[term].std() for term in terms]) / outcome_sd,
        df=float(rows.frame["therapist_id"].n_unique() - 1),
        n_clients=rows.frame["client_id"].n_unique(),
        status=fit.status,
    )
