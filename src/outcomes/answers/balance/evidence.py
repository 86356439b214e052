"""The evidence for a verdict: one free quadratic model, its restricted forms, and the tests of a turn."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import expit

from outcomes.answers.balance.curve_forms import (
    MISFIT_PARABOLA,
    PARAMETERS,
    WITH_GUIDANCE,
    CurveForm,
    Projection,
    available,
)  # fmt: skip
from outcomes.answers.balance.dropout_surface import DropoutSurface, dropout_surface
from outcomes.answers.balance.free_model import LOGIT_SD, FreeModel, fit_free_model
from outcomes.answers.balance.rows import GuidanceRows
from outcomes.answers.balance.tables import Verdict
from outcomes.answers.balance.verdict import ALPHA, HINT, WEIGHT, Evidence
from outcomes.answers.common.words import Grain, Outcome
from outcomes.errors import FitRefused
from outcomes.methods.curvature.lind_mehlum import LindMehlumTest, lind_mehlum_test
from outcomes.methods.curvature.spline import SlopeBand, fit_spline, slope_band
from outcomes.methods.curvature.surface_models import ModelComparison, compare_by_aicc
from outcomes.methods.curvature.turning_point import TurningKind
from outcomes.methods.curvature.two_lines import TwoLines, two_lines_test
from outcomes.methods.inference.contrasts import estimate, wald_test
from outcomes.methods.inference.equivalence import EquivalenceState, equivalence_test

_ALONG = (
    (CurveForm.STRAIGHT, 0),
    (CurveForm.STRAIGHT, 1),
    (CurveForm.BEST_LEVEL, 1),
    (CurveForm.RELATIVE, 1),
    (CurveForm.FIT, 0),
)
"""Forms and the parameter of each along which nothing that matters must be left."""
NEGLIGIBLE = 0.125
"""Bound of the equivalence tests: standard deviations of the outcome per standard deviation of the term. The half of
the rows with more and the half with less of a normal term then differ by d = 0.2, Cohen's small difference (the halves'
means lie 1.6 standard deviations apart). A logit counts pi / sqrt(3) as its standard deviation."""

BAND_PERCENTILES = np.linspace(5, 95, 19)
SEED = 20_413  # of the draws behind the band

AXES = {CurveForm.BEST_LEVEL: "d", CurveForm.RELATIVE: "w", CurveForm.FIT: "e"}
"""Along what the turn of each form is sought: guidance, the departure from the usual level, the distance from the
preference."""
_HELD: dict[CurveForm, tuple[str, ...]] = {
    CurveForm.BEST_LEVEL: (), CurveForm.RELATIVE: ("m", "m2"), CurveForm.FIT: ("p",),
}  # fmt: skip


@dataclass(frozen=True)
class Turn:
    """The two tests of a turn along one axis; `is_balance` where both find the best value inside the data;
    for dropout and the distance from the preference, where the surface of the contrasts does."""

    lind_mehlum: LindMehlumTest
    two_lines: TwoLines | None  # None where the scale is too coarse for it, or nobody asked
    is_balance: bool
    is_asked: bool = True  # two lines are sought; the dynamic model does so along one axis only


@dataclass(frozen=True)
class Findings:
    """All that was estimated, and what the verdict takes of it."""

    model: FreeModel
    comparison: ModelComparison
    turns: dict[CurveForm, Turn]
    band: SlopeBand | None  # None where the verdict does not ask for it (dynamic model)
    evidence: Evidence
    surface: DropoutSurface | None = None


def find_evidence(rows: GuidanceRows) -> Findings:
    """Fit, compare and test; the same rows give the same findings."""
    model = fit_free_model(rows)
    turns = {form: turn_along(rows, model, form) for form in AXES if AXES[form] in rows.frame.columns}
    surface = dropout_surface(rows, model.df) if rows.outcome is Outcome.DROPOUT else None
    if rows.outcome is Outcome.DROPOUT and CurveForm.FIT in turns:
        turns[CurveForm.FIT] = on_surface(turns[CurveForm.FIT], surface)
    return conclude(rows, model, compare_forms(model, rows), turns, band_of(rows), surface)


def on_surface(turn: Turn, surface: DropoutSurface | None) -> Turn:
    """The turn at the preference as the surface of dropout says it."""
    return replace(turn, is_balance=surface is not None and surface.is_turn(ALPHA))


@dataclass(frozen=True)
class Compared:
    """The restricted forms of a free model.

    Attributes
    ----------
    projections : dict of CurveForm to Projection
    comparison : ModelComparison
    shares : dict of CurveForm to float
        Share of what guidance explains that each accounts for.
    """

    projections: dict[CurveForm, Projection]
    comparison: ModelComparison
    shares: dict[CurveForm, float]

    @property
    def weights(self) -> dict[CurveForm, float]:
        """Akaike weights."""
        return dict(zip(self.projections, self.comparison.weight.tolist(), strict=True))

    @property
    def turned(self) -> CurveForm:
        """The form with the largest weight; fit with a main effect turns as fit does."""
        best = max(self.weights, key=self.weights.__getitem__)
        return CurveForm.FIT if best is CurveForm.FIT_PLUS_MAIN else best


def compare_forms(model: FreeModel, rows: GuidanceRows) -> Compared:
    """Project the free model on every form that these rows can tell apart."""
    projections = {form: model.project(PARAMETERS[form]) for form in _forms(rows)}
    none = model.project(PARAMETERS[CurveForm.NONE]).distance
    comparison = compare_by_aicc(
        tuple(projections),
        [-found.distance / 2 for found in projections.values()],
        [found.theta.size for found in projections.values()],
        model.n_clients,
    )
    return Compared(projections, comparison, {form: 1 - found.distance / none for form, found in projections.items()})


def conclude(
    rows: GuidanceRows,
    model: FreeModel,
    compared: Compared,
    turns: dict[CurveForm, Turn],
    band: SlopeBand | None,
    surface: DropoutSurface | None = None,
) -> Findings:
    """Put together what the verdict takes of all that was estimated."""
    main = _main_effects(model) if rows.has_preference else None
    has_both = {"w", "m"} <= set(model.terms)
    no_term_matters = _all_negligible(
        [
            (model.beta[i] * model.sd[i], np.sqrt(model.covariance[i, i]) * model.sd[i])
            for i, term in enumerate(model.terms)
            if term in WITH_GUIDANCE
        ],
        model.df,
    )
    nothing_matters = no_term_matters and _no_form_matters(rows, model, surface)
    evidence = Evidence(
        effect_p=model.wald(WITH_GUIDANCE).p_value,
        is_negligible=nothing_matters if rows.outcome is Outcome.DROPOUT else no_term_matters,
        nothing_matters=nothing_matters,
        has_preference=rows.has_preference,
        weights=compared.weights,
        shares=compared.shares,
        is_balance={form: turn.is_balance for form, turn in turns.items()},
        main_p=main[0] if main else float("nan"),
        is_main_negligible=main[1] if main else False,
        rises=band is not None and bool((band.sign > 0).any()),
        falls=band is not None and bool((band.sign < 0).any()),
        has_opposite_slopes=has_both and _are_opposite(compared.projections[CurveForm.STRAIGHT], model.df),
        is_fit_part_of_it=surface is not None and surface.is_fit_part_of_it(HINT),
        is_lopsided=surface is None or surface.is_lopsided(ALPHA),
        has_surface=surface is not None,
        is_one_way=rows.outcome is not Outcome.DROPOUT or (surface is not None and surface.is_one_way(ALPHA)),
    )
    return Findings(model, compared.comparison, turns, band, evidence, surface)


def between_clients(findings: Findings, of_sessions: Findings, verdict: Verdict) -> Findings:
    """Let the sessions guard the findings of the same outcome between clients.

    One gate; one best level only where an optimum relative to the usual level is ruled out; and nothing that the
    sessions' own `verdict` does not say as well: between clients guidance may be what satisfaction led to.
    """
    aicc = dict(zip(of_sessions.comparison.models, of_sessions.comparison.aicc.tolist(), strict=True))
    rival = expit((aicc[CurveForm.BEST_LEVEL] - aicc[CurveForm.RELATIVE]) / 2)  # Akaike weight of the two alone
    evidence = replace(
        findings.evidence,
        effect_p=max(findings.evidence.effect_p, of_sessions.evidence.effect_p),
        is_relative_open=bool(rival > 1 - WEIGHT),
        of_sessions=verdict,
    )
    return replace(findings, evidence=evidence)


def _forms(rows: GuidanceRows) -> list[CurveForm]:
    """The forms that these rows can tell apart."""
    needs = {
        CurveForm.STRAIGHT: True,
        CurveForm.BEST_LEVEL: True,
        CurveForm.RELATIVE: rows.has_departure,
        CurveForm.FIT: rows.has_preference,
        CurveForm.FIT_PLUS_MAIN: rows.has_preference,
    }
    return [form for form, is_possible in needs.items() if is_possible]


def _no_form_matters(rows: GuidanceRows, model: FreeModel, surface: DropoutSurface | None) -> bool:
    """Whether guidance is negligible along every form as well, and not only term by term.

    An optimum spreads over several terms, each of which may be negligible where the whole is not.
    """
    is_dropout = rows.outcome is Outcome.DROPOUT
    if is_dropout and surface is None:
        return False
    outcome_sd = LOGIT_SD if is_dropout else float(rows.frame["y"].std())
    effects = []
    for form, place in _ALONG:
        parameter, moved = PARAMETERS[form][place], available(PARAMETERS[form], model.terms)
        if form not in _forms(rows) or parameter not in moved:
            continue
        found, at = model.project(PARAMETERS[form]), moved.index(parameter)
        moves = [times * rows.frame[term] for term, times in parameter.items() if term in model.terms]
        size = float(np.std(np.sum(moves, axis=0), ddof=1)) / outcome_sd
        effects.append((found.theta[at] * size, float(np.sqrt(found.covariance[at, at])) * size))
    if surface is not None and surface.misfit is not None:
        effects.append((surface.misfit.value / LOGIT_SD, surface.misfit.std_error / LOGIT_SD))
    return _all_negligible(effects, model.df)


def parabola_turn(rows: GuidanceRows, model: FreeModel, form: CurveForm) -> Turn:
    """The Lind-Mehlum test along the axis of a form, still without two lines.

    The first two parameters of the form are the axis and its square.
    """
    restricted = model.project(MISFIT_PARABOLA if form is CurveForm.FIT else PARAMETERS[form])
    x = rows.frame[AXES[form]].to_numpy()
    test = lind_mehlum_test(*restricted.theta[:2], restricted.covariance[:2, :2], x, df=model.df, alpha=ALPHA)
    return Turn(test, None, False, is_asked=False)


def turn_along(rows: GuidanceRows, model: FreeModel, form: CurveForm) -> Turn:
    """Both tests for the best value along the axis of a form."""
    wanted = TurningKind.MINIMUM if rows.outcome is Outcome.DROPOUT else TurningKind.MAXIMUM
    parabola, x = parabola_turn(rows, model, form), rows.frame[AXES[form]].to_numpy()
    columns = (*rows.covariates, *_HELD[form])
    covariates = rows.frame.select(columns).to_numpy() if columns else None
    try:
        lines = two_lines_test(
            rows.frame["y"].to_numpy(), x, covariates=covariates, clusters=_clusters(rows), alpha=ALPHA
        )
    except FitRefused:
        return replace(parabola, is_asked=True)
    found = all(test.is_supported and test.kind is wanted for test in (parabola.lind_mehlum, lines))
    return Turn(parabola.lind_mehlum, lines, found)


def band_of(rows: GuidanceRows) -> SlopeBand:
    """Where the outcome surely rises and falls with guidance."""
    d = rows.frame["d"].to_numpy()
    covariates = rows.frame.select(rows.covariates).to_numpy() if rows.covariates else None
    spline = fit_spline(rows.frame["y"].to_numpy(), d, covariates=covariates, clusters=_clusters(rows))
    return slope_band(spline, np.percentile(d, BAND_PERCENTILES), np.random.default_rng(SEED), n_draws=4_000)


def _clusters(rows: GuidanceRows) -> np.ndarray:
    """Whose rows depend on one another, one level up, as numbers."""
    return rows.frame["client_id" if rows.level is Grain.SESSION else "therapist_id"].rank("dense").to_numpy()


def _main_effects(model: FreeModel) -> tuple[float, bool]:
    """Joint p of the straight effects beside fit, and whether all are negligible."""
    moved = available(PARAMETERS[CurveForm.FIT_PLUS_MAIN], model.terms)
    plus = model.project(moved)
    places = [i for i, parameter in enumerate(moved) if len(parameter) == 1]  # the square of the misfit moves several
    test = wald_test(np.eye(plus.theta.size)[places], plus.theta, plus.covariance, df_den=model.df)
    sds = [model.sd[model.terms.index(next(iter(moved[i])))] for i in places]
    effects = [(plus.theta[i] * sd, np.sqrt(plus.covariance[i, i]) * sd) for i, sd in zip(places, sds, strict=True)]
    return test.p_value, _all_negligible(effects, model.df)


def _all_negligible(effects: list[tuple[float, float]], df: float) -> bool:
    """Whether every effect (value, standard error) is equivalent to zero."""
    return all(
        equivalence_test(value, error, NEGLIGIBLE, alpha=ALPHA, df=df).state is EquivalenceState.EQUIVALENT
        for value, error in effects
    )


def _are_opposite(straight: Projection, df: float) -> bool:
    """Whether the within and the between slope differ in sign, both beyond chance."""
    within, between = (estimate(straight.theta[i], straight.covariance[i, i], df=df) for i in (0, 1))
    return bool(within.value * between.value < 0 and max(within.p_value, between.p_value) < ALPHA)
