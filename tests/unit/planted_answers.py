"""Tables of the answers as the pipeline would leave them, planted in a synthetic release."""

from __future__ import annotations

import math
from pathlib import Path

import duckdb

from outcomes.answers.balance.reactance import SIMPLE
from outcomes.answers.balance.tables import ReactanceGuidance, ReactanceQuantity
from outcomes.answers.certainty import run as certainty
from outcomes.answers.certainty.tables import CERTAINTIES
from outcomes.answers.recovery.cards import ESTIMATORS
from outcomes.answers.responsiveness.tables import After
from outcomes.answers.run import ANALYSES, ANSWER_TABLES

REFUSAL = "There are too few therapists with ratings."


def plant_answers(folder: Path, status: str = "converged") -> Path:
    """Write every table of the answers; `status` is that of every fit."""
    with duckdb.connect(str(folder / "outcomes.duckdb")) as con:
        for table in ANSWER_TABLES.values():
            con.execute(f"create or replace table {table.sql}")
        for name, rows in _rows(status).items():
            for row in rows:
                places = ", ".join("?" for _ in row)
                con.execute(f"insert into {name} ({', '.join(row)}) values ({places})", list(row.values()))
        _rate(con)
    return folder


def _rate(con: duckdb.DuckDBPyConnection) -> None:
    """Rate what was planted by the rule, as the pipeline does."""
    rated = certainty.run(con, None)[CERTAINTIES.name]
    con.register("rated", rated.to_arrow())
    con.execute(f"insert into {CERTAINTIES.name} by name select * from rated")
    con.unregister("rated")
    certainty.mark(con)


def refuse_answers(folder: Path, reason: str = REFUSAL) -> Path:
    """Leave every table empty and every analysis refused."""
    plant_answers(folder)
    with duckdb.connect(str(folder / "outcomes.duckdb")) as con:
        for name in ANSWER_TABLES:
            con.execute(f"delete from {name}")
        con.executemany("insert into answer_states values (?, 'refused', ?)", [(a.name, reason) for a in ANALYSES])
    return folder


def _numbers(estimate: float, low: float, high: float, status: str) -> dict:
    numbers = {"estimate": estimate, "conf_low": low, "conf_high": high} if status != "refused" else {}
    return numbers | {"status": status, "reason": REFUSAL if status == "refused" else ""}


def _rows(status: str) -> dict[str, list[dict]]:
    return {
        "answer_states": [{"analysis": a.name, "status": "answered", "reason": ""} for a in ANALYSES],
        "recovery_cards": list(_recovery(status)),
        "guidance_effects": list(_guidance(status)),
        "verdicts": [
            {"outcome": outcome, "level": level, "verdict": verdict, "trace": "A joint test (p < .001) says so."}
            for outcome, level, verdict in (
                ("satisfaction", "session", "fit_plus_main"),
                ("satisfaction", "client", "undecided"),
                ("dropout", "session", "no_effect"),
            )
        ],
        "balance_evidence": list(_evidence(status)),
        "reactance_effects": list(_reactance(status)),
        "responsiveness_effects": list(_responsiveness(status)),
        "connection_effects": list(_connection(status)),
        **_dropout(status),
        **_contrasts(status),
        "therapist_variation": list(_therapists(status)),
        **_multiverse(status),
        "missing_ladder": list(_missing(status)),
    }


def _recovery(status: str):
    """The slopes can be answered, those of therapists where they are large, the rest cannot."""
    answers = {"slope within client": "can answer", "slope between therapists": "can answer only large effects"}
    for one in ESTIMATORS:
        answer = answers.get(one.name, "cannot answer")
        words = {"estimator": one.name, "question": one.question, "unit": one.unit, "n_cohorts": 20}
        if status != "converged":
            yield words | {"answer": "cannot answer", "reason": REFUSAL, "status": "refused"}
            continue
        coverage = {"coverage": 0.95, "coverage_low": 0.751, "coverage_high": 0.999}
        power = {"power": 0.8, "power_low": 0.563, "power_high": 0.943}
        sizes = {"smallest_effect": 0.054, "effect_worth_finding": 0.14, "large_effect": 0.29}
        words |= {"answer": answer, "reason": "It stands out of chance.", "status": "converged"}
        yield words | coverage | power | sizes


def _guidance(status: str):
    models = ("two levels", "three levels", "three levels, slope by therapist")
    for model in models:
        for part, estimate in (("within client", 0.31), ("between clients", 0.42), ("between therapists", -0.13)):
            quoted = model == (models[2] if part == "within client" else models[1])
            words = {"question": "slope", "part": part, "model": model, "is_quoted": quoted}
            yield words | _numbers(estimate, estimate - 0.09, estimate + 0.09, status)
    more = {"model": models[2], "is_quoted": True}
    for part in ("between clients less within client", "between therapists less within client"):
        yield {"question": "contextual effect", "part": part, **more} | _numbers(0.11, 0.02, 0.2, status)
    joint = {"question": "contextual effect", "part": "one slope at all three levels", "p_value": 0.0004}
    yield joint | more | {"status": status, "reason": ""}
    corrected = {
        "question": "slope corrected for unreliable means",
        "part": "between clients",
        "mean_reliability": 0.76,
    }
    yield corrected | more | _numbers(0.47, 0.36, 0.58, status)
    for question in ("guidance to next satisfaction", "satisfaction to next guidance"):
        yield {"question": question, "part": "within client", **more} | _numbers(0.02, -0.01, 0.05, status)


