"""Which central ratings each analysis cannot do without; a study may lack them, and is then asked what is left."""

from __future__ import annotations

from outcomes.languages import later
from outcomes.study.settings import AnalysisName

_GUIDANCE, _SATISFACTION = "directiveness", "satisfaction"
CENTRAL_NEEDS: dict[AnalysisName, tuple[str, ...]] = {
    AnalysisName.RECOVERY: (_GUIDANCE, _SATISFACTION),
    AnalysisName.GUIDANCE: (_GUIDANCE, _SATISFACTION),
    AnalysisName.BALANCE: (_GUIDANCE, _SATISFACTION),
    AnalysisName.RESPONSIVENESS: (_GUIDANCE, _SATISFACTION),
    AnalysisName.DROPOUT: (),
    AnalysisName.CONTRASTS: (_GUIDANCE,),
    AnalysisName.CONNECTION: (_GUIDANCE,),
    AnalysisName.THERAPISTS: (),
    AnalysisName.MISSING: (_GUIDANCE, _SATISFACTION),
    AnalysisName.MULTIVERSE: (_GUIDANCE, _SATISFACTION),
    AnalysisName.CERTAINTY: (),
}
"""Columns of sessions, by the analysis that needs ratings of all of them."""


LACKING = later("These data hold no ratings of {ratings}, so this question cannot be answered.")


def lacking_sentence(scales: tuple[str, ...]) -> str:
    """Say in one sentence why a question about ratings that were not made has no answer.

    >>> lacking_sentence(("directiveness", "satisfaction"))
    'These data hold no ratings of directiveness and of satisfaction, so this question cannot be answered.'
    """
    return LACKING.format(ratings=" and of ".join(scales))
