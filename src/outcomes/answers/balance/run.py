"""Balance or fit: the verdict on guidance for satisfaction and dropout, its evidence, and for whom it holds."""

from __future__ import annotations

import math
from collections.abc import Iterator

import duckdb
import polars as pl

from outcomes.answers.balance.evidence import Findings, between_clients, find_evidence
from outcomes.answers.balance.reactance import TABLE as REACTANCE_TABLE
from outcomes.answers.balance.reactance import reactance_rows
from outcomes.answers.balance.rows import GuidanceRows, client_rows, dropout_rows, session_rows
from outcomes.answers.balance.structures import PARAMETERS, SURFACE, Structure
from outcomes.answers.balance.verdict import Decision, Verdict, decide
from outcomes.errors import FitRefused
from outcomes.methods.curvature.optimum_kind import optimum_kind
from outcomes.methods.curvature.response_surface import response_surface
from outcomes.methods.curvature.turning_point import FiellerState, turning_point
from outcomes.methods.inference.contrasts import Estimate, estimate
from outcomes.mixed import FitStatus, fit_linear
from outcomes.study import StudySettings

NAME = "balance"
TABLES = ("verdicts", "balance_evidence", REACTANCE_TABLE)

Row = tuple[str, float | None, float | None, float | None, str]  # quantity, estimate, conf_low, conf_high, status
_AXES = {
    Structure.BEST_LEVEL: "guidance",
    Structure.RELATIVE: "departure from the usual level",
    Structure.FIT: "distance from the preference",
}
WORDS = {
    Verdict.NO_EFFECT: "How much guidance clients get makes no difference that matters to {outcome}.",
    Verdict.MONOTONE: "With more guidance {outcome} goes one way only; no best level shows.",
    Verdict.BEST_LEVEL: "There is one best level of guidance for {outcome}; more and less are both worse.",
    Verdict.FIT: "What counts for {outcome} is the fit: guidance near to what the client prefers.",
    Verdict.FIT_PLUS_MAIN: "What counts for {outcome} is fit to the client's preference, and the level itself as well.",
    Verdict.RELATIVE: "What counts for {outcome} is change: more and less than the client is used to are both worse.",
    Verdict.UNDECIDED: "The data do not decide how guidance works on {outcome}.",
}