def _evidence(status: str):
    for outcome, level, slope in (
        ("satisfaction", "session", "slope within clients"),
        ("satisfaction", "client", "slope between clients"),
        ("dropout", "session", "slope within clients"),
    ):
        at = {"outcome": outcome, "level": level}
        told = {k: v for k, v in _numbers(0.3, 0.2, 0.4, status).items() if k != "reason"}
        yield at | {"quantity": slope} | told
        for name, value in (("a1", 0.27), ("a2", 0.01), ("a3", 0.16), ("a4", -0.32), ("a5", -0.02)):
            told = {k: v for k, v in _numbers(value, value - 0.05, value + 0.05, status).items() if k != "reason"}
            yield at | {"quantity": f"response surface: {name}"} | told
        if outcome == "satisfaction":
            told = {k: v for k, v in _numbers(7.3, 7.0, 7.8, status).items() if k != "reason"}
            yield at | {"quantity": "quadratic alone: turning point"} | told


def _reactance(status: str):
    for outcome, guidance, slope in (
        ("satisfaction", ReactanceGuidance.WITHIN, 0.2),
        ("dropout", ReactanceGuidance.CHANGE, -0.1),
    ):
        words = {"outcome": outcome, "guidance": guidance, "unit": "points"}
        for quantity, value in (
            (ReactanceQuantity.CHANGE, -0.04),
            *((name, slope - 0.04 * away) for name, away in SIMPLE.items()),
        ):
            yield words | {"quantity": quantity} | _numbers(value, value - 0.02, value + 0.02, status)


def _connection(status: str):
    for question in ("alliance as the path", "feeling overwhelmed as the path"):
        for timing in ("same session", "next session"):
            words = {"question": question, "timing": timing, "unit": "points"}
            yield words | {"path": "alliance to satisfaction"} | _numbers(0.29, 0.26, 0.32, status)
            yield words | {"path": "indirect"} | _numbers(0.03, 0.02, 0.04, status)
    words = {"question": "asking about the guidance", "timing": "next session", "unit": "points"}
    yield words | {"path": "asked to next satisfaction"} | _numbers(0.09, 0.03, 0.15, status)
    words = {"question": "empowerment as outcome", "timing": "same session", "unit": "points"}
    yield words | {"path": "slope within client"} | _numbers(-0.02, -0.04, -0.01, status)


def _dropout(status: str) -> dict[str, list[dict]]:
    effects, rates, incidence = [], [], []
    for definition, ratio in (("unilateral", 1.21), ("count_3", 1.13)):
        own = {"definition": definition, "is_declared": definition == "unilateral"}
        readings = ("as recorded", "all undetermined are dropout", "no undetermined is dropout")
        for reading in readings:
            for effect in ("usual guidance up to now, per point", "more guidance than before, per point"):
                words = own | {"cause": "dropout", "reading": reading, "effect": effect}
                log = math.log(ratio)
                effects.append(words | _numbers(log, log - 0.06, log + 0.06, status))
        counts = {"n_episodes": 580, "n_undetermined": 40, "lowest": 0.2, "highest": 0.27}
        rates.append(own | counts | _numbers(0.22, 0.19, 0.25, status))
    for session, risk in ((3, 0.07), (8, 0.17), (12, 0.22)):
        for guidance, level, more in (("low", 3.8, -0.02), ("average", 5.0, 0.0), ("high", 6.2, 0.03)):
            words = {"definition": "unilateral", "cause": "dropout", "guidance": guidance, "guidance_level": level}
            value = risk + more
            incidence.append(words | {"session": session} | _numbers(value, value - 0.02, value + 0.02, status))
        words = {"definition": "unilateral", "cause": "dropout", "guidance": "high less low", "session": session}
        incidence.append(words | _numbers(0.05, 0.01, 0.09, status))
    agreement = {"definition": "count_3", "definition_2": "unilateral", "measure": "Gwet's AC1", "n_episodes": 580}
    return {
        "dropout_effects": effects,
        "dropout_rates": rates,
        "dropout_incidence": incidence,
        "dropout_agreement": [agreement | _numbers(0.78, 0.73, 0.83, status)],
    }


