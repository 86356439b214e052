"""What an institution's record holds of the courses: appointments, dates, endings as coded, and gaps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from outcomes.contract import Ending
from outcomes.simulate.world.courses import DROPOUT, OTHER, PLANNED, Sessions
from outcomes.simulate.world.parameters import CohortParameters
from outcomes.simulate.world.people import Flags, Integers

Days = NDArray[np.datetime64]

_GAPS, _GAP_PROBS = (7, 14, 21), (0.86, 0.11, 0.03)  # days between appointments: weekly, holidays, illness
_LONGEST_WAIT = 21  # days from the first contact to the first appointment
_LAST_INTAKE = 30  # days before the data cut after which nobody is taken in
_RETURN_AFTER = (60, 150)  # days between the end of an episode and a second one
_CLOSING_DELAY = {PLANNED: 1, DROPOUT: 36, OTHER: 15}  # days (exclusive) within which the ending is recorded
_OTHER_ENDINGS = (
    Ending.THERAPIST_LEFT,
    Ending.MOVED_AWAY,
    Ending.DIED,
    Ending.REFERRED_ON,
    Ending.SERVICE_CLOSED,
)
_OTHER_PROBS = (0.25, 0.30, 0.03, 0.37, 0.05)
ENDINGS = tuple(Ending)


@dataclass(frozen=True)
class Appointments:
    """One entry per appointment up to the data cut; `session` is the row of the attended session at or near it."""

    episode: Integers
    session: Integers
    number: Integers
    attended: Flags
    day: Days


@dataclass(frozen=True)
class EpisodeRecords:
    """One entry per episode, as recorded at the data cut; `ending` indexes `ENDINGS`; `end` is NaT while open.

    `is_seen` is False for episodes whose first appointment lies after the data cut.
    """

    start: Days
    end: Days
    ending: Integers
    is_seen: Flags


def draw_records(
    p: CohortParameters, sessions: Sessions, endings: Integers, client_of: Integers, rng: np.random.Generator
) -> tuple[Appointments, EpisodeRecords]:
    """Put missed appointments between the attended ones, give all a day, and stop at the data cut."""
    r, n_episodes = p.records, len(client_of)
    first_row = np.searchsorted(sessions.episode, np.arange(n_episodes))
    last_row = np.append(first_row[1:], len(sessions.episode)) - 1
    before = (rng.random(len(sessions.episode)) < r.missed_prob).astype(np.int64)
    before[first_row] = 0
    after = np.zeros_like(before)
    after[last_row] = (endings == DROPOUT) & (rng.random(n_episodes) < r.last_missed_prob)
    size = before + 1 + after
    session = np.repeat(np.arange(len(size)), size)
    place = np.arange(len(session)) - np.repeat(np.cumsum(size) - size, size)
    episode = sessions.episode[session]
    first = np.searchsorted(episode, np.arange(n_episodes))
    last = np.append(first[1:], len(episode)) - 1
    number = np.arange(len(episode)) - first[episode] + 1

    gap = rng.choice(_GAPS, size=len(episode), p=_GAP_PROBS)
    gap[first] = 0
    passed = np.cumsum(gap)
    passed -= passed[first][episode]
    start, wait = _draw_starts(p, passed[last], client_of, rng)
    day = (start + wait)[episode] + passed

    cut = np.datetime64(r.data_cut)
    kept = day <= cut
    appointments = Appointments(episode[kept], session[kept], number[kept], (place == before[session])[kept], day[kept])
    end, ending = _draw_endings(p, endings, day[last], client_of, rng)
    is_open = (end > cut) | (ending == ENDINGS.index(Ending.OPEN))
    end = np.where(is_open, np.datetime64("NaT"), end)
    ending = np.where(is_open, ENDINGS.index(Ending.OPEN), ending)
    return appointments, EpisodeRecords(start, end, ending, day[first] <= cut)


def _draw_starts(
    p: CohortParameters, length: Integers, client_of: Integers, rng: np.random.Generator
) -> tuple[Days, Integers]:
    """Draw first contacts evenly over the intake period; a second episode starts some time after the first ended."""
    first_day, cut = np.datetime64(p.records.first_day), np.datetime64(p.records.data_cut)
    intake_days = max(1, (cut - first_day).astype(int) - _LAST_INTAKE)
    start = first_day + rng.integers(0, intake_days, len(client_of))
    wait = rng.integers(0, _LONGEST_WAIT + 1, len(client_of))
    second = np.arange(p.clients, len(client_of))
    earlier = client_of[second]
    pause = rng.integers(*_RETURN_AFTER, len(second))
    start[second] = start[earlier] + wait[earlier] + length[earlier] + pause
    return start, wait


def _draw_endings(
    p: CohortParameters, endings: Integers, last_day: Days, client_of: Integers, rng: np.random.Generator
) -> tuple[Days, Integers]:
    """Draw the code and the day under which each ending is recorded."""
    e, n = p.endings, len(endings)
    code = np.full(n, ENDINGS.index(Ending.AGREED))
    dropped = endings == DROPOUT
    judged = rng.random(n) < e.judged_premature_prop
    code[dropped] = ENDINGS.index(Ending.CLIENT_ENDED)
    code[dropped & judged] = ENDINGS.index(Ending.JUDGED_PREMATURE)
    other = rng.choice([ENDINGS.index(ending) for ending in _OTHER_ENDINGS], size=n, p=_OTHER_PROBS)
    code = np.where(endings == OTHER, other, code)
    code[rng.random(n) < e.unknown_prop] = ENDINGS.index(Ending.UNKNOWN)
    # Whoever comes back had the first episode closed: nobody has two open ones.
    returned = np.zeros(n, dtype=bool)
    returned[client_of[p.clients :]] = True
    code[dropped & ~returned & (rng.random(n) < e.unrecorded_prop)] = ENDINGS.index(Ending.OPEN)
    delay = np.array([_CLOSING_DELAY[cause] for cause in (PLANNED, DROPOUT, OTHER)])[endings]
    return last_day + rng.integers(0, delay), code
