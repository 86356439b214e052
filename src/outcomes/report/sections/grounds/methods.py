"""How each answer was computed, and the study's declared models with their effects."""

from __future__ import annotations

import duckdb

from outcomes.disclosure import Teller
from outcomes.links import link_named
from outcomes.mixed import FitStatus
from outcomes.report.page.blocks import Block, bullets, fold, heading, note, paragraph, table
from outcomes.report.page.pieces import Form, Given, Kind, Piece, Strong, Words, say
from outcomes.report.reading.people import CLIENTS, SESSIONS, PeopleTold, in_model, out_of_model, people_told
from outcomes.report.reading.plain_words import plain, term_label
from outcomes.report.reading.rows import table_rows, told
from outcomes.report.sections.report_section import ReportSection, Source

_STATES = {
    FitStatus.CONVERGED: "calculation complete",
    FitStatus.SINGULAR: "a part is estimated as zero, so no number is shown",
    FitStatus.APPROXIMATE: "calculated approximately only, so no number is shown",
    FitStatus.NOT_CONVERGED: "the calculation did not converge, so no number is shown",
    FitStatus.REFUSED: "not calculated",
}
_HOW = {
    "Guidance and satisfaction": "Mixed models: each session belongs to a client, clients to therapists, and both may "
    "have levels and slopes of their own. Guidance is split into three parts: this session against the client's usual, "
    "the client's usual against the therapist's, the therapist's against all. Intervals use Satterthwaite's degrees "
    "of freedom.",
    "Too little, too much, or fit": "One free model with squares and products of this session's guidance, the usual "
    "level and the preference; one best level, fit, and what the client is used to are special cases of it and are "
    "compared with one another. A turn counts only where the Lind-Mehlum test and the two-lines test agree.",
    "Dropout": "Modelled session by session, only with what was known up to then. Dropout and all other endings "
    "compete. Risks are averaged over therapists; their intervals come from data simulated from the fitted model.",
    "Connection": "Paths are products of two effects from two models; their intervals are simulated. The last rating "
    "enters as it is, with the episode's first, because a departure from an average that knows the future would "
    "mislead.",
    "Therapists": "Shares of variance with intervals from data simulated from the fitted model, corrected for bias.",
}


def _blocks(source: Source) -> tuple[Block, ...]:
    """Details that open on demand."""
    con, settings, teller = source.con, source.settings, source.teller
    specs = table_rows(con, "model_specs")
    fits = {row["model"]: row for row in table_rows(con, "model_fits")}
    declared = [
        _model(con, spec, fits[spec["model"]], settings.dropout.definition.value, teller)
        for spec in specs
        if spec["model"] in fits
    ]
    how = bullets(*(say("{name}: " + text, name=Strong(name)) for name, text in _HOW.items()))
    least = say(
        "A declared model is shown only with at least {n} more sessions than terms.",
        n=Given(str(teller.rule.minimum_residual_df)),
    )
    models: tuple[Block, ...] = (heading("The study's declared models"), *declared, note(least)) if declared else ()
    return (fold("Each answer", how), *models)


def _model(con: duckdb.DuckDBPyConnection, spec: dict, fit: dict, own: str, teller: Teller) -> Block:
    state = FitStatus(fit["status"])
    title = Given(f"Model “{spec['model'].replace('_', ' ')}”: {_STATES[state]}")
    blocks: list[Block] = [paragraph(Given(spec["question"]))]
    if state is not FitStatus.REFUSED:
        blocks.append(paragraph(_people(fit, people_told(con, own, teller), teller)))
    if fit["reason"]:
        blocks.append(paragraph(Given(plain(teller.text(fit["reason"])), Kind.REASON)))
    if state is FitStatus.CONVERGED:
        blocks += _effects(con, spec, teller)
    blocks.append(note(Given(f"{spec['formula']} · {spec['link']} · engine: {spec['engine']}")))
    return fold(title, *blocks)


def _people(fit: dict, told: PeopleTold, teller: Teller) -> Words:
    model = fit["model"]
    return say(
        "{sessions} sessions of {clients} clients with {therapists} therapists. Sessions left out because something "
        "else that the model needs was missing: {missing}.",
        sessions=told.shown(in_model(SESSIONS, model)),
        clients=told.shown(in_model(CLIENTS, model)),
        therapists=teller.count(f"model {model}: therapists", fit["n_therapists"]),
        missing=told.shown(out_of_model(SESSIONS, model)) or "not known",
    )


def _effects(con: duckdb.DuckDBPyConnection, spec: dict, teller: Teller) -> list[Block]:
    """Effects with intervals; hazards as ratios, without their starting level."""
    is_hazard = spec["kind"] == "hazard"
    ratio = link_named(spec["link"]).ratio if is_hazard else None
    form = Form(is_log=ratio is not None, up="more", down="less")
    lines: list[tuple[Piece | Words, ...]] = [
        (
            Given(term_label(row["term"])),
            "second method, with errors robust to therapists" if row["variant"] == "cluster_robust" else "",
            told(row, teller, form),
        )
        for row in table_rows(con, "model_estimates", f"model = '{spec['model']}' and estimate is not null")
        if not (is_hazard and row["term"] == "(Intercept)")
    ]
    what = f"{ratio.label if ratio else 'Effect'}, per point or yes (interval)"
    return [table(("Term", "", what), lines, n_labels=2)] if lines else []


SECTION = ReportSection("methods", "How it was computed", _blocks)