def _contrasts(status: str) -> dict[str, list[dict]]:
    """Far from the preference more clients leave; the far ends of the scale are not told."""
    risks, means = [], []
    distances = (("too little", -2.0, 0.06), ("as preferred", 0.0, 0.0), ("too much", 2.0, 0.07))
    amounts = (("low", 3.0, 0.02), ("medium", 5.0, 0.0), ("high", 7.0, 0.03))
    for contrast, levels in (("distance from the preference", distances), ("amount of guidance", amounts)):
        for level, points, more in levels:
            words = {"contrast": contrast, "level": level, "points": points, "scale_end_prop": 0.02}
            for session, risk in ((3, 0.05), (8, 0.09), (12, 0.11)):
                at = {**words, "definition": "unilateral", "session": session}
                value = risk + more
                risks.append(at | {"quantity": "risk"} | _numbers(value, value - 0.02, value + 0.02, status))
                if more:
                    told = _numbers(more, more - 0.03, more + 0.03, status)
                    risks.append(at | {"quantity": "difference", "p_value": 0.0004} | told)
            mean = 8.4 - 5 * more
            means.append(words | {"quantity": "mean"} | _numbers(mean, mean - 0.1, mean + 0.1, status))
            if more:
                told = _numbers(-5 * more, -5 * more - 0.1, -5 * more + 0.1, status)
                means.append(words | {"quantity": "difference", "p_value": 0.0004} | told)
    far = {"contrast": "distance from the preference", "level": "far too much", "points": 4.0, "status": "refused"}
    far |= {"reason": "Too few clients had guidance near this level.", "quantity": "difference"}
    return {"contrasts_dropout": [*risks, far | {"definition": "unilateral"}], "contrasts_satisfaction": [*means, far]}


def _multiverse(status: str) -> dict[str, list[dict]]:
    pools = {"lag: same session": (0.28, 0.31), "lag: next session": (-0.02, 0.04)}
    specs, tests = [], []
    for pool, (low, high) in pools.items():
        for detrending, estimate in (("none", low), ("log", high)):
            words = {"pool": pool, "lag": pool.removeprefix("lag: "), "detrending": detrending}
            specs.append(words | _numbers(estimate, estimate - 0.09, estimate + 0.09, status))
        counts = {"n_specs": 2, "n_estimated": 2, "n_singular": 0, "n_not_converged": 0, "n_refused": 0}
        shares = {"same_sign_prop": 1.0 if low > 0 else 0.5, "significant_prop": 1.0 if low > 0 else 0.0}
        words = {"pool": pool, "pooled_over": "detrending", "left_out": "", "p_value": 0.0004 if low > 0 else 0.41}
        tests.append(words | counts | shares | _numbers(low, low - 0.09, low + 0.09, status) | {"reason": ""})
    return {"multiverse_specs": specs, "multiverse_tests": tests}


def _missing(status: str):
    for effect, estimate in (("within client", 0.31), ("between clients", 0.42)):
        for rung in (
            "as observed",
            "weighted by the chance of staying",
            "multiple imputation",
            "shared-parameter model",
        ):
            yield {"rung": rung, "effect": effect} | _numbers(estimate, estimate - 0.09, estimate + 0.09, status)
        for delta in (-1.4, 0.0, 1.4):
            shifted = estimate - 0.1 * delta
            words = {"rung": "shifted by delta", "effect": effect, "delta": delta}
            yield words | _numbers(shifted, shifted - 0.09, shifted + 0.09, status)
        for rung, delta in (("shift at which the sign flips", None), ("shift at which significance flips", 1.3)):
            yield {"rung": rung, "effect": effect, "delta": delta, "status": status, "reason": ""}


def _responsiveness(status: str):
    words = {"quantity": "guidance in the next session", "model": "dynamic model", "unit": "", "is_quoted": True}
    for after in After:
        if after is not After.TOWARD:
            yield words | {"after": after} | _numbers(0.32, 0.28, 0.36, status)
            yield (
                words
                | {"after": after, "quantity": "spread of this between therapists"}
                | _numbers(0.11, 0.04, 0.19, status)
            )
    for quantity, estimate in (
        ("satisfaction in the same session", 0.31),
        ("satisfaction in the next session", 0.01),
        ("distance from the preference in the next session", -0.08),
    ):
        told = _numbers(estimate, estimate - 0.03, estimate + 0.03, status)
        yield words | {"after": After.TOWARD, "quantity": quantity} | told


def _therapists(status: str):
    words = {"outcome": "satisfaction", "adjusted_for": "intake_severity_score", "shown": "", "unit": ""}
    share = "share of the variance that lies between therapists"
    yield words | {"quantity": share} | _numbers(0.064, 0.031, 0.113, status)
    count = {"quantity": "therapists below the average", "shown": "fewer than 10", "status": status, "reason": ""}
    yield words | count
    words |= {"outcome": "dropout"}
    yield words | {"quantity": share} | _numbers(0.126, 0.05, 0.24, status)
    yield words | {"quantity": "median odds ratio between two therapists"} | _numbers(1.93, 1.48, 2.6, status)
