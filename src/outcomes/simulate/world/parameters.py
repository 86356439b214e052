"""Every number that a synthetic cohort is made of, as one frozen value.

Metrics are those of the study template: ratings 0-10 in steps of 0.1 (a visual analogue scale read in millimetres),
intake severity 0-40. Calibration sources are in `docs/simulation.md`; "per point" means per point of a 0-10 scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from outcomes.errors import UsageError
from outcomes.simulate.world.worlds import World, combine_worlds
from outcomes.truths import WorldName

RATING_MINIMUM, RATING_MAXIMUM = 0.0, 10.0
SEVERITY_MAXIMUM = 40.0
_RATED = (
    "directiveness",
    "satisfaction",
    "alliance",
    "autonomy_support",
    "felt_overwhelmed",
    "empowerment",
    "directiveness_preferred",
    "reactance",
)
SCALES = dict.fromkeys(_RATED, (RATING_MINIMUM, RATING_MAXIMUM)) | {"intake_severity": (0.0, SEVERITY_MAXIMUM)}
CLIENTS_PER_THERAPIST = 15  # where the caller names no number of therapists
THERAPISTS_PER_PRACTICE = 8


@dataclass(frozen=True)
class Slopes:
    """Change of an outcome per point of guidance, for each part of directiveness on its own.

    `within`: more than usual for this client; `client`: a client's usual level against the therapist's other clients;
    `therapist`: a therapist's usual level against other therapists.
    """

    within: float
    client: float
    therapist: float


@dataclass(frozen=True)
class Directiveness:
    """How directive sessions are. Points of the 0-10 scale."""

    mean: float = 5.0
    therapist_sd: float = 0.6
    client_sd: float = 0.9
    session_sd: float = 1.2
    preferred_mean: float = 5.0
    preferred_sd: float = 1.5
    accommodation: float = 0.4  # correlation of what a client usually gets with what the client prefers
    asked_prob: float = 0.3  # that the median therapist asks how the guidance felt, in any one session
    asked_logit_sd: float = 0.8  # of therapists' readiness to ask
    asked_pull: float = 0.35  # share of the gap to the preference that is closed in the session after asking


@dataclass(frozen=True)
class Satisfaction:
    """Latent satisfaction (before floor and ceiling). Points; slopes per point of guidance."""

    mean: float = 8.0
    slopes: Slopes = Slopes(within=0.25, client=0.45, therapist=-0.10)
    log_session: float = 0.20  # per unit of ln(attended session number)
    misfit_cost: float = 0.08  # times (directiveness - preferred)^2
    level_cost: float = 0.0  # times (directiveness - best_level)^2: one best level for all clients
    best_level: float = 5.0  # points of guidance
    unusual_cost: float = 0.0  # times (directiveness - the client's usual level)^2: best is what the client is used to
    log_gain: float = 0.0  # per unit of ln(directiveness + 0.1): rises ever more slowly and never falls
    reactance: float = -0.04  # times (reactance - mean) * (directiveness - mean)
    overwhelmed: float = -0.12  # per point of feeling overwhelmed
    alliance: float = 0.35  # per point of alliance
    severity: float = -0.02  # per point of intake severity
    practice_sd: float = 0.20
    therapist_sd: float = 0.43
    client_sd: float = 0.95
    client_slope_sd: float = 0.10  # of the within slope over clients, beyond what preference and reactance explain
    residual_sd: float = 1.25


@dataclass(frozen=True)
class Experience:
    """The other session ratings, before floor and ceiling. Points."""

    alliance_mean: float = 7.4
    alliance_within: float = 0.10  # per point of guidance above the client's usual
    alliance_client_sd: float = 1.1
    alliance_residual_sd: float = 1.0
    overwhelmed_mean: float = 1.2  # where guidance is at or below the preferred level
    overwhelmed_excess: float = 0.6  # per point of guidance above the preferred level
    overwhelmed_client_sd: float = 0.8
    overwhelmed_residual_sd: float = 1.0
    autonomy_mean: float = 7.2
    autonomy_directiveness: float = -0.30  # per point of guidance
    autonomy_client_sd: float = 0.9
    autonomy_residual_sd: float = 1.0
    empowerment_mean: float = 5.6
    empowerment_autonomy: float = 0.25  # per point of autonomy support
    empowerment_satisfaction: float = 0.20  # per point of latent satisfaction
    empowerment_log_session: float = 0.35
    empowerment_client_sd: float = 1.0
    empowerment_residual_sd: float = 1.0


@dataclass(frozen=True)
class Endings:
    """Hazards after each attended session and what moves the logit of dropping out.

    About a fifth drop out (Swift & Greenberg 2012, doi 10.1037/a0028226)."""

    horizon: int = 20  # attended sessions after which every course is over
    dropout_hazard: float = 0.019
    early_factor: float = 1.8  # in sessions 1 to 3
    decay: float = 0.03  # hazard falls by exp(-decay) a session
    dropout_offset: float = -0.33  # logit; keeps the cohort's rate at its target beside the effects below
    therapist_sd: float = 0.56  # logit; latent ICC 0.087
    slopes: Slopes = Slopes(within=0.06, client=0.10, therapist=0.10)  # logit per point of guidance
    misfit: float = 0.38  # logit per point of |directiveness - preferred|
    level_cost: float = 0.0  # logit per (directiveness - best_level)^2: one level keeps all clients best
    best_level: float = 5.0  # points of guidance
    unusual_cost: float = 0.0  # logit per (directiveness - the client's usual level)^2
    alliance: float = -0.435  # logit per point of alliance
    client_satisfaction: float = -0.15  # logit per point of the client's satisfaction effect: informative dropout
    planned_early: float = 0.005  # before session 4
    planned_base: float = 0.02  # in session 4
    planned_step: float = 0.02  # added in each later session
    other_hazard: float = 0.004  # moved away, therapist left, died ...
    judged_premature_prop: float = 0.15  # of dropouts: recorded as the therapist's judgement
    unrecorded_prop: float = 0.04  # of dropouts: nobody ever records an ending
    unknown_prop: float = 0.015  # of recorded endings: coded unknown


@dataclass(frozen=True)
class Records:
    """Appointments, dates and what is missing."""

    first_day: date = date(2024, 1, 1)
    data_cut: date = date(2024, 12, 31)
    missed_prob: float = 0.08  # of a missed appointment before each attended one but the first
    last_missed_prob: float = 0.55  # that a client who drops out does so by missing an appointment
    change_therapist_prop: float = 0.066  # if the course lasts long enough; 5% of all clients are seen to
    return_prop: float = 0.04  # of clients who come back for a second episode
    form_missing_prob: float = 0.05  # that a session's form is not returned, by clients who stay
    form_missing_dropout_odds: float = 2.5  # times these odds for clients who will drop out
    cell_missing_prob: float = 0.01
    intake_missing_prob: float = 0.04


@dataclass(frozen=True)
class CohortParameters:
    """All parameters of one synthetic cohort.

    Attributes
    ----------
    clients, therapists : int
        Numbers of clients (>= 1) and therapists (>= 1).

    Raises
    ------
    UsageError
        If there is no client or no therapist.
    """

    clients: int = 600
    therapists: int = 40
    directiveness: Directiveness = field(default_factory=Directiveness)
    satisfaction: Satisfaction = field(default_factory=Satisfaction)
    experience: Experience = field(default_factory=Experience)
    endings: Endings = field(default_factory=Endings)
    records: Records = field(default_factory=Records)
    world: World = field(default_factory=World)

    def __post_init__(self) -> None:
        if self.clients < 1 or self.therapists < 1:
            raise UsageError("A cohort needs at least one client and one therapist", "raise --clients or --therapists")

    @property
    def practices(self) -> int:
        """Number of practices that the therapists work in."""
        return max(1, self.therapists // THERAPISTS_PER_PRACTICE)


def with_worlds(names: Sequence[WorldName], base: CohortParameters) -> CohortParameters:
    """Return the parameters with these worlds, and all else as it was.

    Raises
    ------
    UsageError
        If two of them give one number different values.
    """
    return replace(base, world=combine_worlds(names))
