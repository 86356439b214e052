"""One site of a plan: what it has joined with, what it has answered, and what it refuses."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np

from outcomes import release
from outcomes.errors import DataRefused, StudyError, UsageError, no_such
from outcomes.federation.changes import changed_since, earlier_plans, refuse_small_change
from outcomes.federation.masks import mask, new_key, public_key
from outcomes.federation.plan import COURSE, MIN_CLIENTS, NUMBER, Plan, read_plan, short
from outcomes.federation.refusals import refuse_few, refuse_parts
from outcomes.federation.rounds import (
    KEYS,
    Question,
    Standing,
    answer_path,
    message,
    model_of,
    read_keys,
    read_scales,
    standing,
)
from outcomes.federation.sketch import SKETCH, Sketch, hasher, is_kept, keep, read_sketch, refuse_lost, sketch
from outcomes.mixed.design.data import literal
from outcomes.mixed.design.population import open_population
from outcomes.release.codebook.tables import TABLES
from outcomes.store.files import read_json, write_json
from outcomes.store.warehouse import connect
from outcomes.study import StudyFolder
from outcomes.trust.audit_trail import Event, append, read_chain

_JOINED = "joined.json"
_IN_ORDER = ("session_number", NUMBER, "session_id")
"""What orders the sessions of a course, as far as a table has it; missed sessions have a number as booked only."""
FOLDER = "federation"
"""In the study folder: keys, answers and sketches of the plans that were joined. It never leaves."""


def answer(study: StudyFolder, folder: Path, name: str) -> Question | None:
    """Join the plan, or answer its open question; call it under the writer lock, as often as wanted.

    Parameters
    ----------
    study : StudyFolder
        A study with a published release.
    folder : Path
        The plan's folder, which all sites can reach.
    name : str
        This site's name in the plan.

    Returns
    -------
    Question or None
        What was answered; None where nothing was asked that is not answered yet.

    Raises
    ------
    UsageError
        The plan does not know the site.
    DataRefused
        Too few clients or therapists; a category with a few clients only; too few clients changed since another plan.
    StudyError
        No release, another release than joined with, other keys, or a damaged message.
    """
    plan = read_plan(folder)
    if name not in plan.sites:
        raise no_such("site in the plan", name, plan.sites)
    own = study.root / FOLDER / plan.id
    joined = _join(study, plan, own, folder, name)
    where = standing(folder, plan)
    question = where.question
    if question is None:
        return None
    kept, given = own / f"{question.number:04}.json", answer_path(folder, question, name)
    publics = read_keys(folder, plan)
    _refuse_other_scales(folder, plan, name)
    if joined.get("keys", publics) != publics:
        raise StudyError("The sites' keys have changed since this site answered first", "start a new plan")
    if not kept.exists():
        write_json(own / _JOINED, joined | {"keys": publics})
        context = f"{plan.id}|{question.sha256}"
        # Again, just before numbers leave: another plan may have been answered since this one was joined.
        found = read_sketch(own / SKETCH) if is_kept(own) else _refuse_rows(study, plan, own, joined["release"])
        _refuse_told_of_changed(study, plan, own, found, where)
        masked = mask(numbers(study, plan, where), joined["private_key"], name, publics, context)
        if not is_kept(own):
            keep(own, found)
        fingerprint = hashlib.sha256("".join(masked).encode()).hexdigest()
        append(study, Event.FEDERATED, plan=plan.id, round=question.number, answer_sha256=fingerprint)
        write_json(kept, message(plan, question, name, masked))
    # Never computed twice: two sets of numbers under one mask would show their difference.
    content = _read_own(kept)
    if content["question"] != question.sha256:
        raise StudyError(f"Round {question.number} asks anew with other numbers", "start a new plan")
    if given.exists():
        return None
    given.parent.mkdir(parents=True, exist_ok=True)
    write_json(given, content)
    return question


def _join(study: StudyFolder, plan: Plan, own: Path, folder: Path, name: str) -> dict:
    """Check the rules, then give the site's public key; the private one stays in the study folder."""
    published = release.published_id(study)
    if published is None:
        raise StudyError("The study has no published release", "run `outcomes refresh` first")
    kept = own / _JOINED
    if not kept.exists():
        found = _refuse_rows(study, plan, own, published)
        _refuse_told_of_changed(study, plan, own, found, Standing())
        numbers(study, plan, Standing())  # numbers that cannot be summed are found before anything is told
        own.mkdir(parents=True, exist_ok=True)
        write_json(kept, {"release": published, "private_key": new_key()})
        kept.chmod(0o600)
        append(study, Event.FEDERATED, plan=plan.id, round=0, release=published)
    joined = _read_own(kept)
    if joined["release"] != published:
        raise StudyError(
            f"This site joined the plan with release {joined['release']}; published is {published}",
            "start a new plan: one fit is of one release",
        )
    public = folder / KEYS / f"{name}.json"
    message = {
        "plan": plan.id,
        "site": name,
        "public_key": public_key(joined["private_key"]),
        "scales": _scales(study, plan),
    }
    if public.exists() and read_json(public) != message:
        raise UsageError(f"Another study has joined as {name}.", "each site joins once, under its own name")
    if not public.exists():
        public.parent.mkdir(parents=True, exist_ok=True)
        write_json(public, message)
    return joined


