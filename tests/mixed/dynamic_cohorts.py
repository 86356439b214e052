"""Cohorts for the dynamic model's tests, made session by session; nothing here comes from the estimator."""

from __future__ import annotations

import numpy as np
import polars as pl

from outcomes.mixed.dynamic.sequences import Rows

COLUMNS = {"guidance": "directiveness", "client": "client_id", "therapist": "therapist_id", "time": "attended_number"}


def cohort(
    seed: int,
    *,
    clients: int = 400,
    therapists: int = 30,
    slope: float = 0.0,
    respond: float = 0.35,
    serial: float = 0.4,
    persist: float = 0.0,
    lagged: float = 0.0,
    misfit: float = 0.0,
    liked: float = 0.0,
    moves: float = 0.05,
    unrated: float = 0.0,
    unasked: float = 0.0,
    sessions: float = 9.0,
) -> pl.DataFrame:
    """Therapists who respond, and dependence between sessions, written without the simulator.

    `slope` of satisfaction on guidance in the session, `respond` of guidance on the session before's satisfaction (what
    is left of it), `serial` correlation of satisfaction, `persist` of guidance, `lagged` path from guidance to the next
    session's satisfaction, `misfit` the loss per squared point from the preference, `liked` how much better liked a
    therapist is per point of usual guidance; shares of clients who change therapist, of sessions without satisfaction
    and without guidance.
    """
    rng = np.random.default_rng(seed)
    records = []
    style = rng.normal(0, 0.7, therapists)
    liking = liked * style + rng.normal(0, 0.3, therapists)
    for client in range(clients):
        usual = rng.normal()
        content = 0.3 * usual + rng.normal(0, 0.7)
        preferred = rng.normal(0, 1.5)
        n = int(np.clip(rng.poisson(sessions), 1, 30))
        therapist, other = rng.integers(0, therapists, 2)
        change = int(rng.integers(1, 8)) if rng.random() < moves else n
        departure = mood = 0.0
        for t in range(n):
            who = therapist if t < change else other
            previous = departure, mood
            departure = persist * previous[0] + respond * previous[1] + rng.normal(0, 1.2)
            mood = serial * previous[1] + lagged * previous[0] + rng.normal() / (1 if t else np.sqrt(1 - serial**2))
            d = usual + style[who] + departure
            y = 6 + slope * d - misfit * (d - preferred) ** 2 + content + liking[who] + mood
            records.append((f"c{client}", f"t{who}", t + 1, d, preferred, y))
    frame = pl.DataFrame(
        records,
        schema=["client_id", "therapist_id", "attended_number", "directiveness", "preferred", "satisfaction"],
        orient="row",
    )
    has_rating, has_guidance = rng.random((2, frame.height)) >= np.array([[unrated], [unasked]])
    return frame.with_columns(
        satisfaction=pl.when(pl.Series(has_rating)).then("satisfaction"),
        directiveness=pl.when(pl.Series(has_guidance)).then("directiveness"),
    )


def small_rows(
    seed: int, *, clients: int = 9, therapists: int = 4, unrated: float = 0.3, gaps: float = 0.2, moves: float = 0.4
) -> Rows:
    """A few short series with everything that can happen to them, in the engine's own form."""
    rng = np.random.default_rng(seed)
    client, slot, therapist = [], [], []
    for i in range(clients):
        slots = np.flatnonzero(rng.random(rng.integers(1, 8)) >= gaps)
        slots = slots if len(slots) else np.array([0])
        who = np.full(len(slots), rng.integers(therapists))
        if rng.random() < moves:
            who[len(slots) // 2 :] = rng.integers(therapists)
        if rng.random() < moves:
            who[-1] = rng.integers(therapists)
        client += [i] * len(slots)
        slot += list(slots)
        therapist += list(who)
    n = len(client)
    slot = np.array(slot)
    guidance = rng.normal(size=n)
    first = (slot == 0).astype(float)
    return Rows(
        client=np.array(client),
        therapist=np.unique(therapist, return_inverse=True)[1],
        slot=slot,
        is_rated=rng.random(n) >= unrated,
        D=np.column_stack([guidance, np.ones(n), first]),
        Y=np.column_stack([rng.normal(size=n), np.ones(n), first, guidance, guidance**2]),
    )
