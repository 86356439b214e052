"""Balance or fit: the verdict on guidance for satisfaction and dropout, its evidence, and for whom it holds."""

from __future__ import annotations

import math
from collections.abc import Iterator

import duckdb
import polars as pl

from outcomes.answers.analysis import Analysis
from outcomes.answers.balance.curve_forms import PARAMETERS, SURFACE, CurveForm
from outcomes.answers.balance.evidence import Findings, between_clients, find_evidence
from outcomes.answers.balance.reactance import reactance_rows
from outcomes.answers.balance.rows import GuidanceRows, verdict_clients, verdict_dropouts, verdict_sessions
from outcomes.answers.balance.sessions import Beside, SessionsJudged, apart, beside, correlation, judge_sessions
from outcomes.answers.balance.surface import FittedSurface, surface_tables
from outcomes.answers.balance.tables import (
    EVIDENCE,
    REACTANCE,
    TABLES,
    VERDICTS,
    EvidenceMark,
    EvidenceQuantity,
    FormMeasure,
    SurfaceTerm,
    TurnAxis,
    TwoLinesPart,
    Verdict,
    VerdictModel,
    spline_slope,
)
from outcomes.answers.balance.verdict import Decision, decide
from outcomes.answers.common.dynamics import SERIES
from outcomes.answers.common.tables import filled
from outcomes.answers.common.words import Grain, Outcome
from outcomes.errors import FitRefused
from outcomes.methods.curvature.optimum_kind import optimum_kind
from outcomes.methods.curvature.response_surface import surface_of_coefficients
from outcomes.methods.curvature.turning_point import FiellerState, turning_point
from outcomes.methods.inference.contrasts import Estimate, estimate
from outcomes.mixed import CARRY_OVER_OF_SATISFACTION, NEXT_SESSION_SLOPE, RESPONSIVENESS, FitStatus, fit_linear
from outcomes.study import StudySettings
from outcomes.study.settings import AnalysisName

Row = tuple[str, float | None, float | None, float | None, str]  # quantity, estimate, conf_low, conf_high, status
_AXES = {
    CurveForm.BEST_LEVEL: TurnAxis.LEVEL,
    CurveForm.RELATIVE: TurnAxis.DEPARTURE,
    CurveForm.FIT: TurnAxis.DISTANCE,
}

_PATHS = {
    EvidenceQuantity.NEXT_SESSION: NEXT_SESSION_SLOPE,
    EvidenceQuantity.RESPONSIVENESS: RESPONSIVENESS,
    EvidenceQuantity.CARRY_OVER: CARRY_OVER_OF_SATISFACTION,
}
_GROUPS = {EvidenceQuantity.BETWEEN_CLIENTS: SERIES, EvidenceQuantity.BETWEEN_THERAPISTS: "therapist_id"}


