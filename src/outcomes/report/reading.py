"""Reading a candidate release for its report: suppression and rounding happen here, at the door."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import duckdb

from outcomes.disclosure import Shown, shown_count, shown_percent, shown_table, shown_text
from outcomes.models.state import CurvePoint, ModelStatus
from outcomes.release.folders import DATABASE
from outcomes.report.facts import (
    ENDINGS,
    Bin,
    Estimate,
    Exclusion,
    Facts,
    Finding,
    Flow,
    ModelFacts,
    Provenance,
    Quality,
)  # fmt: skip
from outcomes.storage import read_json
from outcomes.study import StudyFolder
from outcomes.study.settings import Disclosure
from outcomes.warehouse import connect

CHECKS = "checks.json"


def read_facts(folder: Path, study: StudyFolder) -> Facts:
    """Read a candidate release for its report.

    Parameters
    ----------
    folder : Path
        With the database, after the fits, and the audit's `checks.json`.
    study : StudyFolder
        Its thresholds decide what is shown.
    """
    rule = study.settings.disclosure
    with connect(folder / DATABASE, read_only=True) as con:
        models = _models(con, rule)
        counts, has_endings = _endings(con)
        return Facts(
            flows=_flows(con, rule),
            endings=shown_table(counts, rule),
            ending_shares={
                name: shown_percent(count, sum(counts), rule) for name, count in zip(ENDINGS, counts, strict=True)
            },
            has_endings=has_endings,
            models=models,
            density=_density(con, models, rule),
            quality=_quality(con, read_json(folder / CHECKS), rule),
            provenance=_provenance(con, study),
        )


def _flows(con: duckdb.DuckDBPyConnection, rule: Disclosure) -> tuple[Flow, ...]:
    """One flow a branch; a branch starts where nothing was left out before."""
    rows = con.execute(
        """select step, reason, n_sessions, n_clients, n_therapists, n_sessions_excluded
           from mart_participant_flow order by step_number"""
    ).fetchall()
    starts = [place for place, row in enumerate(rows) if row[5] is None]
    branches = [rows[low:high] for low, high in zip(starts, [*starts[1:], len(rows)], strict=True)]
    return tuple(_flow(branch, rule) for branch in branches)


def _flow(rows: Sequence[tuple], rule: Disclosure) -> Flow:
    """The sessions left out and those that stay are the parts of one total; so are the clients."""
    sessions = shown_table(_steps_down([row[2] for row in rows]), rule)
    people = [row[3] for row in rows if row[3] is not None]
    clients = shown_table(_steps_down(people), rule)
    ids_from = len(rows) - len(people)  # before it, rows are not yet people
    exclusions = tuple(
        Exclusion(row[1], sessions.parts[i], clients.parts[i - ids_from] if i >= ids_from else None)
        for i, row in enumerate(rows[1:])
    )
    return Flow(
        start=rows[0][0],
        start_sessions=sessions.total,
        start_clients=clients.total if ids_from == 0 else None,
        end=rows[-1][0],
        end_sessions=sessions.parts[-1],
        end_clients=clients.parts[-1],
        end_therapists=shown_count(rows[-1][4], rule),
        exclusions=exclusions,
    )


def _steps_down(remaining: Sequence[int]) -> list[int]:
    """What was left out at each step, and what remained at last."""
    return [before - after for before, after in itertools.pairwise(remaining)] + [remaining[-1]]


def _endings(con: duckdb.DuckDBPyConnection) -> tuple[list[int], bool]:
    """Episodes by how they ended, in the order of `ENDINGS`; whether any ending is known."""
    found = dict(
        con.execute(
            "select ending_state, count(distinct episode_id) from mart_person_session where is_last group by all"
        ).fetchall()
    )
    counts = [found.get(name, 0) for name in ENDINGS]
    return counts, sum(counts[:3]) > 0


def _models(con: duckdb.DuckDBPyConnection, rule: Disclosure) -> tuple[ModelFacts, ...]:
    rows = con.execute(
        """select model, kind, question, outcome, formula, link, model_fits.engine, status, reason, n_rows, n_missing,
               n_clients, n_therapists
           from model_specs inner join model_fits using (model) order by model_specs.rowid"""
    ).fetchall()
    return tuple(_model(con, row, rule) for row in rows)


def _model(con: duckdb.DuckDBPyConnection, row: tuple, rule: Disclosure) -> ModelFacts:
    name, kind, question, outcome, formula, link, engine, status, reason, n_rows, n_missing, n_clients, n_therapists = (
        row
    )
    estimates = con.execute(
        """select variant, term, estimate, conf_low, conf_high, p_value
           from model_estimates where model = ? order by rowid""",
        [name],
    ).fetchall()
    variances = con.execute(
        """select group_name, term, value
           from model_variances where model = ? and term_2 = '' and value is not null""",
        [name],
    ).fetchall()
    points = con.execute(
        "select curve, x_name, x, estimate, conf_low, conf_high from model_curves where model = ? order by curve, x",
        [name],
    ).fetchall()
    curves: dict[str, list[CurvePoint]] = {}
    for point in points:
        curves.setdefault(point[0], []).append(CurvePoint(*point))
    return ModelFacts(
        name=name,
        kind=kind,
        question=question,
        outcome=outcome,
        formula=formula,
        link=link,
        engine=engine,
        status=ModelStatus(status),
        reason=shown_text(reason, rule),
        n_rows=shown_count(n_rows, rule),
        n_clients=shown_count(n_clients, rule),
        n_therapists=shown_count(n_therapists, rule),
        missing=_share(n_missing, n_rows + n_missing, rule),
        has_enough_therapists=n_therapists >= rule.minimum_therapists,
        estimates=tuple(Estimate(*estimate) for estimate in estimates),
        variances={(group, term): value for group, term, value in variances},
        curves={curve: tuple(points) for curve, points in curves.items()},
    )


def _density(
    con: duckdb.DuckDBPyConnection, models: Sequence[ModelFacts], rule: Disclosure, n_bins: int = 12
) -> dict[str, tuple[Bin, ...]]:
    """Sessions by predictor, over the range of the curves only; a bin of few clients is not shown."""
    tables = {"directiveness_within": "mart_session_directiveness", "directiveness_so_far": "mart_person_session"}
    density: dict[str, tuple[Bin, ...]] = {}
    for x_name, table in tables.items():
        xs = [p.x for model in models for points in model.curves.values() for p in points if p.x_name == x_name]
        if not xs:
            continue
        low, width = min(xs), (max(xs) - min(xs)) / n_bins
        rows = con.execute(
            f"""select least(cast(floor(({x_name} - ?) / ?) as integer), {n_bins - 1}) as place,
                    count(*), count(distinct client_id)
                from {table} where {x_name} between ? and ? group by place""",
            [low, width, low, low + n_bins * width],
        ).fetchall()
        found = {place: (sessions, clients) for place, sessions, clients in rows}
        density[x_name] = tuple(
            Bin(
                low + place * width,
                low + (place + 1) * width,
                shown_count(found[place][0] if found.get(place, (0, 0))[1] >= rule.minimum_count else 0, rule),
            )
            for place in range(n_bins)
        )
    return density


def _quality(con: duckdb.DuckDBPyConnection, checks: dict, rule: Disclosure) -> Quality:
    """Checks by status; the statement of each is the audit's, its sentence with exact counts is not read."""
    statements = {check["check_id"]: check["statement"] for check in checks["checks"]}
    rows = con.execute(
        """select check_id, category, severity, status, n_violated, n_denominator from dq_results
           order by array_position(['fatal', 'warning', 'info'], severity), check_id"""
    ).fetchall()
    by_status = [row[3] for row in rows]
    findings = tuple(
        Finding(statements[check_id], category, severity, _share(violated or 0, denominator or 0, rule))
        for check_id, category, severity, status, violated, denominator in rows
        if status in ("failed", "error")
    )
    return Quality(by_status.count("passed"), len(findings), by_status.count("not_applicable"), findings)


def _share(violated: int, whole: int, rule: Disclosure) -> Shown:
    """How many break a rule: a percentage, or that they are few."""
    return shown_count(violated, rule) if violated < rule.minimum_count else shown_percent(violated, whole, rule)


def _provenance(con: duckdb.DuckDBPyConnection, study: StudyFolder) -> Provenance:
    ((release_id, code_version, data_cut, n_batches),) = con.execute(
        "select release_id, code_version, data_cut, n_batches from release"
    ).fetchall()
    told = f"{data_cut:%-d %B %Y}" if data_cut else ""
    return Provenance(release_id, code_version, told, n_batches, study.settings_sha256)
