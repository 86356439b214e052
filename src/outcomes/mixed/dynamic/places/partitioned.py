"""Fit the dynamic model to the parts of a table: each place evaluates its own sessions, sums come back."""

from __future__ import annotations

from functools import reduce
from operator import add
from time import perf_counter

from outcomes.mixed.design.data import as_source
from outcomes.mixed.design.parts import Levels, Part, Places, refuse_split_levels, with_levels_of_all
from outcomes.mixed.dynamic.places.place import InParts, build_place
from outcomes.mixed.dynamic.reading.coordinates import Facts, settle_frame
from outcomes.mixed.dynamic.reading.sessions import Asked, Sessions, read_sessions
from outcomes.mixed.dynamic.results import DynamicFit
from outcomes.mixed.dynamic.search import search
from outcomes.mixed.dynamic.units import wrap_up
from outcomes.mixed.optimise import OptSummary
from outcomes.mixed.partitions import Partitions


def fit_dynamic_partitions(
    formula: str,
    partitions: Partitions,
    places: Places,
    *,
    guidance: str,
    client: str,
    time: str,
    therapist: str | None = None,
    guidance_covariates: str = "1",
    levels: Levels | None = None,
    start: DynamicFit | OptSummary | None = None,
) -> DynamicFit:
    """Fit guidance and satisfaction together, as two outcomes in time, to a table in parts.

    Parameters
    ----------
    formula : str
        Satisfaction's equation, as in `fit_dynamic`.
    partitions : Partitions
        See `outcomes.mixed.write_partitions`; they keep clients and therapists together.
    places : Places
        Who reads them: `outcomes.workers.in_threads()` or `outcomes.workers.on_cluster(address)`.
    guidance, client, time, therapist, guidance_covariates
        As in `fit_dynamic`.
    levels : dict of str to list, optional
        Levels of categorical predictors, first the reference; by default those found, sorted.
    start : DynamicFit or OptSummary, optional
        As in `fit_dynamic`.

    Returns
    -------
    DynamicFit
        As from all rows on one machine; profile intervals, which fit the rows again, are refused. Robust standard
        errors of more than 400 therapists differ a little: there they are put together, here by part.

    Raises
    ------
    FormulaError
        A client or a therapist may lie in two parts; a transformation that must know all rows; bracketed terms.
    UsageError, FitRefused
        As `fit_dynamic`.
    StorageError
        A part that a place cannot read.

    Notes
    -----
    With no client and no therapist in two parts, the covariance V(theta) is block-diagonal by part. At theta each
    place i answers log|V_i| and the cross-products G_i = [X_i y_i]' V_i^-1 [X_i y_i] of both equations' columns; their
    sums give the best linear coefficients psi and the deviance::

        n log 2 pi + sum log|V_i| + (1, -psi)' (sum G_i) (1, -psi)

    At (theta, psi) each answers its part of the gradient, and its sum is that of the whole. The Hessian is the
    gradient's differences.
    """
    began = perf_counter()
    asked = Asked(formula, guidance, client, therapist, time, guidance_covariates)
    refuse_split_levels([(name,) for name in (client, therapist) if name], partitions)
    with partitions.open(0) as relation:
        asked.check_columns(as_source(relation))
    sides = [with_levels_of_all(one, partitions, places, None, levels)[0] for one in asked.formulas]
    sessions = places.keep(_read, [(asked, *both) for both in zip(*sides, strict=True)])
    facts: list[Facts] = places.ask(Facts.of, sessions)
    with sides[0][0].open(with_rows=False) as one, sides[1][0].open(with_rows=False) as other:
        frame = settle_frame(reduce(add, facts), (one, other), guidance)
    has_read = perf_counter()
    filled = [one for one, known in zip(sessions, facts, strict=True) if known.n_sessions]
    deviance = InParts(places, places.keep(build_place, [(one, frame) for one in filled]))
    del sessions, filled  # a place needs its problem only
    built = perf_counter()
    story, slopes = search(deviance, start.optimizer if isinstance(start, DynamicFit) else start)
    best = deviance.best(story.final)
    scores = deviance.scores(story.final, best.psi) if story.is_converged else None
    timings = {"read": has_read - began, "build": built - has_read, "optimise": perf_counter() - built}
    return wrap_up(asked, frame, best, story, slopes, timings, scores=scores)


def _read(asked: Asked, guidance: Part, satisfaction: Part) -> Sessions:
    """One part's sessions, where they are."""
    with guidance.open() as one, satisfaction.open(with_rows=False) as other:
        return read_sessions(asked, one.source, (one, other))
