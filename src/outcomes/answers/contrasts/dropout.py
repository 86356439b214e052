"""Risk of dropout where guidance is so in every session: two hazards, combined for every client, then averaged."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import numpy as np
import polars as pl
from scipy.special import expit

from outcomes.answers.common.fitting import refuse_few
from outcomes.answers.common.risk_set import FIRST_SESSIONS, baseline, risk_set, sessions_told
from outcomes.answers.common.words import Reading
from outcomes.answers.contrasts.hazard import Hazard, fit_hazard
from outcomes.answers.contrasts.surface import (
    WITH_PREFERENCE,
    WITHOUT_PREFERENCE,
    Level,
    Scale,
    has_preference,
    scale_of,
)
from outcomes.answers.contrasts.therapist_bootstrap import Bootstrapped, therapist_draws
from outcomes.answers.contrasts.usual import with_usual
from outcomes.errors import FitRefused
from outcomes.methods.dropout.cumulative_incidence import REPORT_SESSIONS
from outcomes.models.refusals import Refusal, RefusalRule, refuse
from outcomes.store.warehouse import sql_table
from outcomes.study.settings import StudySettings

HORIZON = max(REPORT_SESSIONS)
HELD = ("usual", "client_usual")
"""Held as they are: what therapists and clients usually have is then not taken for what guidance does."""
BEFORE = "satisfaction_before"
"""Mean satisfaction with the sessions before, about that of all; 0 before the first rating. Held where it is checked
whether a difference stands if therapists respond to how satisfied a client is."""
_CHUNK = 25  # draws at once
_CELLS = {"p": 0.05, "usual": 0.2, "client_usual": 0.1}
"""Clients who lie within so much of the scale share a cell, at the cell's mean: half a point of 0 to 10 of preference,
over which a risk is straight but for less than a tenth of a percentage point; usual guidance moves risks far less."""


@dataclass(frozen=True)
class DropoutModel:
    """Both hazards and the clients that risks are averaged over.

    Attributes
    ----------
    rows : pl.DataFrame
        Complete sessions at risk up to `HORIZON`.
    dropout, another : Hazard
        `another` ending is that of sessions after which the client did not drop out.
    cells : pl.DataFrame
        p (where known), usual and client_usual of each cell of clients.
    counts : ndarray, shape (therapists, cells)
        Clients.
    drawn : ndarray, shape (draws, therapists)
    told : tuple of int
        Sessions that enough episodes reach.
    """

    rows: pl.DataFrame
    dropout: Hazard
    another: Hazard
    cells: pl.DataFrame
    counts: np.ndarray
    drawn: np.ndarray
    scale: Scale
    told: tuple[int, ...]

    @property
    def people(self) -> tuple[int, int, int]:
        """Sessions, clients and therapists behind the fit."""
        return (self.rows.height, self.rows["client_id"].n_unique(), self.rows["therapist_id"].n_unique())

    @property
    def preferred(self) -> np.ndarray | None:
        """Preferences of the clients whose risks are averaged; None where they are not known."""
        p = self._preferences()
        return None if p is None else np.repeat(p, self.counts.sum(axis=0).astype(int))

    def _preferences(self) -> np.ndarray | None:
        """Of the cells; None where they are not known."""
        return self.cells["p"].to_numpy() if "p" in self.cells.columns else None

    def risks(self, levels: tuple[Level, ...]) -> Bootstrapped:
        """Risk of dropout by each session at each level, shape (levels, HORIZON).

        CIF(t) = mean over clients of sum_{s<=t} h(s) prod_{r<s} (1 - h(r)) (1 - g(r)), with h the hazard of dropout and
        g that of another ending in who did not drop out; hazards are never averaged (Robins 1986, doi
        10.1016/0270-0255(86)90088-6).
        """
        each = [self._columns(level) for level in levels]
        columns = {name: np.stack([one[name] for one in each]) for name in each[0]}
        betas = [np.vstack([hazard.beta, hazard.draws]) for hazard in (self.dropout, self.another)]
        weights = np.vstack([self.counts.sum(axis=0), self.drawn @ self.counts])
        found = np.concatenate(
            [
                self._averaged(columns, [beta[at : at + _CHUNK] for beta in betas], weights[at : at + _CHUNK])
                for at in range(0, len(weights), _CHUNK)
            ]
        )
        return Bootstrapped(found[0], found[1:], self.counts.shape[0])

    def _columns(self, level: Level) -> dict[str, np.ndarray]:
        p = self._preferences()
        d = level.guidance(p, (self.cells.height,), self.scale)
        return self.scale.columns(d, p) | {name: self.cells[name].to_numpy() for name in HELD}

    def _averaged(self, columns: dict[str, np.ndarray], betas: list[np.ndarray], weights: np.ndarray) -> np.ndarray:
        """Risks at each pair of betas, averaged over cells by its weights, shape (betas, levels, HORIZON)."""
        h, g = (
            self._hazards(hazard, beta, columns)
            for hazard, beta in zip((self.dropout, self.another), betas, strict=True)
        )
        staying = np.cumprod((1 - h) * (1 - g), axis=-1)
        before = np.concatenate([np.ones_like(staying[..., :1]), staying[..., :-1]], axis=-1)
        return np.einsum("blct,bc->blt", np.cumsum(h * before, axis=-1), weights / weights.sum(axis=1, keepdims=True))

    def _hazards(self, hazard: Hazard, betas: np.ndarray, columns: dict[str, np.ndarray]) -> np.ndarray:
        """Hazards after sessions 1..HORIZON, shape (betas, levels, cells, HORIZON)."""
        t = np.arange(1, HORIZON + 1)
        course = hazard.logits(betas, _course(t))
        return expit(hazard.logits(betas, columns)[..., None] + course[:, None, None]) * hazard.is_possible(t)


def _course(t: np.ndarray) -> dict[str, np.ndarray]:
    dummies = {f"session_{k}": (t == k).astype(float) for k in range(1, FIRST_SESSIONS + 1)}
    return {"(Intercept)": np.ones(t.shape), "log_session": np.where(t > FIRST_SESSIONS, np.log(t), 0.0)} | dummies


def dropout_model(
    con: duckdb.DuckDBPyConnection, settings: StudySettings, more_held: tuple[str, ...] = ()
) -> DropoutModel:
    """Fit both hazards under the study's own definition.

    Parameters
    ----------
    con : connection
    settings : StudySettings
    more_held : tuple of str
        Columns that are held beside `HELD`, at 0 for every client: `BEFORE`.

    Raises
    ------
    FitRefused
        Where no ending is recorded, there are too few therapists, clients, endings or sessions, or nothing is known of
        what is held.
    """
    at_risk = risk_set(con, settings.dropout.definition.value, Reading.AS_RECORDED, settings.dropout.silent_days)
    rows = _rows(con)
    counted = {
        "n_sessions": rows.height,
        "n_clients": rows["client_id"].n_unique(),
        "n_therapists": rows["therapist_id"].n_unique(),
    }
    refuse_few(counted, settings.disclosure)
    scale = scale_of(settings)
    p = rows["p"].to_numpy() if has_preference(rows) else None
    surface = scale.columns(rows["d"].to_numpy(), p)
    rows = rows.with_columns(**{name: pl.Series(values) for name, values in surface.items()})
    drawn = therapist_draws(counted["n_therapists"])
    if any(rows[name].n_unique() < 2 for name in more_held):
        raise FitRefused("The satisfaction with the sessions before is not known.")
    terms = (*(WITHOUT_PREFERENCE if p is None else WITH_PREFERENCE), *HELD, *more_held)
    dropout = _fitted(at_risk, rows, "is_dropout", terms, drawn, "dropouts")
    staying = rows.filter(pl.col("is_dropout") == 0)
    another = _fitted(at_risk, staying, "is_another", terms, drawn, "other endings")
    cells, counts = _cells(rows, scale, counted["n_therapists"])
    told = sessions_told(dict(rows.group_by("attended_number").len().iter_rows()), settings.disclosure)
    return DropoutModel(rows, dropout, another, cells, counts, drawn, scale, told)


def _rows(con: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """Complete sessions up to HORIZON, sorted by therapist, each weighted for those that lack a rating of guidance.

    A form is missing more often where the client then leaves. Within sessions of one number and one ending it is taken
    to be missing at random: those rated stand for all (weights of case-control samples, which touch no slope).

    `usual` is the therapist's mean guidance about that of all; the others are those of `with_usual`.
    """
    everyone = sql_table(con, "answers/answer_contrast_sessions", horizon=HORIZON).pl()
    refuse(Refusal(RefusalRule.ENDINGS, everyone.height))
    if has_preference(everyone):
        everyone = everyone.filter(pl.col("p").is_not_null())
    kind = ("attended_number", "is_dropout", "is_another")
    weighted = everyone.with_columns(weight=pl.len().over(kind) / pl.col("d").count().over(kind))
    rows = weighted.filter(pl.col("d").is_not_null())
    refuse(Refusal(RefusalRule.COMPLETE, rows.height))
    return with_usual(rows).with_columns(
        therapist=pl.col("therapist_id").rank("dense").cast(pl.Int64) - 1,
        usual=pl.col("therapist_mean") - pl.col("d").mean(),
        **{BEFORE: (pl.col(BEFORE) - pl.col(BEFORE).mean()).fill_null(0.0)},
    )


def _fitted(
    at_risk: duckdb.DuckDBPyRelation,
    rows: pl.DataFrame,
    outcome: str,
    terms: tuple[str, ...],
    drawn: np.ndarray,
    about: str,
) -> Hazard:
    """Fit over the sessions in which this ending can come."""
    _, course = baseline(at_risk.filter(f"attended_number <= {HORIZON}"), outcome)
    rows = rows.with_columns(y=pl.col(outcome).cast(pl.Float64))
    events = rows.filter(pl.col("y") == 1)["attended_number"]
    if events.is_empty():
        raise FitRefused(f"No {about} are recorded up to session {HORIZON}.")
    own = rows.filter(pl.col("attended_number").is_between(events.min(), events.max()))
    return fit_hazard(own, (*terms, *course), drawn, about)


def _cells(rows: pl.DataFrame, scale: Scale, n_therapists: int) -> tuple[pl.DataFrame, np.ndarray]:
    """Clients in cells of preference and usual guidance, at each cell's mean, and how many each therapist has there."""
    values = [name for name in _CELLS if rows[name].null_count() < rows.height]
    first = rows.sort("attended_number", maintain_order=True).unique("client_id", keep="first", maintain_order=True)
    clients = first.with_columns(client_usual=pl.col("client_usual_whole")).with_columns(
        **{f"{name}_cell": (pl.col(name) / (_CELLS[name] * scale.width)).round() for name in values}
    )
    keys = [f"{name}_cell" for name in values]
    cells = clients.group_by(keys, maintain_order=True).agg(pl.col(values).mean()).with_row_index("cell")
    placed = clients.join(cells.select("cell", *keys), on=keys, how="left", maintain_order="left")
    counts = np.zeros((n_therapists, cells.height))
    np.add.at(counts, (placed["therapist"].to_numpy(), placed["cell"].to_numpy()), 1.0)
    return cells.select(values), counts
