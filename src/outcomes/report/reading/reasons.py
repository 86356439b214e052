"""Why there is no answer, in the language of the documents: the release's tables keep it in English."""

from __future__ import annotations

import re
from functools import cache

from outcomes.answers.common.estimates import BROKE_DOWN
from outcomes.answers.common.risk_set import NO_GUIDANCE
from outcomes.answers.run import LEFT_OUT
from outcomes.languages import later, spoken, spoken_in, translated
from outcomes.models.refusals import SENTENCES
from outcomes.release.withholding import REASON
from outcomes.report.reading.plain_words import plain
from outcomes.report.reading.rows import DOES_NOT_VARY, NOT_ASKED, SAME
from outcomes.study.tables.questions import LACKING

_PLAINER = {
    REASON: later("Nothing is said yet: the researchers have to fix first how they will analyse the data."),
}
"""What a reader of brief and report cannot do anything with, and what is said instead."""
_OF_A_MODEL = "column"
"""A reason with this word is about the inside of a model (its columns, its random columns): for the annex only."""
_IN_THE_ANNEX = later("These data do not answer this question; the annex says why.")
_KNOWN = (*SENTENCES.values(), BROKE_DOWN, NO_GUIDANCE, LEFT_OUT, NOT_ASKED, LACKING)
_NAMED = (
    later("satisfaction"),
    later("dropout"),
    later("directiveness"),
    later("directiveness and of satisfaction"),
)
"""What such sentences are about; where one names something else, it is told in general words."""
_SLOT = re.compile(r"\\\{\w+\\\}")


def reason_told(reason: str) -> str:
    """Say why there is no answer.

    A reason that speaks of the inside of a model becomes a general sentence, which leads to the annex where the reason
    is not that something hardly differs. So does, in
    another language than English, one that is not among the known ones: nobody should have to read half a page in a
    foreign language.

    Parameters
    ----------
    reason : str
        As `rows.refusal` gives it.
    """
    if reason in _PLAINER:
        return translated(_PLAINER[reason])
    if DOES_NOT_VARY in reason:
        return translated(SAME)
    if _OF_A_MODEL in reason:
        return translated(_IN_THE_ANNEX)
    if spoken_in().is_source:
        return plain(reason)
    for message, pattern in _patterns().items():
        found = pattern.fullmatch(reason)
        if found and all(part in _NAMED or part.isdigit() for part in found.groupdict().values()):
            return spoken(message, **{name: translated(part) for name, part in found.groupdict().items()})
    return translated(_IN_THE_ANNEX)


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    """Each known sentence as it is told: capital first, full stop last."""
    return {message: re.compile(_pattern(message)) for message in _KNOWN}


def _pattern(message: str) -> str:
    whole = message[:1].upper() + message[1:] + ("" if message.endswith(".") else ".")
    return _SLOT.sub(lambda found: f"(?P<{found[0][2:-2]}>.+)", re.escape(whole))
