"""Every column of the tables that the answers write, one dict a table, in the tables' order."""

from __future__ import annotations

from outcomes.release.result_columns import FIT_STATUSES
from outcomes.release.vocabulary import ColumnText, count, flag, number, text

NUMBERS: dict[str, ColumnText] = {
    "estimate": number("Estimate, in the unit that the row says; empty where refused or where the row is a joint test"),
    "std_error": number("Standard error of the estimate; empty where there is none"),
    "p_value": number("Two-sided p-value against no effect", "0 to 1"),
    "conf_low": number("Lower end of the 95% interval, in the estimate's unit"),
    "conf_high": number("Upper end of the 95% interval, in the estimate's unit"),
    "status": text("How the fit behind the row ended", FIT_STATUSES),
    "reason": text("What a reader must know of the fit; why it was refused"),
    "n_sessions": count("Sessions behind the fit; empty where refused", "sessions", "BIGINT"),
    "n_clients": count("Clients behind the fit; empty where refused", "clients", "BIGINT"),
    "n_therapists": count("Therapists behind the fit; empty where refused", "therapists", "BIGINT"),
}
"""The last columns of every table of estimates."""

GUIDANCE_EFFECTS: dict[str, ColumnText] = {
    "question": text(
        "What is estimated: slopes and their differences are points of satisfaction per point of directiveness; "
        "'satisfaction to next guidance' is points of directiveness per point of satisfaction",
        (
            "slope",
            "contextual effect",
            "slope corrected for unreliable means",
            "guidance to next satisfaction",
            "satisfaction to next guidance",
        ),
    ),
    "part": text("Between whom or when: within client, between clients, between therapists, or a difference of these"),
    "model": text("Which levels and random slopes the model has"),
    "is_quoted": flag("Whether a report should quote this row; the others stand beside it as sensitivity"),
    "mean_reliability": number(
        "Mean reliability of clients' average directiveness; only beside the corrected slope", "0 to 1"
    ),
    **NUMBERS,
}

ANSWER_TABLES: dict[str, tuple[str, dict[str, ColumnText]]] = {
    "guidance_effects": ("One effect of guidance on satisfaction, or the reverse, from one model", GUIDANCE_EFFECTS),
}
"""Table: what one row is, and its columns."""