def _scales(study: StudyFolder, plan: Plan) -> dict[str, list[float]]:
    """Ends of the scales that the formula's columns come from."""
    return {
        name: [scale.minimum, scale.maximum] for name, scale in study.settings.scales.items() if name in plan.formula
    }


def _refuse_other_scales(folder: Path, plan: Plan, name: str) -> None:
    """Refuse to pool ratings on different scales."""
    scales = read_scales(folder, plan)
    for site, theirs in scales.items():
        for scale in scales[name].keys() & theirs.keys():
            if theirs[scale] != scales[name][scale]:
                own, other = ("{:g} to {:g}".format(*ends[scale]) for ends in (scales[name], theirs))
                raise StudyError(
                    f"This site rates {scale} from {own}, the site {site} from {other}",
                    "pool ratings on one scale: a site can land its ratings on the common one (docs/federation.md)",
                )


def _read_own(path: Path) -> dict:
    try:
        return dict(read_json(path))
    except (ValueError, TypeError):
        raise StudyError(f"{path} cannot be read", "restore it from a backup, or start a new plan") from None


def _refuse_rows(study: StudyFolder, plan: Plan, own: Path, published: str) -> Sketch:
    """Refuse too few people, and rows that differ too little from other plans'; else say which rows these are."""
    folder = study.root / FOLDER
    told = [entry.facts for entry in read_chain(study).entries if entry.event == Event.FEDERATED]
    refuse_lost(folder, {facts["plan"] for facts in told if facts["round"]} - {plan.id})
    with connect(study.database, read_only=True) as con:
        population = open_population([plan.formula], _rows(con, plan), levels=plan.all_levels)
        refuse_few(plan, population)
        fewest = max(MIN_CLIENTS, study.settings.disclosure.minimum_count)
        found = sketch(folder, population, published, plan.table, plan.sites)
        earlier = earlier_plans(folder, own)
        refuse_small_change(con, folder, earlier, found, population, fewest)
        for name, clients in changed_since(earlier, found):
            of_changed = _is_one_of(_rows(con, plan), hasher(folder), clients)
            with _among_changed(name):
                refuse_parts(plan, replace(population, complete=f"{population.complete} and {of_changed}"))
    return found


def _refuse_told_of_changed(study: StudyFolder, plan: Plan, own: Path, found: Sketch, where: Standing) -> None:
    """Refuse where the rounds, with those of an earlier plan, would tell of few who changed since."""
    folder = study.root / FOLDER
    with connect(study.database, read_only=True) as con:
        for name, clients in changed_since(earlier_plans(folder, own), found):
            rows = _rows(con, plan)
            rows = rows.filter(_is_one_of(rows, hasher(folder), clients))
            with _among_changed(name):
                model_of(plan).refuse_of_changed(plan, rows, where.sums, where.asked)


@contextmanager
def _among_changed(earlier: str) -> Iterator[None]:
    """Say of a refusal that it is about the clients who changed since an earlier plan."""
    try:
        yield
    except DataRefused as refusal:
        raise DataRefused(
            f"Among the clients who joined or changed since the plan {short(earlier)}: {refusal.message}",
            f"wait until more clients have changed, or {refusal.hint}",
        ) from None


def _is_one_of(rows: duckdb.DuckDBPyRelation, hashed: Callable[[str], str], clients: set[str]) -> str:
    """SQL that holds for the rows of the clients with these hashes."""
    ids = rows.query("rows_", "select distinct client_id from rows_").fetchall()
    return f"client_id in ({', '.join(literal(one) for (one,) in ids if hashed(one) in clients)})"


def numbers(study: StudyFolder, plan: Plan, where: Standing) -> np.ndarray:
    """This site's own numbers for the open question, before they are masked."""
    with connect(study.database, read_only=True) as con:
        rows, model = _rows(con, plan), model_of(plan)
        if where.sums is None:
            return model.own_sums(plan, rows)
        return model.own_share(plan, rows, where.sums, where.asked)


def _rows(con: duckdb.DuckDBPyConnection, plan: Plan) -> duckdb.DuckDBPyRelation:
    """The complete rows that take part: of clients with at least so many, and of these the first of one course.

    The first are those of the lowest numbers as booked, attended or missed, and for equal numbers of the lowest id: no
    value decides, and every round has the same rows.
    """
    enough = f"count(*) over (partition by client_id) >= {int(plan.fewest_rows)}"
    if plan.up_to:
        columns = TABLES[plan.table].columns
        course = COURSE if COURSE in columns else "client_id"
        order = ", ".join(name for name in _IN_ORDER if name in columns)
        enough += (
            f" and dense_rank() over (partition by client_id order by {course}) = 1"
            f" and row_number() over (partition by client_id, {course} order by {order}) <= {int(plan.up_to)}"
        )
    return con.sql(f'from "{plan.table}" where {plan.design.complete} qualify {enough}')
