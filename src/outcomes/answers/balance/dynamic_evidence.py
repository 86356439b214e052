"""The evidence for the verdict on sessions from the dynamic model: what is left when therapists' responses, good weeks,
and lasting differences between clients and between therapists are taken out.

The straight effect of guidance is one within client and therapist, because the model's usual levels are latent. Squares
and products are those of the departure w from the usual level m; what only differs between clients (m^2, m p, p, p^2)
is held constant, free, and is no evidence about sessions.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from outcomes.answers.balance.curve_forms import CurveForm
from outcomes.answers.balance.evidence import (
    AXES,
    BAND_PERCENTILES,
    SEED,
    Findings,
    Turn,
    compare_forms,
    conclude,
    parabola_turn,
)
from outcomes.answers.balance.free_model import FreeModel
from outcomes.answers.balance.rows import GuidanceRows
from outcomes.answers.balance.verdict import ALPHA
from outcomes.answers.common.dynamics import SERIES, TIME, with_errors
from outcomes.errors import FitRefused
from outcomes.methods.curvature.spline import KNOT_QUANTILES, SlopeBand, SplineFit, natural_basis, slope_band
from outcomes.methods.curvature.turning_point import TurningKind
from outcomes.methods.curvature.two_lines import TwoLines, two_lines_test
from outcomes.methods.inference.contrasts import Estimate, estimate
from outcomes.mixed import DynamicFit, FitStatus, OptSummary, fit_dynamic

WITHIN = ("w", "w2", "wm", "wp")
"""Terms that tell of sessions."""
_BETWEEN = ("p", "m2", "mp", "p2")


@dataclass(frozen=True)
class DynamicFindings:
    """What the dynamic model finds.

    Attributes
    ----------
    findings : Findings
        As of the mixed model; but two lines only along the axis of the form that describes the data best, and a band
        only where no turn is found: each costs a fit. Its `model`, from which the surface is told, has the model's own
        errors: half of its terms are between clients, for which a sandwich of therapists is too uncertain.
    fit : DynamicFit
        The free model behind it, with the errors that were used, without the sessions.
    slope : Estimate
        Average same-session slope, points of satisfaction per point of guidance.
    """

    findings: Findings
    fit: DynamicFit
    slope: Estimate


def find_dynamic_evidence(rows: GuidanceRows, near: OptSummary | None = None) -> DynamicFindings:
    """Fit, compare and test satisfaction after sessions; `near` is where the search ended on sessions like these.

    Raises
    ------
    FitRefused
        Fewer than 100 series of 4 or more rated sessions, a search that did not end, or guidance and its departures
        that cannot be told apart.
    """
    if rows.series is None:
        raise FitRefused("The dynamic model needs sessions in their order.")
    fit = _fit(rows, {term: term for term in _squares(rows)}, near)
    used = with_errors(fit, len([name for name in fit.names if name == "d" or name in WITHIN]))
    # Without the sessions, which nobody asks any more: half a gigabyte of a million.
    fit, used = (replace(one, problem=None) for one in (fit, used))
    df = float(fit.n_groups["therapist_id"] - 1)
    model = _free_model(rows, used, df)
    within = _chosen(model, WITHIN)
    compared = compare_forms(within, rows)
    turns = {form: parabola_turn(rows, within, form) for form in AXES if AXES[form] in rows.frame.columns}
    is_open = within.wald(WITHIN).p_value < ALPHA
    turned, has_turn = compared.turned, False
    if is_open and turned in turns:
        turns[turned] = _two_lines(rows, fit.optimizer, turned, turns[turned], df)
        has_turn = turns[turned].is_balance
    band = _band(rows, fit.optimizer) if is_open and not has_turn else None
    findings = conclude(rows, within, compared, turns, band)
    told = replace(findings, model=_free_model(rows, fit, df))
    return DynamicFindings(told, used, average_slope(model, rows))


def average_slope(model: FreeModel, rows: GuidanceRows) -> Estimate:
    """Slope along the departure w, on the average over the rows: comparable between models of the same rows."""
    at = {"w": 1.0, "w2": 2 * _mean(rows, "w"), "wm": _mean(rows, "m")}
    if rows.has_preference:
        at["wp"] = _mean(rows, "p")
    weights = np.array([at.get(term, 0.0) for term in model.terms])
    return estimate(weights @ model.beta, weights @ model.covariance @ weights, df=model.df)


def _mean(rows: GuidanceRows, name: str) -> float:
    return float(rows.frame[name].mean())


def _squares(rows: GuidanceRows) -> tuple[str, ...]:
    """Terms beside guidance itself that these rows have."""
    return tuple(term for term in (*WITHIN[1:], *_BETWEEN) if term in rows.series.columns)


def _fit(rows: GuidanceRows, columns: dict[str, str | pl.Expr], start: OptSummary | None) -> DynamicFit:
    """Fit satisfaction on guidance and these columns, held at the time in the course."""
    series = rows.series.with_columns(
        **{name: pl.col(it) if isinstance(it, str) else it for name, it in columns.items()}
    )
    fit = fit_dynamic(
        "y ~ " + " + ".join(["d", *columns, *TIME]), series, guidance="d", client=SERIES,
        therapist="therapist_id", time=TIME[0], start=start,
        guidance_covariates=" + ".join([*(["p"] if rows.has_preference else []), *TIME]),
    )  # fmt: skip
    if fit.status is FitStatus.NOT_CONVERGED:
        raise FitRefused("The dynamic model of guidance did not converge.")
    if missing := [name for name in ("d", *columns) if name not in fit.names]:
        raise FitRefused(f"The dynamic model cannot tell {len(missing)} of its terms from the others.")
    return fit


def _free_model(rows: GuidanceRows, fit: DynamicFit, df: float) -> FreeModel:
    """The model's terms as those of the mixed one; w is guidance itself, as the usual level is latent."""
    terms = ("w", *_squares(rows))
    places = [fit.names.index("d" if term == "w" else term) for term in terms]
    return FreeModel(
        terms=terms,
        beta=fit.beta[places],
        covariance=fit.vcov[np.ix_(places, places)],
        sd=np.array([rows.frame[term].std() for term in terms]) / float(rows.frame["y"].std()),
        df=df,
        n_clients=rows.frame["client_id"].n_unique(),
        status=fit.status,
    )


