"""Every column of counts, batches, checks and models, described once."""

from __future__ import annotations

from outcomes.contract import Kind, Rule
from outcomes.link_names import LINK_NAMES
from outcomes.release.codebook.vocabulary import ColumnText, count, identifier, number, text

FIT_STATUSES = ("converged", "singular", "approximate", "not_converged", "refused")

RESULT_COLUMNS: dict[str, ColumnText] = {
    # counts
    "n_appointments": count("Appointments, attended or missed", "appointments"),
    "n_attended": count("Attended sessions", "sessions"),
    "n_episodes": count("Episodes", "episodes"),
    "n_therapists": count("Therapists of attended sessions", "therapists"),
    "n_clients": count("Clients with an attended session", "clients"),
    "n_sessions": count("Attended sessions", "sessions"),
    "n_dropouts": count("Episodes that ended in dropout", "episodes"),
    "mart_therapists.n_episodes": count("Episodes whose last session the therapist held", "episodes"),
    "dropout_prop": number(
        "n_dropouts as a share of these episodes with a known ending; empty where there is none", "0 to 1"
    ),
    "step_number": ColumnText("INTEGER", "Place of the step; step 9 starts again from step 6", "", "1 to 11"),
    "step": text(
        "Who is still in; `in models` counts who is there for any model, `model_flow` who is in each declared one"
    ),
    "mart_participant_flow.reason": text("Why those who were in the step before are not in this one"),
    "mart_participant_flow.n_sessions": count(
        "Rows (steps 1 and 2), appointments or sessions at this step", "sessions", "BIGINT"
    ),
    "mart_participant_flow.n_episodes": count(
        "Episodes at this step; empty while rows are not yet people", "episodes", "BIGINT"
    ),
    "mart_participant_flow.n_clients": count(
        "Clients at this step; empty while rows are not yet people", "clients", "BIGINT"
    ),
    "mart_participant_flow.n_therapists": count(
        "Therapists at this step; empty while rows are not yet people", "therapists", "BIGINT"
    ),
    "n_sessions_excluded": count(
        "Sessions lost since the step before; empty where a branch starts", "sessions", "BIGINT"
    ),
    "n_clients_excluded": count("Clients lost since the step before; empty where a branch starts", "clients", "BIGINT"),
    "model_flow.step_number": ColumnText("INTEGER", "Place of the step", "", "1 or more"),
    "model_flow.step": text("Who is still in: the population, those with a column, those in the model"),
    "model_flow.reason": text("Why those who were in the step before are not in this one"),
    **{
        f"model_flow.n_{unit}": count(f"{unit.capitalize()} at this step", unit, "BIGINT")
        for unit in ("sessions", "episodes", "clients", "therapists")
    },
    # batches
    "kind": text("What the source file holds", tuple(Kind)),
    "sequence": ColumnText("INTEGER", "Landing order", "", "1 or more"),
    "n_read": count("Rows of the source file", "rows", "BIGINT"),
    "n_quarantined": count("Rows that were not accepted", "rows", "BIGINT"),
    "n_superseded": count("Rows that a later file replaced", "rows", "BIGINT"),
    "n_current": count("Rows that are in the release", "rows", "BIGINT"),
    "n_contested": count(
        "Session rows that another file has for another practice, with another therapist, day, attendance or rating",
        "rows",
        "BIGINT",
    ),
    "n_rows": count("Rows that broke the rule", "rows", "BIGINT"),
    "rule": text("Rule that the rows broke", tuple(Rule)),
    "reason": text("The rule in plain words"),
    # release
    "study_name": text("Name of the study"),
    "code_version": text("Version of the package and a short hash of its sources"),
    "n_batches": count("Landed batches", "batches"),
    # de-identification
    "quasi_identifiers": text("Columns that together make a class; practice and therapist of most appointments"),
    "k": ColumnText("INTEGER", "Fewest clients that a class should have", "clients", "2 or more"),
    "l": ColumnText("INTEGER", "Fewest ways of ending that a class should have", "", "1 or more"),
    "deidentification.n_clients": count("Clients in the table", "clients", "BIGINT"),
    "n_classes": count("Classes of clients who share these columns", "classes", "BIGINT"),
    "n_classes_below_k": count("Classes with fewer than k clients that are left", "classes", "BIGINT"),
    "n_classes_below_l": count("Classes with fewer than l ways of ending that are left", "classes", "BIGINT"),
    "n_age_bands_withheld": count("Age bands that were given and withheld", "clients", "BIGINT"),
    "n_genders_withheld": count("Genders that were given and withheld", "clients", "BIGINT"),
    # codebook
    "codebook.table_name": text("Table"),
    "codebook.column_name": text("Column; empty for the table itself"),
    "type": text("DuckDB's type"),
    "description": text("What it means"),
    "unit": text("Unit; empty for ids, codes and flags"),
    "range": text("Values that can occur; empty where unbounded"),
    "source": text("Where it comes from"),
    # checks
    "check_id": identifier("Check; the same over all releases"),
    "table_name": text("Table that was checked"),
    "column_name": text("Column that was checked; empty where the whole row or table was"),
    "check_type": text("Type of the expectation"),
    "category": text("What the check is about", ("conformance", "completeness", "plausibility")),
    "severity": text("What a failure means; a fatal one stops the publication", ("info", "warning", "fatal")),
    "dq_results.status": text("How the check ended", ("passed", "failed", "not_applicable", "error")),
    "n_violated": count("Rows that violate the check", "rows", "BIGINT"),
    "n_denominator": count("Rows that the check looked at", "rows", "BIGINT"),
    "percent_violated": number(
        "n_violated per 100 of n_denominator; empty where there were none", "0 to 100", "percent"
    ),
    "seal.status": text(
        "Whether the specification was fixed, and what had been seen by then",
        ("exploratory", "withheld", "sealed_before_outcomes", "sealed_after_outcomes", "changed_after_sealing"),
    ),
    "spec_sha256": text("SHA-256 of the present specification: models, multiverse, dropout, cohort, scales"),
    "sealed_at": ColumnText("TIMESTAMP", "When the specification was sealed (UTC); empty where it was not"),
    "seal.sentence": text("The same in plain words, as the report says it"),
    "sentence": text("The finding in plain words"),
    # models
    "model": text("Name of the model in study.toml", source="study.toml"),
    "model_specs.kind": text("Type of the model", ("linear", "hazard"), "study.toml"),
    "question": text("The question in plain words", source="study.toml"),
    "population": text("Table whose rows are modelled", source="study.toml"),
    "outcome": text("Column that is modelled", source="study.toml"),
    "formula": text("The model in lme4's syntax", source="study.toml"),
    "link": text("Link of the model", ("identity", *LINK_NAMES), "study.toml"),
    "engine": text("What fitted the model"),
    "status": text("How the fit ended; no estimate may be read without it", FIT_STATUSES),
    "model_fits.reason": text("Why, where the fit is not converged; empty otherwise"),
    "model_fits.n_rows": count("Rows in the fit", "rows", "BIGINT"),
    "n_missing": count("Rows left out because the outcome or a term is empty", "rows", "BIGINT"),
    "model_fits.n_clients": count("Clients in the fit", "clients", "BIGINT"),
    "model_fits.n_therapists": count("Therapists in the fit", "therapists", "BIGINT"),
    "log_likelihood": number("Maximised (restricted) log-likelihood; empty where the fit has none"),
    "aic": number("Akaike's information criterion; empty where the fit has none"),
    "bic": number("Schwarz's information criterion; empty where the fit has none"),
    "variant": text("`main`, or what was done differently"),
    "term": text("Term of the model"),
    "term_2": text("Second term of the pair; empty for a variance"),
    "estimate": number("Estimate, on the scale of the outcome or its link"),
    "std_error": number("Standard error of the estimate", "0 or more"),
    "df_denom": number("Degrees of freedom; empty for a normal reference", "0 or more"),
    "p_value": number("Two-sided p of the estimate being 0", "0 to 1"),
    "conf_low": number("Lower end of the 95% interval"),
    "conf_high": number("Upper end of the 95% interval"),
    "group_name": text("Level whose variation this is; `residual` for what is left"),
    "value": number("Standard deviation, or correlation where term_2 is given"),
    "covariance": number("Covariance of the two terms' estimates"),
    "curve": text("Name of the curve"),
    "x_name": text("Column on the horizontal axis"),
    "x": number("Place on the horizontal axis"),
}
