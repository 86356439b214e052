"""What became of one declared model, as values that every table and page prints."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from outcomes.mixed import FitStatus
from outcomes.study.settings import ModelSpec


@dataclass(frozen=True)
class FitState:
    """One row of table `model_fits`, without the likelihoods.

    Attributes
    ----------
    model, kind, engine : str
        Name, kind (linear or hazard) and engine as declared.
    status : FitStatus
        How it ended.
    reason : str
        Why, in plain words; empty for a converged fit.
    n_rows, n_missing : int
        Rows used, and rows of the population left out because a column of the model is empty.
    n_clients, n_therapists : int
        Behind the rows used.
    """

    model: str
    kind: str
    engine: str
    status: FitStatus
    reason: str
    n_rows: int
    n_missing: int
    n_clients: int
    n_therapists: int


@dataclass(frozen=True)
class Estimates:
    """Fixed effects of one variant of a model; all arrays have length p, in the order of `terms`.

    `variant` is "main" for the mixed model and "cluster_robust" for the GLM beside it. Hazards are on the link's scale.
    """

    variant: str
    terms: tuple[str, ...]
    beta: np.ndarray
    std_error: np.ndarray
    df_denom: np.ndarray
    p_value: np.ndarray
    conf_low: np.ndarray
    conf_high: np.ndarray
    status: FitStatus


@dataclass(frozen=True)
class VarianceTerm:
    """A standard deviation (`term_2` empty) or a correlation of two random effects of one group."""

    group: str
    term: str
    term_2: str
    value: float


@dataclass(frozen=True)
class CurvePoint:
    """One point of a curve with its 95% interval.

    Attributes
    ----------
    curve : str
        "satisfaction" (scale points) or "dropout_by_session_N" (probability, 0 to 1).
    x_name : str
        The column of the population that varies.
    x, estimate, conf_low, conf_high : float
        Place on the scale of `x_name`; estimate and limits in the curve's unit.
    """

    curve: str
    x_name: str
    x: float
    estimate: float
    conf_low: float
    conf_high: float


@dataclass(frozen=True)
class FlowStep:
    """Who is left of a model's population at one step, and why others are not; the excluded are None at the start."""

    step: str
    reason: str
    n_sessions: int
    n_episodes: int
    n_clients: int
    n_therapists: int
    n_sessions_excluded: int | None = None
    n_clients_excluded: int | None = None


@dataclass(frozen=True)
class Fit:
    """One declared model with everything that the release keeps of it; a refused one has only its state."""

    spec: ModelSpec
    state: FitState
    estimates: tuple[Estimates, ...] = ()
    variances: tuple[VarianceTerm, ...] = ()
    covariance: np.ndarray | None = None  # (p, p), of the main variant's fixed effects
    log_likelihood: float | None = None
    aic: float | None = None
    bic: float | None = None
    curves: tuple[CurvePoint, ...] = ()
    flow: tuple[FlowStep, ...] = ()