def _chosen(model: FreeModel, names: tuple[str, ...]) -> FreeModel:
    """The same model with some of its terms; the others stay free."""
    places = [i for i, term in enumerate(model.terms) if term in names]
    return replace(
        model,
        terms=tuple(model.terms[i] for i in places),
        beta=model.beta[places],
        covariance=model.covariance[np.ix_(places, places)],
        sd=model.sd[places],
    )


def _two_lines(rows: GuidanceRows, start: OptSummary, form: CurveForm, turn: Turn, df: float) -> Turn:
    """Two lines whose slopes are the dynamic model's; the break is sought in the sessions as they are.

    As in Simonsohn's test the lines are not joined, and rows on the break count in the line that is estimated.
    """
    axis = AXES[form]
    held = tuple(name for name in ("log_session", *_BETWEEN) if name in rows.frame.columns)
    x = rows.frame[axis].to_numpy()
    clusters = rows.frame["client_id"].rank("dense").to_numpy()
    try:
        raw = two_lines_test(
            rows.frame["y"].to_numpy(), x, covariates=rows.frame.select(held).to_numpy(), clusters=clusters, alpha=ALPHA
        )
    except FitRefused:
        return replace(turn, is_asked=True)
    between = {name: name for name in _BETWEEN if name in rows.series.columns}
    away = pl.col(axis) - raw.break_point
    slopes = []
    for above in (away > 0, away >= 0):
        lines = {"further": pl.when(above).then(away).otherwise(0.0), "beyond": above.cast(pl.Float64)}
        fit = replace(_fit(rows, lines | between, start), problem=None)
        below, extra = fit.names.index("d"), fit.names.index("further")
        start, weights = fit.optimizer, np.zeros(len(fit.names))
        weights[[below, extra]] = 1.0, float(len(slopes))
        slopes.append(estimate(weights @ fit.beta, weights @ fit.vcov @ weights, df=df))
    first, second = slopes
    kind = TurningKind.MAXIMUM if first.value > 0 else TurningKind.MINIMUM
    is_supported = bool(first.value * second.value < 0 and max(first.p_value, second.p_value) < ALPHA)
    lines = TwoLines(kind, raw.break_point, raw.flat_low, raw.flat_high, first, second, is_supported)
    found = all(test.is_supported and test.kind is TurningKind.MAXIMUM for test in (turn.lind_mehlum, lines))
    return Turn(turn.lind_mehlum, lines, found)


def _band(rows: GuidanceRows, start: OptSummary) -> SlopeBand:
    """Slope of a spline of guidance within the dynamic model; the curve is told up to a constant."""
    d = rows.frame["d"].to_numpy()
    knots = np.unique(np.quantile(d, KNOT_QUANTILES))
    if knots.size < 3:
        raise FitRefused("Guidance has too few distinct values for a curve.", "use a scale with more steps")
    basis = natural_basis(knots)(rows.series["d"].to_numpy())
    bends = {f"bend_{i}": pl.lit(pl.Series(basis[:, i])) for i in range(1, knots.size - 1)}
    fit = _fit(rows, bends | {name: name for name in _BETWEEN if name in rows.series.columns}, start)
    places = [fit.names.index(name) for name in ("d", *bends)]
    # At the knots the curve is a line with the slope of `d`, and a bump of its own at each inner knot.
    at_knots = np.column_stack([knots - knots[0], np.eye(knots.size)[:, 1:-1]])
    beta = at_knots @ fit.beta[places]
    covariance = at_knots @ fit.vcov[np.ix_(places, places)] @ at_knots.T
    return slope_band(
        SplineFit(knots, beta, covariance),
        np.percentile(d, BAND_PERCENTILES),
        np.random.default_rng(SEED),
        n_draws=4_000,
    )
