"""How much therapists differ in satisfaction, in dropout, in how they respond: shares and counts, never a ranking."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import duckdb
import numpy as np
import polars as pl
from scipy import stats

from outcomes.answers.analysis import Analysis
from outcomes.answers.common.drawing import hazard_draws
from outcomes.answers.common.estimates import Numbers, attempt, numbers, of_model, refuse_all
from outcomes.answers.common.fitting import LEVEL, Answered, fit_hazard_answer, fit_linear_answer
from outcomes.answers.common.replicates import replicates
from outcomes.answers.common.risk_set import baseline, risk_set
from outcomes.answers.common.sessions import session_rows
from outcomes.answers.common.tables import filled
from outcomes.answers.common.words import Cause, Reading
from outcomes.answers.guidance.run import INTERCEPTS, LAGGED, STARTS
from outcomes.answers.guidance.tables import GuidanceModel, GuidanceQuestion
from outcomes.answers.therapists.tables import TABLES, VARIATION, TherapistOutcome, TherapistQuantity
from outcomes.disclosure import shown_percent, shown_table
from outcomes.errors import FitRefused
from outcomes.methods.therapists.therapist_effects import (
    comparative_intervals,
    latent_variance_share,
    median_odds_ratio,
    variance_share,
)
from outcomes.mixed import GeneralisedDraws, LinearDraws, LinearFit, NormalDraws, compare, fit_linear
from outcomes.study.settings import AnalysisName, Disclosure, StudySettings

CASE_MIX = ("intake_severity_score", "directiveness_preferred_score", "reactance_score")
MIN_SHARE = 0.8
"""Fewest sessions (share) that must have a rating of the case mix for a model to be adjusted for it."""

CHUNKS, CHUNK = 10, 20
"""Bootstrap draws in chunks, each with a seed of its own, so that any process can make any of them; 200 place an
interval's ends to about a tenth of its width."""
SEED = 2_017
MAX_FAILED = 0.1

BINS = (TherapistQuantity.BELOW, TherapistQuantity.NOT_APART, TherapistQuantity.ABOVE)
_HAS_THERAPIST = "therapist_id is not null"  # so that models with and without therapists see the same rows


