"""A synthetic cohort with known truth, in the columns of the contract."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from outcomes.contract import AGE_BANDS, GENDERS
from outcomes.simulate.world.courses import DROPOUT, OTHER, PLANNED, Sessions, draw_courses, rate
from outcomes.simulate.world.parameters import SEVERITY_MAXIMUM, CohortParameters
from outcomes.simulate.world.people import Clients, Flags, Integers, draw_clients, draw_therapists
from outcomes.simulate.world.pseudonyms import pseudonyms
from outcomes.simulate.world.records import ENDINGS, Appointments, EpisodeRecords, draw_records

_AGE_PROBS = (0.03, 0.17, 0.26, 0.21, 0.15, 0.10, 0.06, 0.02)
_GENDER_PROBS = (0.62, 0.33, 0.02, 0.01, 0.02)
_PLANNED_SESSIONS, _PLANNED_PROBS = (6, 8, 12, 16, 20), (0.15, 0.25, 0.30, 0.20, 0.10)
_CAUSES = {PLANNED: "planned", DROPOUT: "dropout", OTHER: "other"}
RATINGS = ("directiveness", "satisfaction", "alliance", "autonomy_support", "felt_overwhelmed", "empowerment")


@dataclass(frozen=True)
class Latent:
    """What no institution could record.

    Attributes
    ----------
    sessions : pl.DataFrame
        One attended session up to the data cut: episode_id, session_number, attended_number, within_part, client_part,
        therapist_part (true parts of directiveness), satisfaction_latent (before floor, ceiling, rounding and loss).
    episodes : pl.DataFrame
        episode_id, cause (planned, dropout, other) and n_attended of the whole course, data cut or not.
    therapists : pl.DataFrame
        therapist_id, practice_id, satisfaction_effect (points, practice included), dropout_effect (logit), asks (prob).
    """

    sessions: pl.DataFrame
    episodes: pl.DataFrame
    therapists: pl.DataFrame


@dataclass(frozen=True)
class Cohort:
    """Three tables as the contract has them, the truth behind them, and what they were made from."""

    sessions: pl.DataFrame
    episodes: pl.DataFrame
    clients: pl.DataFrame
    latent: Latent
    parameters: CohortParameters
    seed: int


def simulate_cohort(parameters: CohortParameters, seed: int) -> Cohort:
    """Draw a cohort; the same parameters and seed give the same cohort.

    Parameters
    ----------
    parameters : CohortParameters
    seed : int
        Not negative.

    Returns
    -------
    Cohort
        `sessions` one row per appointment (missed ones have no ratings), in order of episode and session number.
    """
    p, rng = parameters, np.random.default_rng(seed)
    therapists = draw_therapists(p, rng)
    clients = draw_clients(p, therapists, rng)
    returning = np.flatnonzero(rng.random(p.clients) < p.records.return_prop)
    client_of = np.concatenate([np.arange(p.clients), returning])
    sessions, causes = draw_courses(p, clients, therapists, client_of, rng)
    appointments, records = draw_records(p, sessions, causes, client_of, rng)

    ids = {
        "practice_id": pseudonyms("p", p.practices, rng),
        "therapist_id": pseudonyms("t", p.therapists, rng),
        "client_id": pseudonyms("c", p.clients, rng),
        "episode_id": pseudonyms("e", len(client_of), rng),
    }
    return Cohort(
        sessions=_session_table(p, ids, sessions, appointments, causes, therapists.practice, client_of, rng),
        episodes=_episode_table(p, ids, clients, records, client_of, rng),
        clients=_client_table(p, ids, clients, rng),
        latent=Latent(
            sessions=_latent_sessions(ids, sessions, appointments),
            episodes=pl.DataFrame(
                {
                    "episode_id": ids["episode_id"],
                    "cause": pl.Series([_CAUSES[cause] for cause in causes.tolist()], dtype=pl.String),
                    "n_attended": np.bincount(sessions.episode, minlength=len(client_of)),
                }
            ),
            therapists=pl.DataFrame(
                {
                    "therapist_id": ids["therapist_id"],
                    "practice_id": ids["practice_id"].gather(therapists.practice),
                    "satisfaction_effect": therapists.satisfaction,
                    "dropout_effect": therapists.dropout,
                    "asks": therapists.asks,
                }
            ),
        ),
        parameters=p,
        seed=seed,
    )


def _session_table(
    p: CohortParameters,
    ids: dict[str, pl.Series],
    sessions: Sessions,
    appointments: Appointments,
    causes: Integers,
    practice_of: Integers,
    client_of: Integers,
    rng: np.random.Generator,
) -> pl.DataFrame:
    """Put the appointments into the contract's columns and lose what gets lost."""
    row, n = appointments.session, len(appointments.session)
    odds = p.records.form_missing_prob / (1 - p.records.form_missing_prob)
    odds = odds * np.where(causes == DROPOUT, p.records.form_missing_dropout_odds, 1.0)
    returned = rng.random(n) >= (odds / (1 + odds))[appointments.episode]
    latent = (
        sessions.directiveness,
        sessions.satisfaction,
        sessions.alliance,
        sessions.autonomy,
        sessions.overwhelmed,
        sessions.empowerment,
    )
    ratings = {
        name: _where(appointments.attended & returned & _kept(p, n, rng), rate(values[row]))
        for name, values in zip(RATINGS, latent, strict=True)
    }
    therapist = sessions.therapist[row]
    table = pl.DataFrame(
        {
            "practice_id": ids["practice_id"].gather(practice_of[therapist]),
            "therapist_id": ids["therapist_id"].gather(therapist),
            "client_id": ids["client_id"].gather(client_of[appointments.episode]),
            "episode_id": ids["episode_id"].gather(appointments.episode),
            "session_number": appointments.number,
            "session_date": appointments.day,
            "attended": _yes_no(appointments.attended),
            **ratings,
            "asked_about_guidance": pl.select(
                pl.when(pl.Series(appointments.attended & _kept(p, n, rng))).then(_yes_no(sessions.asked[row]))
            ).to_series(),
        }
    )
    return table.with_columns(pl.col("session_date").cast(pl.Date))


