"""From evidence to a verdict on guidance, with the trace of how it got there. Nothing is estimated here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from outcomes.answers.balance.curve_forms import CurveForm
from outcomes.answers.balance.tables import Verdict

ALPHA = 0.05
WEIGHT = 0.95
"""Akaike weight that a form of the curve needs among all forms, to be the one that the data choose."""
WEIGHT_OF_EVENTS = 0.99
"""The same for dropout, whose terms are known from few events, so that weights swing: at .95 what clients are used to
was called one level for all in 1 of 15 simulated studies."""
ALPHA_OF_EVENTS = 0.01
"""Of the main effect beside fit, for dropout: at .05 it was claimed in 1 of 7 simulated studies with fit alone."""
HINT = 0.20
"""Of dropout: one-sided p of what a step away from the preference costs, below which nothing is called one-way. The
burden is on the claim: where clients misstate what they prefer, half of what fit does is lost."""
SHARE = 0.80
"""Share of all that guidance explains (drop in distance from the free model) that the chosen form must account for;
a ceiling and other small distortions make every exact form false in large data."""


_WITHIN_ONLY = (Verdict.UNDECIDED, Verdict.RELATIVE)
"""Verdicts on sessions beside which clients may differ in nothing."""
_FAMILIES: dict[str, tuple[CurveForm, ...]] = {
    "a straight line": (CurveForm.STRAIGHT,),
    "one level for all": (CurveForm.BEST_LEVEL,),
    "what the client is used to": (CurveForm.RELATIVE,),
    "what the client prefers": (CurveForm.FIT, CurveForm.FIT_PLUS_MAIN),
}


@dataclass(frozen=True)
class Evidence:
    """All that the verdict rests on.

    Attributes
    ----------
    effect_p : float
        p of the joint test that no term with guidance has an effect; between clients the larger of this and the p of
        the sessions' test, so that one gate guards both verdicts.
    is_negligible : bool
        Every such term is equivalent to zero within the declared bound.
    nothing_matters : bool
        The same of guidance along every form as well: what is beyond chance is then still no effect that matters.
    has_preference : bool
        Clients' preferences are known, so that fit can be told from one best level.
    weights : mapping of CurveForm to float
        Akaike weights (sum to 1) of the forms but NONE.
    shares : mapping of CurveForm to float
        Share of what guidance explains that each form accounts for; at most 1, below 0 where it does harm.
    is_balance : mapping of CurveForm to bool
        For BEST_LEVEL, RELATIVE and FIT: whether both the Lind-Mehlum and the two-lines test find a turn in guidance,
        in the departure from the usual level, and in the distance from the preference.
    main_p : float
        p of the joint test of the straight effects beside fit; NaN without preferences.
    is_main_negligible : bool
        These are equivalent to zero.
    rises, falls : bool
        Whether the outcome rises, and whether it falls, with guidance anywhere (simultaneous band of a spline).
    has_opposite_slopes : bool
        The within and the between slope differ in sign, both beyond chance.
    is_relative_open : bool
        One row is a client, and the sessions do not rule out that the best level is what the client is used to:
        between clients this looks like one best level, because a client's mean holds chance.
    is_one_way : bool
        A turn inside the data is ruled out, and not only unseen. Of dropout, where events are few; for satisfaction the
        band says it.
    is_fit_part_of_it : bool
        Dropout: a step away from the preference seems to cost, beside whatever a straight effect of guidance does.
    is_lopsided : bool
        Too little and too much surely do not cost the same. Of dropout; for satisfaction a main effect's test says it.
    has_surface : bool
        The turn at the preference is that of the surface of the contrasts (dropout), not of the two tests.
    of_sessions : Verdict or None
        One row is a client: the verdict on sessions. A link between clients that the sessions do not show may be
        therapists' answer to satisfaction (content clients get more guidance), or a difference of persons.
    """

    effect_p: float
    is_negligible: bool
    has_preference: bool
    weights: Mapping[CurveForm, float]
    shares: Mapping[CurveForm, float]
    is_balance: Mapping[CurveForm, bool]
    main_p: float
    is_main_negligible: bool
    rises: bool
    falls: bool
    has_opposite_slopes: bool
    is_relative_open: bool = False
    is_one_way: bool = True
    is_fit_part_of_it: bool = False
    is_lopsided: bool = True
    nothing_matters: bool = False
    has_surface: bool = False
    of_sessions: Verdict | None = None


@dataclass(frozen=True)
class Decision:
    """A verdict and the steps that led to it, one sentence each."""

    verdict: Verdict
    trace: tuple[str, ...]


def decide(e: Evidence) -> Decision:
    """Combine the evidence into one verdict.

    One joint test opens the gate, so that without any effect at most `ALPHA` of studies go on. Then the form of the
    curve is chosen (Akaike weight), it must account for what guidance explains, and a turn must pass both the
    Lind-Mehlum and the two-lines test. What rises or falls without a turn is monotone. Everything else is undecided.
    Between clients a verdict stands where the sessions say the same.
    """
    found = _decide(e)
    if e.of_sessions in (None, found.verdict) or found.verdict is Verdict.UNDECIDED:
        return found
    if found.verdict is Verdict.NO_EFFECT:
        if e.of_sessions in _WITHIN_ONLY:
            return found
        reason = (
            f"Between clients nothing shows; after sessions the verdict is {e.of_sessions}. The therapists' answer to "
            "satisfaction may hide it."
        )
    else:
        reason = (
            f"Between clients alone this would be {found.verdict}; after sessions the verdict is {e.of_sessions}. What "
            "only differs between clients may be the therapists' answer to satisfaction, or a difference of persons."
        )
    return Decision(Verdict.UNDECIDED, (*found.trace, reason))


def _decide(e: Evidence) -> Decision:
    """The verdict of one level on its own."""
    if not e.effect_p < ALPHA:
        return _without_effect(e)
    gate = f"Guidance has some effect (joint test, p {_p(e.effect_p)})."
    if e.nothing_matters:
        return Decision(Verdict.NO_EFFECT, (gate, "Every effect that matters is ruled out (equivalence tests)."))
    name, family, weight = _chosen(e.weights)
    best = max(family, key=lambda form: e.weights[form])
    chosen = f"Of the forms compared, {name} describes it best (Akaike weight {weight:.2f})."
    if best is CurveForm.STRAIGHT:
        return _without_turn(e, (gate, chosen))
    turned = _turned(best)
    of_surface = e.has_surface and turned is CurveForm.FIT
    if not e.is_balance[turned]:
        tests = "both must, on the surface" if of_surface else "Lind-Mehlum and two lines must agree"
        steps = (gate, chosen, f"Around {name} no turn is shown: {tests}.")
        if of_surface and weight >= WEIGHT:
            return Decision(Verdict.UNDECIDED, (*steps, "But guidance alone does not describe it."))
        return _without_turn(e, steps)
    shown = "each does on the surface" if of_surface else "Lind-Mehlum and two lines agree"
    turn = f"Too much and too little, measured from {name}, both cost: {shown}."
    steps = (gate, chosen, turn)
    if not e.has_preference:
        reason = "Preferences are not known, so one best level cannot be told from fit to what each client prefers."
        return Decision(Verdict.UNDECIDED, (*steps, reason))
    needed = WEIGHT_OF_EVENTS if e.has_surface else WEIGHT
    if weight < needed:
        return Decision(Verdict.UNDECIDED, (*steps, f"Another form remains possible (weight below {needed})."))
    if e.shares[best] < SHARE:
        reason = f"It accounts for {_percent(e.shares[best])} of what guidance explains; {_percent(SHARE)} are needed."
        return Decision(Verdict.UNDECIDED, (*steps, reason))
    if turned is CurveForm.FIT:
        return _fit(e, steps)
    if e.is_relative_open:
        reason = "Between clients one best level looks the same as what each is used to; see the verdict on sessions."
        return Decision(Verdict.UNDECIDED, (*steps, reason))
    return Decision(Verdict(best), steps)


def _without_effect(e: Evidence) -> Decision:
    gate = f"No effect of guidance is shown (joint test, p {_p(e.effect_p)})."
    if e.is_negligible:
        return Decision(Verdict.NO_EFFECT, (gate, "Every effect that matters is ruled out (equivalence tests)."))
    return Decision(Verdict.UNDECIDED, (gate, "An effect that matters is not ruled out: the data are too few."))


def best_form(weights: Mapping[CurveForm, float]) -> CurveForm:
    """The form whose turn a verdict asks for; `STRAIGHT` has none."""
    return _turned(max(_chosen(weights)[1], key=weights.__getitem__))


def _turned(best: CurveForm) -> CurveForm:
    """Fit with a main effect turns as fit does."""
    return CurveForm.FIT if best is CurveForm.FIT_PLUS_MAIN else best


def _chosen(weights: Mapping[CurveForm, float]) -> tuple[str, tuple[CurveForm, ...], float]:
    """The family of forms with the largest weight."""
    present = {
        name: tuple(form for form in forms if form in weights)
        for name, forms in _FAMILIES.items()
        if any(form in weights for form in forms)
    }
    totals = {name: sum(weights[form] for form in forms) for name, forms in present.items()}
    name = max(totals, key=totals.__getitem__)
    return name, present[name], totals[name]


def _without_turn(e: Evidence, steps: tuple[str, ...]) -> Decision:
    """Monotone, where the outcome goes one way and preference has little to do with it."""
    in_guidance = max(e.shares[CurveForm.STRAIGHT], e.shares[CurveForm.BEST_LEVEL])
    if e.rises == e.falls:
        way = "both rises and falls" if e.rises else "nowhere surely rises or falls"
        return Decision(Verdict.UNDECIDED, (*steps, f"The outcome {way} with guidance (band over the whole curve)."))
    way = "rises" if e.rises else "falls"
    steps = (*steps, f"The outcome {way} with guidance and nowhere does the opposite (band over the whole curve).")
    if e.has_opposite_slopes:
        return Decision(Verdict.UNDECIDED, (*steps, "But within and between clients guidance works in opposite ways."))
    if in_guidance < SHARE:
        reason = f"But guidance alone accounts for {_percent(in_guidance)} of the effect; {_percent(SHARE)} are needed."
        return Decision(Verdict.UNDECIDED, (*steps, reason))
    if e.is_fit_part_of_it:
        reason = "But a step away from what the client prefers costs, too little and too much taken together."
        return Decision(Verdict.UNDECIDED, (*steps, reason))
    if not e.is_one_way:
        return Decision(Verdict.UNDECIDED, (*steps, "But a turn within the data is not ruled out: they are too few."))
    return Decision(Verdict.MONOTONE, steps)


def _fit(e: Evidence, steps: tuple[str, ...]) -> Decision:
    """Fit alone or with a main effect: "no main effect" needs an equivalence test."""
    if e.is_main_negligible:
        return Decision(Verdict.FIT, (*steps, "Beside fit the level itself makes no difference that matters."))
    if e.is_lopsided and e.main_p < (ALPHA_OF_EVENTS if e.has_surface else ALPHA):
        return Decision(Verdict.FIT_PLUS_MAIN, (*steps, f"Beside fit the level itself matters (p {_p(e.main_p)})."))
    return Decision(Verdict.UNDECIDED, (*steps, "Fit matters; whether the level itself does too is open."))


def _p(value: float) -> str:
    return "< .001" if value < 0.001 else f"= {value:.3f}".replace("0.", ".", 1)


def _percent(share: float) -> str:
    return f"{max(share, 0.0):.0%}"