def run(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> dict[str, pl.DataFrame]:
    """Decide for satisfaction (sessions, clients) and dropout (sessions).

    Raises
    ------
    FitRefused
        If satisfaction cannot be judged: too few therapists or clients, or ratings that hardly vary. What else cannot
        be judged is *undecided*, with the reason as its trace.
    """
    sessions, found = _found(session_rows(con, settings))
    verdicts = [("satisfaction", "session", decide(found.evidence))]
    evidence = [("satisfaction", "session", row) for row in _rows(sessions, found)]
    for outcome, level, make in (("satisfaction", "client", client_rows), ("dropout", "session", dropout_rows)):
        try:
            rows, findings = _found(make(con, settings))
        except FitRefused as refusal:
            verdicts.append((outcome, level, Decision(Verdict.UNDECIDED, (refusal.message,))))
            evidence.append((outcome, level, ("quadratic model", None, None, None, str(FitStatus.REFUSED))))
            continue
        if level == "client":
            findings = between_clients(findings, found)
        verdicts.append((outcome, level, decide(findings.evidence)))
        evidence += [(outcome, level, row) for row in _rows(rows, findings)]
    return {
        "verdicts": _verdict_table(verdicts),
        "balance_evidence": _evidence_table(evidence),
        REACTANCE_TABLE: reactance_rows(con, settings),
    }


def sentences(con: duckdb.DuckDBPyConnection) -> list[str]:
    """The verdicts in plain words, each with its reason."""
    rows = con.execute("select outcome, level, verdict, trace from verdicts").fetchall()
    between = {"client": "Between clients: ", "session": ""}
    return [
        f"{between[level]}{WORDS[Verdict(name)].format(outcome=outcome)} {trace}"
        for outcome, level, name, trace in rows
    ]


def _found(rows: GuidanceRows) -> tuple[GuidanceRows, Findings]:
    return rows, find_evidence(rows)


def _rows(rows: GuidanceRows, found: Findings) -> Iterator[Row]:
    """All quantities that a reader may want to check."""
    yield from _slopes(rows, found)
    yield from _parabola(rows)
    yield from _turns(rows, found)
    yield from _band(rows, found)
    yield from _forms(found)
    if rows.has_departure:
        yield from _optimum(found)
    if rows.has_preference:
        yield from _surface(rows, found)


def _slopes(rows: GuidanceRows, found: Findings) -> Iterator[Row]:
    """Straight effects: the model without any curvature."""
    model = found.model
    straight = model.project(PARAMETERS[Structure.STRAIGHT])
    names = ("slope within clients", "slope of the usual level") if rows.has_departure else ("slope between clients",)
    for i, name in enumerate(names):
        yield _row(name, estimate(straight.theta[i], straight.covariance[i, i], df=model.df), model.status)


def _parabola(rows: GuidanceRows) -> Iterator[Row]:
    """The quadratic in guidance alone, as the field fits it; on its own it shows no optimum."""
    if rows.outcome != "satisfaction":
        return
    of_client = " + (1 | client_id)" if rows.has_departure else ""
    fit = fit_linear(f"y ~ {' + '.join(['d', 'd2', *rows.covariates])}{of_client} + (1 | therapist_id)", rows.frame)
    if fit.status is FitStatus.NOT_CONVERGED or "d2" not in fit.names:
        yield ("quadratic alone: turning point", None, None, None, str(FitStatus.NOT_CONVERGED))
        return
    places = [fit.names.index(name) for name in ("d", "d2")]
    beta, covariance = fit.beta[places], fit.vcov[places][:, places]
    status = str(fit.status)
    yield _row("quadratic alone: slope in the middle of the scale", estimate(beta[0], covariance[0, 0]), status)
    yield _row("quadratic alone: curvature", estimate(beta[1], covariance[1, 1]), status)
    point = turning_point(*beta, covariance)
    centre = rows.midpoint
    if point.fieller.state is FiellerState.NO_FINITE_INTERVAL:
        yield ("quadratic alone: turning point", None, None, None, str(point.fieller.state))
        return
    yield (
        "quadratic alone: turning point",
        point.delta.value + centre, point.fieller.conf_low + centre, point.fieller.conf_high + centre, status,
    )  # fmt: skip


def _turns(rows: GuidanceRows, found: Findings) -> Iterator[Row]:
    """Lind-Mehlum and two lines along each axis; the break is given with the flat range in which it was sought."""
    for form, turn in found.turns.items():
        axis = _AXES[form]
        shift = rows.midpoint if form is Structure.BEST_LEVEL else 0.0
        test = turn.lind_mehlum
        yield (f"Lind-Mehlum on {axis}: p", test.p_value, None, None, _passed(test.is_supported))
        if turn.two_lines is None:
            yield (f"two lines on {axis}: break", None, None, None, "scale too coarse")
            continue
        lines = turn.two_lines
        status = _passed(lines.is_supported)
        ends = (lines.break_point, lines.flat_low, lines.flat_high)
        yield (f"two lines on {axis}: break", *(end + shift for end in ends), status)
        yield _row(f"two lines on {axis}: slope below the break", lines.first, status)
        yield _row(f"two lines on {axis}: slope above the break", lines.second, status)


def _band(rows: GuidanceRows, found: Findings) -> Iterator[Row]:
    """Slope of the spline at a few levels of guidance, with the band that holds over the whole curve."""
    band = found.band
    for i in range(0, len(band.x), 3):
        name = f"spline: slope at guidance {band.x[i] + rows.midpoint:.1f}"
        yield (name, float(band.slope[i]), float(band.conf_low[i]), float(band.conf_high[i]), found.model.status)


def _forms(found: Findings) -> Iterator[Row]:
    """Akaike weights, differences of AICc and shares explained of the forms compared."""
    comparison = found.comparison
    for form, delta, weight in zip(comparison.models, comparison.delta, comparison.weight, strict=True):
        yield (f"form {form}: AICc above the best", float(delta), None, None, "comparison")
        yield (f"form {form}: Akaike weight", float(weight), None, None, "comparison")
        yield (f"form {form}: share explained", found.evidence.shares[Structure(form)], None, None, "comparison")


def _optimum(found: Findings) -> Iterator[Row]:
    """Wald tests of an absolute and a relative optimum; a small p speaks against it."""
    model = found.model
    places = [model.terms.index(term) for term in ("w", "m", "w2", "m2", "wm")]
    tests = optimum_kind(model.beta[places], model.covariance[places][:, places], df_den=model.df)
    yield ("absolute optimum: p", tests.absolute.p_value, None, None, "test")
    yield ("relative optimum: p", tests.relative.p_value, None, None, "test")


def _surface(rows: GuidanceRows, found: Findings) -> Iterator[Row]:
    """The response surface of guidance against preference; intervals by the delta method."""
    projected = found.model.project(SURFACE)
    surface = response_surface(projected.theta, projected.covariance, df=found.model.df)
    for name in ("a1", "a2", "a3", "a4", "a5", "p10", "p11"):
        value: Estimate | None = getattr(surface, name)
        if value is not None and math.isfinite(value.std_error):
            yield _row(f"response surface: {name}", value, found.model.status)


def _row(quantity: str, value: Estimate, status: str) -> Row:
    return quantity, value.value, value.conf_low, value.conf_high, status


def _passed(is_supported: bool) -> str:
    return "turn found" if is_supported else "no turn found"


def _verdict_table(verdicts: list[tuple[str, str, Decision]]) -> pl.DataFrame:
    return pl.DataFrame(
        [(outcome, level, str(found.verdict), " ".join(found.trace)) for outcome, level, found in verdicts],
        schema=dict.fromkeys(("outcome", "level", "verdict", "trace"), pl.String),
        orient="row",
    )


def _evidence_table(evidence: list[tuple[str, str, Row]]) -> pl.DataFrame:
    words, numbers = ("outcome", "level", "quantity"), ("estimate", "conf_low", "conf_high")
    schema = dict.fromkeys(words, pl.String) | dict.fromkeys(numbers, pl.Float64) | {"status": pl.String}
    return pl.DataFrame([(outcome, level, *row) for outcome, level, row in evidence], schema=schema, orient="row")