def _episode_table(
    p: CohortParameters,
    ids: dict[str, pl.Series],
    clients: Clients,
    records: EpisodeRecords,
    client_of: Integers,
    rng: np.random.Generator,
) -> pl.DataFrame:
    """Put the episodes that began before the data cut into the contract's columns."""
    n = len(client_of)
    severity = np.round(np.clip(clients.severity[client_of], 0, SEVERITY_MAXIMUM))
    table = pl.DataFrame(
        {
            "episode_id": ids["episode_id"],
            "client_id": ids["client_id"].gather(client_of),
            "start": records.start,
            "end": records.end,
            "ending": pl.Series([str(ending) for ending in ENDINGS]).gather(records.ending),
            "planned_sessions": rng.choice(_PLANNED_SESSIONS, size=n, p=_PLANNED_PROBS),
            "intake_severity": _where(rng.random(n) >= p.records.intake_missing_prob, severity),
        }
    )
    dates = pl.col("start", "end").cast(pl.Date)
    return table.filter(pl.Series(records.is_seen)).with_columns(dates, data_cut=pl.lit(p.records.data_cut))


def _client_table(
    p: CohortParameters, ids: dict[str, pl.Series], clients: Clients, rng: np.random.Generator
) -> pl.DataFrame:
    """Put what the intake asked of the clients into the contract's columns."""
    n = p.clients
    answered = [rng.random(n) >= p.records.intake_missing_prob for _ in range(3)]
    return pl.DataFrame(
        {
            "client_id": ids["client_id"],
            "directiveness_preferred": _where(answered[0], rate(clients.preferred)),
            "reactance": _where(answered[1], rate(clients.reactance)),
            "age_band": pl.Series(AGE_BANDS).gather(rng.choice(len(AGE_BANDS), size=n, p=_AGE_PROBS)),
            "gender": pl.Series(GENDERS).gather(rng.choice(len(GENDERS), size=n, p=_GENDER_PROBS)),
        }
    )


def _latent_sessions(ids: dict[str, pl.Series], sessions: Sessions, appointments: Appointments) -> pl.DataFrame:
    """Return the truth behind every attended session up to the data cut."""
    row = appointments.session[appointments.attended]
    return pl.DataFrame(
        {
            "episode_id": ids["episode_id"].gather(sessions.episode[row]),
            "session_number": appointments.number[appointments.attended],
            "attended_number": sessions.number[row],
            "within_part": sessions.within_part[row],
            "client_part": sessions.client_part[row],
            "therapist_part": sessions.therapist_part[row],
            "satisfaction_latent": sessions.satisfaction[row],
        }
    )


def _kept(p: CohortParameters, n: int, rng: np.random.Generator) -> Flags:
    return rng.random(n) >= p.records.cell_missing_prob


def _where(kept: Flags, values: np.ndarray) -> pl.Series:
    """Return the values where they are kept, empty cells elsewhere."""
    return pl.Series(np.where(kept, values, np.nan)).fill_nan(None)


def _yes_no(flags: Flags) -> pl.Series:
    return pl.Series(["no", "yes"]).gather(flags.astype(np.int64))
