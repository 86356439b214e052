"""Guidance near to and far from the preference on one simulated cohort, and what is true of it.

The intervals are the answer's own, from its bootstrap over therapists: it costs one pass over the sessions.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import duckdb

from outcomes.answers.contrasts.dropout import DropoutModel, dropout_model
from outcomes.answers.contrasts.satisfaction import SatisfactionModel, satisfaction_model
from outcomes.answers.contrasts.surface import Level, levels_of, why_not
from outcomes.answers.contrasts.tables import ContrastBy, ContrastLevel
from outcomes.answers.contrasts.therapist_bootstrap import Bootstrapped
from outcomes.answers.recovery.quote import RISK_SESSION, Quote
from outcomes.answers.recovery.tables import EstimatorName
from outcomes.simulate import CohortParameters, Contrast, contrasts
from outcomes.study import StudySettings
from outcomes.study.settings import DropoutDefinition

OF_DROPOUT = {
    ContrastLevel.BELOW: EstimatorName.TOO_LITTLE_DROPOUT,
    ContrastLevel.ABOVE: EstimatorName.TOO_MUCH_DROPOUT,
}
OF_SATISFACTION = {
    ContrastLevel.BELOW: EstimatorName.TOO_LITTLE_SATISFACTION,
    ContrastLevel.ABOVE: EstimatorName.TOO_MUCH_SATISFACTION,
}
"""Differences from guidance as preferred, a fifth of the scale away from it on either side."""
POINTS = {ContrastLevel.BELOW: -2.0, ContrastLevel.ABOVE: 2.0}
"""That is two points on the simulation's scales."""


def dropout_distances(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> Iterator[Quote]:
    """Differences of the risk of dropout by session `RISK_SESSION`."""
    model = dropout_model(con, settings)
    levels = _levels(model, settings)
    if levels and RISK_SESSION in model.told:
        yield from _quotes(model.risks(tuple(levels)).less(0), levels, OF_DROPOUT, (RISK_SESSION - 1,))


def satisfaction_distances(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> Iterator[Quote]:
    """Differences of mean satisfaction."""
    model = satisfaction_model(con, settings)
    levels = _levels(model, settings)
    if levels:
        yield from _quotes(model.means(tuple(levels)).less(0), levels, OF_SATISFACTION, ())


def true_distances(world: CohortParameters, definition: DropoutDefinition) -> dict[str, float]:
    """What is true of these differences, by estimator, worked out by the generator.

    NaN for dropout where the study does not define it as the generator draws it: that a client leaves unilaterally.
    """
    by_points = {one.points: one for one in contrasts(world) if one.by == "distance"}
    is_drawn_so = definition is DropoutDefinition.UNILATERAL

    def apart(level: ContrastLevel, risk: bool) -> float:
        far, near = (_told(by_points[points], risk) for points in (POINTS[level], 0.0))
        return far - near

    of_dropout = {name: apart(level, True) if is_drawn_so else math.nan for level, name in OF_DROPOUT.items()}
    return of_dropout | {name: apart(level, False) for level, name in OF_SATISFACTION.items()}


def _told(one: Contrast, risk: bool) -> float:
    return one.dropout_risk[str(RISK_SESSION)] if risk else one.satisfaction


def _levels(model: DropoutModel | SatisfactionModel, settings: StudySettings) -> list[Level]:
    """Guidance as preferred, and the levels beside it that the answer would tell; none where it tells nothing."""
    told = [
        level
        for level in levels_of(ContrastBy.DISTANCE, model.scale)
        if level.name in (ContrastLevel.AT, *POINTS)
        and not why_not(level, model.rows, model.scale, settings.disclosure.minimum_therapists)
    ]
    return told if told and told[0].name is ContrastLevel.AT else []


def _quotes(
    apart: Bootstrapped, levels: list[Level], names: Mapping[ContrastLevel, EstimatorName], at: tuple[int, ...]
) -> Iterator[Quote]:
    """One quote for each level beside the preference; `at` is its place in a level's numbers."""
    for k, level in enumerate(levels):
        if level.name in names:
            told = (apart.point, apart.std_error, *apart.interval)
            value, error, low, high = (float(one[(k, *at)]) for one in told)
            yield Quote(names[level.name], value, error, low, high, low > 0 or high < 0)