def run(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> dict[str, pl.DataFrame]:
    """Answer with table `therapist_variation`.

    Raises
    ------
    FitRefused
        Where no part can be answered: too few therapists, above all.
    """
    parts: dict[TherapistOutcome, Callable[[], Iterator[tuple]]] = {
        TherapistOutcome.SATISFACTION: lambda: _satisfaction(con, settings),
        TherapistOutcome.DROPOUT: lambda: _dropout(con, settings),
        TherapistOutcome.RESPONSIVENESS: lambda: _responsiveness(con, settings),
    }
    rows = []
    for outcome, compute in parts.items():
        labels = {"outcome": outcome, "quantity": TherapistQuantity.ALL, "unit": "", "adjusted_for": "", "shown": ""}
        rows += attempt(labels, compute)
    refuse_all(rows)
    return {VARIATION.name: filled(VARIATION, rows)}


def _satisfaction(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> Iterator[tuple]:
    """Therapists' part in satisfaction, beside clients' and the sessions' own."""
    mart = con.table("mart_session_directiveness").filter(_HAS_THERAPIST)
    mix = _case_mix(mart)
    fixed = " + ".join(["satisfaction_score ~ log_session", *mix])
    model = fit_linear_answer(f"{fixed} + {INTERCEPTS}", mart, settings.disclosure)
    without = fit_linear(f"{fixed} + (1 | client_id)", mart)
    words = {"adjusted_for": ", ".join(mix)}
    client, therapist = _place(model, "client_id"), _place(model, "therapist_id")
    drawn = _bootstrap(model, "Bootstrap of satisfaction", settings)
    p_value = compare(without, model.fit).p_value

    def share(sd: np.ndarray, sigma: float) -> float:
        return variance_share(sd[therapist] ** 2, sd[client] ** 2, sigma**2)

    found = share(_sds(model), model.fit.sigma)
    draws = [share(sd, sigma) for sd, sigma in zip(*drawn, strict=True)]
    yield words | {"quantity": TherapistQuantity.SHARE, "unit": "0 to 1"}, _with_interval(model, found, draws, p_value)
    spread = {"quantity": TherapistQuantity.SPREAD, "unit": "points of satisfaction"}
    yield words | spread, _with_interval(model, _sds(model)[therapist], drawn[0][:, therapist], p_value)
    for more, told in _distribution(model, settings.disclosure):
        yield words | more, told


def _dropout(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> Iterator[tuple]:
    """Therapists' part in dropout under the study's own definition, on the latent scale of the logit."""
    rows = risk_set(con, settings.dropout.definition, Reading.AS_RECORDED, settings.dropout.silent_days)
    outcome = f"is_{Cause.DROPOUT}"
    at_risk, course = baseline(rows, outcome)
    mix = _case_mix(at_risk)
    formula = " + ".join([f"{outcome} ~ 1", *course, *mix, "(1 | therapist_id)"])
    model = fit_hazard_answer(formula, at_risk, settings.disclosure)
    words = {"adjusted_for": ", ".join(mix)}
    drawn = _bootstrap(model, "Bootstrap of dropout", settings)[0][:, 0]
    sd = float(_sds(model)[0])
    for quantity, unit, of in (
        (TherapistQuantity.SHARE, "0 to 1", lambda sd: latent_variance_share(sd**2, model.fit.link)),
        (TherapistQuantity.ODDS_RATIO, "odds ratio", lambda sd: median_odds_ratio(sd**2)),
    ):
        told = _with_interval(model, of(sd), [of(one) for one in drawn])
        yield words | {"quantity": quantity, "unit": unit}, told
    for more, told in _distribution(model, settings.disclosure):
        yield words | more, told


def _responsiveness(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> Iterator[tuple]:
    """Do therapists give less guidance after a session that satisfied less? The reverse lag, with a slope by therapist.

    d_{t+1} on y_t, d_t, the episode's first ratings and ln(session). The slope varies over therapists along the
    client's departure from his own mean, so that it does not depend on where the scale has its zero.
    """
    sessions = session_rows(con).filter(_HAS_THERAPIST)
    fixed, term = LAGGED[GuidanceQuestion.NEXT_GUIDANCE]
    small = f"{fixed}{STARTS[GuidanceModel.FIRST_RATINGS]} + {INTERCEPTS}"
    model = fit_linear_answer(f"{small} + (0 + satisfaction_within | therapist_id)", sessions, settings.disclosure)
    without = fit_linear(small, sessions)
    unit = "points of directiveness per point of satisfaction"
    yield {"quantity": TherapistQuantity.RESPONSE, "unit": unit}, numbers(model.estimate(term), model)
    at = _place(model, "therapist_id", "satisfaction_within")
    drawn = _bootstrap(model, "Bootstrap of responsiveness", settings)[0][:, at]
    told = _with_interval(model, _sds(model)[at], drawn, compare(without, model.fit).p_value)
    yield {"quantity": TherapistQuantity.RESPONSE_SPREAD, "unit": unit}, told


def _case_mix(rows: duckdb.DuckDBPyRelation) -> list[str]:
    """Clients' own ratings that nearly all sessions have and that vary."""
    found = rows.aggregate(
        ", ".join(f"count({c}) / count(*), coalesce(min({c}) < max({c}), false)" for c in CASE_MIX)
    ).fetchall()[0]
    return [
        c for c, share, varies in zip(CASE_MIX, found[::2], found[1::2], strict=True) if varies and share >= MIN_SHARE
    ]


def _place(model: Answered, group: str, effect: str = "(Intercept)") -> int:
    """Where a random effect stands among all standard deviations of the fit."""
    names = [(block.group, name) for block in model.fit.variances for name in block.names]
    return names.index((group, effect))


def _sds(model: Answered) -> np.ndarray:
    return np.concatenate([block.sd for block in model.fit.variances])


def drawn_spreads(prepared: LinearDraws | GeneralisedDraws | NormalDraws, chunks: range) -> Iterator[tuple]:
    """Standard deviations (draws, k) and sigma (draws,; NaN for a hazard) on those draws of a chunk that settled."""
    for chunk in chunks:
        drawn = prepared.draw(CHUNK, SEED + chunk)
        sigma = np.full(CHUNK, np.nan) if drawn.sigma is None else drawn.sigma
        yield drawn.sd[drawn.converged], sigma[drawn.converged]


def _bootstrap(model: Answered, what: str, settings: StudySettings) -> tuple[np.ndarray, np.ndarray]:
    """Standard deviations (draws, k) and sigma (draws,; NaN for a hazard) on bootstrap draws."""
    prepared = LinearDraws.of(model.fit) if isinstance(model.fit, LinearFit) else hazard_draws(model.fit)
    cluster = "" if isinstance(prepared, NormalDraws) else settings.cluster.address  # these cost nothing
    chunks = replicates(drawn_spreads, prepared, CHUNKS, what, cluster)
    sd, sigma = (np.concatenate(parts) for parts in zip(*chunks, strict=True))
    if len(sd) < (1 - MAX_FAILED) * CHUNKS * CHUNK:
        raise FitRefused("Too many bootstrap draws did not converge: intervals would mislead.")
    return sd, sigma


def _with_interval(model: Answered, value: float, draws: object, p_value: float | None = None) -> Numbers:
    """An estimate with its bias-corrected percentile interval; the p-value is against no difference between therapists.

    The quantiles Phi(2 z0 -+ z) with z0 = Phi^-1(share of draws below the estimate) (Efron 1987, doi
    10.1080/01621459.1987.10478410). z0 < 0 counts as 0: draws pile up at zero there, which says nothing of a bias.
    """
    draws = np.asarray(draws, dtype=float)
    below = max(float(np.mean(draws < value)), 0.5)
    if below > (1 + LEVEL) / 2:
        return Numbers(
            reason="Data simulated from this estimate do not give it back, so nothing is known of its error."
        )
    z = 2 * stats.norm.ppf(below) + stats.norm.ppf([(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    low, high = np.quantile(draws, stats.norm.cdf(z))
    return of_model(model, float(value), float(draws.std(ddof=1)), p_value, float(low), float(high))


def _distribution(model: Answered, rule: Disclosure) -> Iterator[tuple]:
    """Shrunken effects as counts that may be shown: no therapist can be found in them."""
    effects = model.fit.random_effects("therapist_id")
    mode, error = effects["(Intercept)"].to_numpy(), effects["std_error (Intercept)"].to_numpy()
    words = {"unit": "therapists"}
    if not (error > 0).all():
        reason = "The differences between therapists are estimated as none, so they cannot be counted apart."
        yield words | {"quantity": TherapistQuantity.BY_EFFECT}, Numbers(reason=reason)
        return
    half = stats.norm.ppf((1 + LEVEL) / 2) * error
    counts = [int(np.sum(mode + half < 0)), 0, int(np.sum(mode - half > 0))]
    counts[1] = len(mode) - sum(counts)
    for quantity, part in zip(BINS, shown_table(counts, rule).parts, strict=True):
        yield words | {"quantity": quantity, "shown": part.text}, of_model(model, None)
    intervals = comparative_intervals(mode, error, LEVEL)
    i, j = np.triu_indices(len(mode), k=1)
    apart = (intervals.conf_low[i] > intervals.conf_high[j]) | (intervals.conf_low[j] > intervals.conf_high[i])
    shown = shown_percent(int(apart.sum()), apart.size, rule).text
    yield {"quantity": TherapistQuantity.PAIRS, "unit": "share of pairs", "shown": shown}, of_model(model, None)


ANALYSIS = Analysis(AnalysisName.THERAPISTS, TABLES, run)
