"""The risk of dropout by sessions 3, 8 and 12 if guidance were low, average or high throughout."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import duckdb
import numpy as np
from scipy.special import expit

from outcomes.answers.common.drawing import hazard_draws
from outcomes.answers.common.estimates import attempt, of_model
from outcomes.answers.common.fitting import LEVEL, Answered, fit_hazard_answer
from outcomes.answers.common.replicates import replicates
from outcomes.answers.common.risk_set import (
    FIRST_SESSIONS,
    NO_GUIDANCE,
    baseline,
    has_guidance,
    risk_set,
    sessions_told,
)
from outcomes.answers.common.words import Reading
from outcomes.answers.dropout.tables import GuidanceLevel, RiskCause
from outcomes.errors import FitRefused
from outcomes.methods.dropout.cumulative_incidence import REPORT_SESSIONS, cumulative_incidence
from outcomes.mixed import GeneralisedDraws, NormalDraws
from outcomes.models.averaging import effect_nodes
from outcomes.study.settings import StudySettings

HORIZON = max(REPORT_SESSIONS)
CHUNKS, CHUNK = 10, 20
"""Bootstrap draws in chunks, each with a seed of its own, so that any process can make any of them; 200 place an
interval's ends to about a tenth of its width."""
SEED = 1_975
MAX_FAILED = 0.1
LEVELS = {GuidanceLevel.LOW: -1.0, GuidanceLevel.AVERAGE: 0.0, GuidanceLevel.HIGH: 1.0}
"""Standard deviations of the guidance so far from its average, over the sessions at risk."""


@dataclass(frozen=True)
class CauseModel:
    """A cause-specific hazard ready to be predicted from.

    Attributes
    ----------
    model : Answered
    first, last : int
        Sessions of the fit; outside them the hazard is 0.
    """

    model: Answered
    first: int
    last: int

    def rows(self, guidance: np.ndarray) -> np.ndarray:
        """Design rows of sessions 1..HORIZON at each level of guidance throughout, shape (levels, HORIZON, p)."""
        t = np.broadcast_to(np.arange(1, HORIZON + 1), (len(guidance), HORIZON))
        columns = {
            "(Intercept)": np.ones(t.shape),
            "directiveness_so_far": np.repeat(guidance[:, None], HORIZON, axis=1),
            "directiveness_change": np.zeros(t.shape),
            "log_session": np.where(t > FIRST_SESSIONS, np.log(t), 0.0),
        } | {f"session_{k}": (t == k).astype(float) for k in range(1, FIRST_SESSIONS + 1)}
        return np.stack([columns[name] for name in self.model.fit.names], axis=-1)

    def is_possible(self) -> np.ndarray:
        """Whether this ending can come after sessions 1..HORIZON."""
        t = np.arange(1, HORIZON + 1)
        return (t >= self.first) & (t <= self.last)


def incidence(logits: list[np.ndarray], is_possible: list[np.ndarray], variances: list[float]) -> np.ndarray:
    """Cumulative incidence of two causes, averaged over therapists, shape (2, levels, T).

    CIF_k(t) = sum_{s<=t} h_k(s) prod_{r<s} (1 - h(r)) given the therapist's effects, then averaged over their normal
    distributions, one a cause and independent (Schmid & Berger 2021, doi 10.1002/wics.1529).

    Parameters
    ----------
    logits : two ndarrays, shape (levels, T)
        Of the hazards for a therapist with effect 0.
    is_possible : two ndarrays of bool, shape (T,)
        Elsewhere the hazard is 0.
    variances : two floats
        Of the therapists' effects, on the logit scale.
    """
    nodes = [effect_nodes(variance) for variance in variances]
    first, second = (
        expit(eta + effects[:, None, None]) * can
        for eta, (effects, _), can in zip(logits, nodes, is_possible, strict=True)
    )
    shape = (len(first), len(second), *logits[0].shape)
    hazards = np.stack([np.broadcast_to(first[:, None], shape), np.broadcast_to(second[None], shape)])
    found = cumulative_incidence(hazards / np.maximum(hazards.sum(axis=0), 1.0)).incidence
    return np.einsum("i,j,kijlt->klt", nodes[0][1], nodes[1][1], found, optimize=True)