def run(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> dict[str, pl.DataFrame]:
    """Decide for satisfaction (sessions, clients) and dropout (sessions).

    Raises
    ------
    FitRefused
        If satisfaction cannot be judged: too few therapists or clients, or ratings that hardly vary. What else cannot
        be judged is *undecided*, with the reason as its trace.
    """
    sessions = verdict_sessions(con, settings)
    judged = judge_sessions(sessions)
    other = beside(judged, sessions)
    verdicts = [
        _verdict_row(Outcome.SATISFACTION, Grain.SESSION, judged.decision, judged.model)
        | {
            "mixed_verdict": other.decision.verdict if other else "",
            "disagreement": other.sentence if other else _without_dynamics(judged),
            "apart": apart(judged),
        }
    ]
    found = [
        (Outcome.SATISFACTION, Grain.SESSION, row)
        for row in (*_rows(sessions, judged.findings), *_dynamics(judged, other))
    ]
    surfaces = [FittedSurface(sessions, judged.findings.model)]
    others = (
        (Outcome.SATISFACTION, Grain.CLIENT, verdict_clients, VerdictModel.MIXED),
        (Outcome.DROPOUT, Grain.SESSION, verdict_dropouts, VerdictModel.HAZARD),
    )
    for outcome, level, make, model in others:
        try:
            rows = make(con, settings)
            findings = find_evidence(rows)
        except FitRefused as refusal:
            refused = Decision(Verdict.UNDECIDED, (refusal.message,))
            verdicts.append(_verdict_row(outcome, level, refused, VerdictModel.NONE))
            found.append((outcome, level, (EvidenceQuantity.FREE_MODEL, None, None, None, FitStatus.REFUSED)))
            continue
        if level is Grain.CLIENT:
            findings = between_clients(findings, judged.findings, judged.decision.verdict)
        verdicts.append(_verdict_row(outcome, level, decide(findings.evidence), model))
        found += [(outcome, level, row) for row in _rows(rows, findings)]
        surfaces.append(FittedSurface(rows, findings.model))
    scale = settings.scales["directiveness"]
    return {
        VERDICTS.name: filled(VERDICTS, verdicts),
        EVIDENCE.name: filled(EVIDENCE, (_evidence_row(*one) for one in found)),
        REACTANCE.name: reactance_rows(con, settings),
        **surface_tables(surfaces, (scale.minimum, scale.maximum)),
    }


def _without_dynamics(judged: SessionsJudged) -> str:
    """Why the verdict rests on the mixed model, and what that means."""
    if judged.dynamic is not None:
        return ""
    return (
        "The verdict rests on a model that cannot tell an effect of guidance from therapists' responses to how the "
        f"last session went. {judged.refusal}"
    )


def _rows(rows: GuidanceRows, found: Findings) -> Iterator[Row]:
    """All quantities that a reader may want to check."""
    yield from _slopes(rows, found)
    yield from _parabola(rows)
    yield from _turns(rows, found)
    yield from _band(rows, found)
    yield from _forms(found)
    yield from _apart(found)
    if rows.has_departure:
        yield from _optimum(found)
    if rows.has_preference:
        yield from _surface(rows, found)


def _slopes(rows: GuidanceRows, found: Findings) -> Iterator[Row]:
    """Straight effects: the model without any curvature."""
    model = found.model
    straight = model.project(PARAMETERS[CurveForm.STRAIGHT])
    split = (EvidenceQuantity.SLOPE_WITHIN, EvidenceQuantity.SLOPE_USUAL)[: 1 + ("m" in model.terms)]
    names = split if rows.has_departure else (EvidenceQuantity.SLOPE_CLIENTS,)
    for i, name in enumerate(names):
        yield _row(name, estimate(straight.theta[i], straight.covariance[i, i], df=model.df), model.status)


def _parabola(rows: GuidanceRows) -> Iterator[Row]:
    """The quadratic in guidance alone, as the field fits it; on its own it shows no optimum."""
    if rows.outcome is not Outcome.SATISFACTION:
        return
    of_client = " + (1 | client_id)" if rows.has_departure else ""
    fit = fit_linear(f"y ~ {' + '.join(['d', 'd2', *rows.covariates])}{of_client} + (1 | therapist_id)", rows.frame)
    if fit.status is FitStatus.NOT_CONVERGED or "d2" not in fit.names:
        yield (EvidenceQuantity.ALONE_TURN, None, None, None, FitStatus.NOT_CONVERGED)
        return
    places = [fit.names.index(name) for name in ("d", "d2")]
    beta, covariance = fit.beta[places], fit.vcov[places][:, places]
    status = fit.status
    yield _row(EvidenceQuantity.ALONE_SLOPE, estimate(beta[0], covariance[0, 0]), status)
    yield _row(EvidenceQuantity.ALONE_CURVATURE, estimate(beta[1], covariance[1, 1]), status)
    point = turning_point(*beta, covariance)
    centre = rows.midpoint
    if point.fieller.state is FiellerState.NO_FINITE_INTERVAL:
        yield (EvidenceQuantity.ALONE_TURN, None, None, None, EvidenceMark.NO_INTERVAL)
        return
    yield (
        EvidenceQuantity.ALONE_TURN,
        point.delta.value + centre, point.fieller.conf_low + centre, point.fieller.conf_high + centre, status,
    )  # fmt: skip


def _turns(rows: GuidanceRows, found: Findings) -> Iterator[Row]:
    """Lind-Mehlum and two lines along each axis; the break is given with the flat range in which it was sought."""
    for form, turn in found.turns.items():
        axis = _AXES[form]
        shift = rows.midpoint if form is CurveForm.BEST_LEVEL else 0.0
        test = turn.lind_mehlum
        yield (axis.lind_mehlum, test.p_value, None, None, _passed(test.is_supported))
        if turn.two_lines is None:
            why = EvidenceMark.COARSE if turn.is_asked else EvidenceMark.NOT_ASKED
            yield (axis.two_lines(TwoLinesPart.BREAK), None, None, None, why)
            continue
        lines = turn.two_lines
        status = _passed(lines.is_supported)
        ends = (lines.break_point, lines.flat_low, lines.flat_high)
        yield (axis.two_lines(TwoLinesPart.BREAK), *(end + shift for end in ends), status)
        yield _row(axis.two_lines(TwoLinesPart.BELOW), lines.first, status)
        yield _row(axis.two_lines(TwoLinesPart.ABOVE), lines.second, status)


def _band(rows: GuidanceRows, found: Findings) -> Iterator[Row]:
    """Slope of the spline at a few levels of guidance, with the band that holds over the whole curve."""
    band = found.band
    if band is None:
        return
    for i in range(0, len(band.x), 3):
        name = spline_slope(band.x[i] + rows.midpoint)
        yield (name, float(band.slope[i]), float(band.conf_low[i]), float(band.conf_high[i]), found.model.status)


def _forms(found: Findings) -> Iterator[Row]:
    """Akaike weights, differences of AICc and shares explained of the forms compared."""
    comparison = found.comparison
    for form, delta, weight in zip(comparison.models, comparison.delta, comparison.weight, strict=True):
        yield (FormMeasure.AICC.of(form), float(delta), None, None, EvidenceMark.COMPARISON)
        yield (FormMeasure.WEIGHT.of(form), float(weight), None, None, EvidenceMark.COMPARISON)
        yield (FormMeasure.SHARE.of(form), found.evidence.shares[CurveForm(form)], None, None, EvidenceMark.COMPARISON)


def _apart(found: Findings) -> Iterator[Row]:
    """Changes of the logit of dropping out along the surface of the contrasts."""
    surface = found.surface
    if surface is None:
        return
    told = {
        EvidenceQuantity.LITTLE: surface.little,
        EvidenceQuantity.MUCH: surface.much,
        EvidenceQuantity.BELOW: surface.below,
        EvidenceQuantity.ABOVE: surface.above,
    }
    for name, value in told.items():
        if value is not None:
            yield _row(name, value, found.model.status)


def _optimum(found: Findings) -> Iterator[Row]:
    """Wald tests of an absolute and a relative optimum; a small p speaks against it."""
    model = found.model
    if "m" not in model.terms:
        return
    places = [model.terms.index(term) for term in ("w", "m", "w2", "m2", "wm")]
    tests = optimum_kind(model.beta[places], model.covariance[places][:, places], df_den=model.df)
    yield (EvidenceQuantity.ABSOLUTE, tests.absolute.p_value, None, None, EvidenceMark.TEST)
    yield (EvidenceQuantity.RELATIVE, tests.relative.p_value, None, None, EvidenceMark.TEST)


def _surface(rows: GuidanceRows, found: Findings) -> Iterator[Row]:
    """The response surface of guidance against preference; intervals by the delta method."""
    projected = found.model.project(SURFACE)
    surface = surface_of_coefficients(projected.theta, projected.covariance, df=found.model.df)
    for term in SurfaceTerm:
        value: Estimate | None = getattr(surface, term)
        if value is not None and math.isfinite(value.std_error):
            yield _row(term.quantity, value, found.model.status)


def _row(quantity: str, value: Estimate, status: FitStatus | EvidenceMark) -> Row:
    return quantity, value.value, value.conf_low, value.conf_high, status


def _passed(is_supported: bool) -> EvidenceMark:
    return EvidenceMark.TURN if is_supported else EvidenceMark.NO_TURN


def _dynamics(judged: SessionsJudged, other: Beside | None) -> Iterator[Row]:
    """Same-session slopes of both models, what goes from one session to the next, and what differs between people."""
    if other is not None:
        yield _row(EvidenceQuantity.SAME_SESSION_MIXED, other.slope, FitStatus.CONVERGED)
    if judged.dynamic is None:
        return
    found, fit = judged.dynamic, judged.dynamic.fit
    yield _row(EvidenceQuantity.SAME_SESSION, found.slope, fit.status)
    for quantity, name in _PATHS.items():
        place = fit.names.index(name)
        yield _row(quantity, estimate(fit.beta[place], fit.vcov[place, place], df=found.findings.model.df), fit.status)
    for quantity, group in _GROUPS.items():
        row = correlation(found, group)
        yield quantity, row["estimate"], row["conf_low"], row["conf_high"], fit.status


def _verdict_row(outcome: Outcome, level: Grain, found: Decision, model: VerdictModel) -> dict:
    return {
        "outcome": outcome, "level": level, "verdict": found.verdict, "trace": " ".join(found.trace), "model": model,
        "mixed_verdict": "", "disagreement": "", "apart": "",
    }  # fmt: skip


def _evidence_row(outcome: Outcome, level: Grain, row: Row) -> dict:
    quantity, estimate, conf_low, conf_high, status = row
    return {"outcome": outcome, "level": level, "quantity": quantity, "estimate": estimate, "conf_low": conf_low,
            "conf_high": conf_high, "status": status}  # fmt: skip


ANALYSIS = Analysis(AnalysisName.BALANCE, TABLES, run)
