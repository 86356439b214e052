"""The evidence of a verdict that nobody will read, only its class: what `decide` would not look at is not computed."""

from __future__ import annotations

from outcomes.answers.balance.curve_forms import WITH_GUIDANCE, CurveForm
from outcomes.answers.balance.dropout_surface import dropout_surface
from outcomes.answers.balance.evidence import (
    AXES,
    Turn,
    band_of,
    compare_forms,
    conclude,
    on_surface,
    parabola_turn,
    turn_along,
)
from outcomes.answers.balance.free_model import fit_free_model
from outcomes.answers.balance.rows import GuidanceRows
from outcomes.answers.balance.verdict import ALPHA, Evidence, best_form
from outcomes.answers.common.words import Outcome


def evidence_for_verdict(rows: GuidanceRows) -> Evidence:
    """The evidence of `find_evidence` as far as `decide` reads it: behind a closed gate no turn and no band are sought,
    else the turn of the form that describes the data best, and the band where there is no such turn."""
    model, is_dropout = fit_free_model(rows), rows.outcome is Outcome.DROPOUT
    compared = compare_forms(model, rows)
    surface = dropout_surface(rows, model.df) if is_dropout else None
    turns: dict[CurveForm, Turn] = {}
    band = None
    if model.wald(WITH_GUIDANCE).p_value < ALPHA:
        best = best_form(compared.weights)
        if best in AXES:
            is_of_surface = is_dropout and best is CurveForm.FIT
            turn = parabola_turn(rows, model, best) if is_of_surface else turn_along(rows, model, best)
            turns[best] = on_surface(turn, surface) if is_of_surface else turn
        if best not in turns or not turns[best].is_balance:
            band = band_of(rows)
    return conclude(rows, model, compared, turns, band, surface).evidence