def incidence_rows(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> list[dict]:
    """Rows of table `dropout_incidence`, under the study's own definition."""
    definition = settings.dropout.definition.value
    labels = {"definition": definition, "cause": RiskCause.DROPOUT, "guidance": GuidanceLevel.ALL}
    return attempt(labels, lambda: _incidences(con, settings, definition))


def _incidences(con: duckdb.DuckDBPyConnection, settings: StudySettings, definition: str) -> Iterator[tuple]:
    sessions = risk_set(con, definition, Reading.AS_RECORDED, settings.dropout.silent_days)
    if not has_guidance(sessions):
        raise FitRefused(NO_GUIDANCE)
    causes = (cause_model(sessions, "is_dropout", settings), cause_model(sessions, "is_another", settings))
    reached = sessions.aggregate("attended_number, count(*)", "attended_number").fetchall()
    told = sessions_told(dict(reached), settings.disclosure)
    mean, sd = sessions.aggregate("avg(directiveness_so_far), stddev_samp(directiveness_so_far)").fetchall()[0]
    levels = {name: mean + sd * away for name, away in LEVELS.items()}
    designs = [cause.rows(np.array(list(levels.values()))) for cause in causes]
    variances = [float(cause.model.fit.variances[0].cov[0, 0]) for cause in causes]
    is_possible = [cause.is_possible() for cause in causes]
    point = risks_by_level(designs, is_possible, [cause.model.fit.beta for cause in causes], variances)
    draws = _draws(causes, designs, is_possible, settings.cluster.address)
    low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    for k, cause in enumerate(RiskCause):
        for j, name in enumerate([*levels, GuidanceLevel.DIFFERENCE]):
            for t in told:
                words = {"cause": cause, "guidance": name, "guidance_level": levels.get(name), "session": t}
                at = (k, j, t - 1)
                yield words, of_model(causes[k].model, point[at], conf_low=low[at], conf_high=high[at])


def cause_model(sessions: duckdb.DuckDBPyRelation, outcome: str, settings: StudySettings) -> CauseModel:
    at_risk, course = baseline(sessions, outcome)
    terms = " + ".join(["directiveness_so_far", "directiveness_change", *course])
    model = fit_hazard_answer(f"{outcome} ~ {terms} + (1 | therapist_id)", at_risk, settings.disclosure)
    first, last = at_risk.aggregate("min(attended_number), max(attended_number)").fetchall()[0]
    return CauseModel(model, first, last)


@dataclass(frozen=True)
class IncidenceDraws:
    """What draws of the incidences need.

    Attributes
    ----------
    hazards : GeneralisedDraws or NormalDraws
        One a cause.
    designs : ndarrays, shape (levels, HORIZON, p)
        Each hazard's rows at the levels of guidance.
    is_possible : ndarrays of bool, shape (HORIZON,)
    """

    hazards: tuple[GeneralisedDraws | NormalDraws, ...]
    designs: list[np.ndarray]
    is_possible: list[np.ndarray]


def risks_by_level(designs: list, is_possible: list, betas: list, variances: list) -> np.ndarray:
    """Incidences by level and of high less low, shape (2, levels + 1, HORIZON)."""
    logits = [X @ beta for X, beta in zip(designs, betas, strict=True)]
    found = incidence(logits, is_possible, variances)
    return np.concatenate([found, found[:, -1:] - found[:, :1]], axis=1)


def drawn_risks(prepared: IncidenceDraws, chunks: range) -> Iterator[list[np.ndarray]]:
    """Incidences on those draws of a chunk on which both hazards settled."""
    for chunk in chunks:
        drawn = [hazard.draw(CHUNK, SEED + 2 * chunk + k) for k, hazard in enumerate(prepared.hazards)]
        found = []
        for i in np.flatnonzero(drawn[0].converged & drawn[1].converged):
            betas, variances = [one.beta[i] for one in drawn], [float(one.sd[i, 0] ** 2) for one in drawn]
            found.append(risks_by_level(prepared.designs, prepared.is_possible, betas, variances))
        yield found


def _draws(
    causes: tuple[CauseModel, CauseModel], designs: list[np.ndarray], is_possible: list[np.ndarray], cluster: str
) -> np.ndarray:
    """Incidences on draws of both hazards, shape (draws, 2, levels + 1, HORIZON)."""
    prepared = IncidenceDraws(tuple(hazard_draws(cause.model.fit) for cause in causes), designs, is_possible)
    cluster = cluster if any(isinstance(one, GeneralisedDraws) for one in prepared.hazards) else ""
    chunks = replicates(drawn_risks, prepared, CHUNKS, "Bootstrap of the risk of dropout", cluster)
    found = [risks for chunk in chunks for risks in chunk]
    if len(found) < (1 - MAX_FAILED) * CHUNKS * CHUNK:
        raise FitRefused("Too many bootstrap draws of the hazards did not converge: intervals would mislead.")
    return np.stack(found)
