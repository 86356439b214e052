"""The shared-parameter models of satisfaction and dropout that are compared for the ladder."""

from __future__ import annotations

from outcomes.answers.common.fitting import fit_hazard_answer
from outcomes.answers.common.risk_set import baseline
from outcomes.answers.missing.rows import MissingRows
from outcomes.answers.missing.staying import OUTCOME, USUAL
from outcomes.errors import FitRefused, UsageError
from outcomes.mixed import SharedParameterFit, Sharing, fit_shared_parameter
from outcomes.study.settings import StudySettings

_OF_CLIENT_SLOPE = "(0 + directiveness_within | client_id)"


def shared_fits(formula: str, rows: MissingRows, settings: StudySettings) -> list[SharedParameterFit]:
    """Fit what dropout may depend on: clients' and therapists' levels, clients' slopes as well, or the current value.

    The slope of guidance is shared where clients differ in it. The hazard holds the usual level of guidance over the
    whole course. For an effect on dropout that would be wrong (it knows the future); here it is held constant, as in
    the ratings' part, and its coefficient is not told.

    Parameters
    ----------
    formula : str
        Of the ratings on the first rung.
    rows : MissingRows
    settings : StudySettings

    Returns
    -------
    list of SharedParameterFit
        All of the same ratings and the same sessions at risk.

    Raises
    ------
    FitRefused
        Dropout cannot inform a hazard, or the ratings' formula is none that the joint model takes.
    """
    at_risk, course = baseline(rows.risk_set, OUTCOME)
    hazard = f"{OUTCOME} ~ {' + '.join((*USUAL, *course))} + (1 | therapist_id)"
    fit_hazard_answer(hazard, at_risk, settings.disclosure)  # refuses what dropout cannot inform
    ratings_formula = formula.replace("log_session", "log_number")
    kinds = [Sharing.INTERCEPT, Sharing.CURRENT_VALUE]
    if _OF_CLIENT_SLOPE in formula:
        kinds.insert(1, Sharing.BOTH)
    try:
        fits: list[SharedParameterFit] = []
        for kind in kinds:
            start = fits[0] if fits else None
            fits.append(fit_shared_parameter(ratings_formula, hazard, rows.ratings, at_risk, sharing=kind, start=start))
        return fits
    except UsageError as error:
        raise FitRefused(error.message, error.hint) from error
