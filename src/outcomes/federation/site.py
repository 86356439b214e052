"""One site of a plan: what it has joined with, what it has answered, and what it refuses."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import duckdb
import numpy as np

from outcomes import release
from outcomes.errors import DataRefused, StudyError, UsageError, no_such
from outcomes.federation import changes
from outcomes.federation.masks import mask, new_key, public_key
from outcomes.federation.plan import GROUPS, Plan, read_plan
from outcomes.federation.rounds import KEYS, Question, Standing, answer_path, message, read_keys, standing
from outcomes.federation.taken_apart import fewest_told_apart
from outcomes.mixed.linear.gram import GramData, prepare_linear
from outcomes.mixed.linear.places.shares import evaluate
from outcomes.mixed.linear.places.sums import write_sums
from outcomes.mixed.linear.problem import linear_problem
from outcomes.store.files import read_json, write_json
from outcomes.store.warehouse import connect
from outcomes.study import StudyFolder
from outcomes.trust.audit_trail import Event, append

PRECISION = 1e-10
"""Of a share, relative to its largest number: enough for the fit (docs/federation.md)."""
_JOINED = "joined.json"
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
    if not kept.exists():
        publics = read_keys(folder, plan)
        if joined.get("keys", publics) != publics:
            raise StudyError("The sites' keys have changed since this site answered first", "start a new plan")
        write_json(own / _JOINED, joined | {"keys": publics})
        context = f"{plan.id}|{question.sha256}"
        masked = mask(numbers(study, plan, where), joined["private_key"], name, publics, context)
        fingerprint = hashlib.sha256("".join(masked).encode()).hexdigest()
        append(study, Event.FEDERATED, plan=plan.id, round=question.number, answer_sha256=fingerprint)
        write_json(kept, message(plan, question, name, masked))
    # Never computed twice: two sets of numbers under one mask would show their difference.
    content = read_json(kept)
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
        with connect(study.database, read_only=True) as con:
            refuse_few(plan, prepare_linear(plan.formula, _rows(con, plan), levels=plan.all_levels))
            sketch = changes.sketch(con, study.root / FOLDER)
        changes.refuse_small_change(study.root / FOLDER, sketch, study.settings.disclosure.minimum_count)
        own.mkdir(parents=True, exist_ok=True)
        changes.keep(own, sketch)
        write_json(kept, {"release": published, "private_key": new_key()})
        kept.chmod(0o600)
        append(study, Event.FEDERATED, plan=plan.id, round=0, release=published)
    joined = read_json(kept)
    if joined["release"] != published:
        raise StudyError(
            f"This site joined the plan with release {joined['release']}; published is {published}",
            "start a new plan: one fit is of one release",
        )
    public = folder / KEYS / f"{name}.json"
    message = {"plan": plan.id, "site": name, "public_key": public_key(joined["private_key"])}
    if public.exists() and read_json(public) != message:
        raise UsageError(f"Another study has joined as {name}.", "each site joins once, under its own name")
    if not public.exists():
        public.parent.mkdir(parents=True, exist_ok=True)
        write_json(public, message)
    return joined


def numbers(study: StudyFolder, plan: Plan, where: Standing) -> np.ndarray:
    """This site's own numbers for the open question, before they are masked."""
    with connect(study.database, read_only=True) as con:
        gram = prepare_linear(plan.formula, _rows(con, plan), levels=plan.all_levels)
        if where.sums is None:
            return write_sums(plan.design, gram)
        refuse_taken_apart(plan, gram, where)
        problem = linear_problem(
            where.sums.coordinates(gram), gram.design(plan.formula), like=where.sums.frame(plan.design)
        )
        return evaluate(problem, np.array(where.question.theta)).rounded(PRECISION).to_vector()


def _rows(con: duckdb.DuckDBPyConnection, plan: Plan) -> duckdb.DuckDBPyRelation:
    """The rows that take part: of clients with at least so many in the table."""
    enough = f"count(*) over (partition by client_id) >= {int(plan.fewest_rows)}"
    return con.sql(f'from "{plan.table}" qualify {enough}')


def refuse_taken_apart(plan: Plan, gram: GramData, where: Standing) -> None:
    """Refuse a round after which the sums so far would tell a few clients apart.

    Raises
    ------
    DataRefused
        Where all rounds together could be solved for fewer than 10 of this site's clients.
    """
    frame = where.sums.frame(plan.design)
    own = [part for factor, part in zip(frame.factors, frame.slices, strict=True) if factor.group == ("client_id",)]
    if not own:
        return
    sizes = [float(np.linalg.norm(theta[own[0]])) for theta in where.asked]
    rows = gram.levels[("client_id",)]
    per_client = np.bincount(rows.codes, weights=gram.counts, minlength=rows.n_levels).astype(int)
    clients = dict(zip(*(part.tolist() for part in np.unique(per_client, return_counts=True)), strict=True))
    fewest = GROUPS["client_id"]
    if fewest_told_apart(clients, sizes, PRECISION) < fewest:
        raise DataRefused(
            f"The rounds of this fit would tell fewer than {fewest} clients of this site apart, by how many sessions "
            "they have",
            "plan with `--at-least`, so that clients with few sessions stay out, or with larger sites",
        )


def refuse_few(plan: Plan, gram: GramData) -> None:
    """Refuse where this site's own part would say something of a few people.

    Raises
    ------
    DataRefused
        Fewer than 10 clients or 5 therapists; a level of a categorical predictor that 1 to 9 clients have.
    """
    source, complete = gram.population.source, gram.population.complete
    counts = _count(source, complete, GROUPS)
    for column, fewest in GROUPS.items():
        if counts[column] < fewest:
            raise DataRefused(
                f"This site has fewer than {fewest} of {column} in the model's rows",
                f"a site takes part with at least {fewest}",
            )
    fewest = GROUPS["client_id"]
    for name, values in plan.all_levels.items():
        if name not in plan.formula:
            continue
        for value in values:
            quoted = str(value).replace("'", "''")
            n = _count(source, f"{complete} and \"{name}\" = '{quoted}'", ("client_id",))["client_id"]
            if 0 < n < fewest:
                raise DataRefused(
                    f"A category of {name} has fewer than {fewest} clients at this site", "plan with coarser categories"
                )


def _count(source, condition: str, columns: Mapping[str, int] | tuple[str, ...]) -> dict[str, int]:
    from outcomes.mixed.design.data import VIEW

    counts = ", ".join(f'count(distinct "{column}") as "{column}"' for column in columns)
    return source.query(f"select {counts} from {VIEW} where {condition}").to_pylist()[0]
