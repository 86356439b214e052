"""What may be going on in a practice beside the effect of guidance: one frozen set of numbers, and named worlds.

The worlds are those in which an analysis may mistake something else for an effect of guidance. They combine with each
other and with every truth (`outcomes.simulate.world.truths`). `docs/simulation.md` says where the numbers come from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from outcomes.errors import UsageError
from outcomes.truths import WorldName

TREND_CENTRE = 5.0
"""Attended session in which trends leave guidance and satisfaction where they are without any: near the middle."""


@dataclass(frozen=True)
class World:
    """What beside guidance itself links guidance, satisfaction, dropout and the record. Zero or empty: nothing.

    Attributes
    ----------
    response : float
        Points of guidance that a therapist adds per point by which latent satisfaction in the session before lay above
        the mean of all clients. Negative: less guidance after a good session.
    response_within : float
        The same per point by which it lay above what was to be expected of this client and this guidance (the session's
        residual): usually content clients do not get more guidance for it.
    carry_over : float
        Correlation of a session's residuals with those of the session before (above -1, below 1). Their variance stays.
    guidance_trend, satisfaction_trend : float
        Points per session, about session `TREND_CENTRE`.
    liking : float
        Points of satisfaction per point by which a therapist is more directive than others, whatever a session's
        guidance is: directive therapists are better liked. A difference between therapists, no effect of guidance.
    sorting : float
        Correlation (below 1) of clients' preference with how directive their therapist is.
    preference_error_sd : float
        Points of error in the preference that the client reports at intake.
    satisfaction_shares : tuple of float
        Shares of a few ordered answers to the question of satisfaction, lowest first, sum 1. Written at equal distances
        on the scale of the study. Empty: a visual analogue scale.
    dissatisfied_missing : float
        Rise in the log odds that a session's form is not returned, per point that latent satisfaction lies below the
        mean of all clients.

    Raises
    ------
    UsageError
        If a correlation or the shares are none.
    """

    response: float = 0.0
    response_within: float = 0.0
    carry_over: float = 0.0
    guidance_trend: float = 0.0
    satisfaction_trend: float = 0.0
    liking: float = 0.0
    sorting: float = 0.0
    preference_error_sd: float = 0.0
    satisfaction_shares: tuple[float, ...] = ()
    dissatisfied_missing: float = 0.0

    def __post_init__(self) -> None:
        shares = self.satisfaction_shares
        if not (abs(self.carry_over) < 1 and abs(self.sorting) < 1 and self.preference_error_sd >= 0):
            raise UsageError("A world's correlations lie between -1 and 1, its error is not negative", "change them")
        if shares and (min(shares) <= 0 or abs(sum(shares) - 1) > 1e-9 or len(shares) < 2):
            raise UsageError("The shares of a rating's answers are two or more, above 0, sum 1", "change them")


_NUMBERS: dict[WorldName, dict[str, object]] = {
    WorldName.PLAIN: {},
    WorldName.RESPONSIVE: {"response": 0.35},
    WorldName.RESPONSIVE_LESS: {"response": -0.35},
    WorldName.RESPONSIVE_WITHIN: {"response_within": 0.35},
    WorldName.CARRY_OVER: {"carry_over": 0.4},
    WorldName.TRENDS: {"guidance_trend": -0.25, "satisfaction_trend": 0.12},
    WorldName.SORTING: {"liking": 0.5, "sorting": 0.5},
    WorldName.MISREPORTED_PREFERENCE: {"preference_error_sd": 1.5},
    WorldName.COARSE: {"satisfaction_shares": (0.03, 0.05, 0.10, 0.22, 0.60)},
    WorldName.DISSATISFIED_MISSING: {"dissatisfied_missing": 0.5},
}


def combine_worlds(names: Sequence[WorldName]) -> World:
    """Put worlds together into the one in which all of them hold.

    Raises
    ------
    UsageError
        If two of them give one number different values.
    """
    together: dict[str, object] = {}
    for name in names:
        clash = sorted(
            field for field in _NUMBERS[name] if together.get(field, _NUMBERS[name][field]) != _NUMBERS[name][field]
        )
        if clash:
            raise UsageError(
                f"The worlds {', '.join(names)} do not go together: they differ in {', '.join(clash)}",
                "name worlds that differ in other things",
            )
        together |= _NUMBERS[name]
    return World(**together)  # type: ignore[arg-type]
