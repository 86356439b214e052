"""Sessions for the multiverse: one pair of ratings at a time, with everything that any specification reads."""

from __future__ import annotations

import duckdb

from outcomes.contract import SCORE
from outcomes.store.warehouse import sql_table
from outcomes.study.settings import StudySettings


def ratings(settings: StudySettings, construct: str) -> tuple[str, ...]:
    """Scales that measure a construct, the contract's own first."""
    return construct, *(name for name in settings.extra_scales if settings.scales[name].measures == construct)


def session_table(
    con: duckdb.DuckDBPyConnection,
    settings: StudySettings,
    satisfaction: str = "satisfaction",
    directiveness: str = "directiveness",
) -> duckdb.DuckDBPyRelation:
    """Attended sessions of the cohort with a rating of guidance, as a temporary table.

    Parameters
    ----------
    con : connection
    settings : StudySettings
        The ranges of the scales.
    satisfaction, directiveness : str
        Scales that measure them, from `ratings`; another scale is stretched onto the range of the construct's own.

    Returns
    -------
    relation
        client_id, therapist_id, episode_id, y, d, y_next, y_first, d_first, within, within_next (departure from the
        client's mean), client_mean; client and therapist (each client of a therapist counts once),
        client_by_sessions and therapist_by_sessions (each session does); session, log_session; severity, preference;
        n_sessions (rated ones of the client), n_therapists (of the client). Next ratings are empty at a change of
        therapist and at the end of the episode; first ones in the first rated session.
    """
    y = _scale_parameters(settings, "satisfaction", satisfaction)
    d = _scale_parameters(settings, "directiveness", directiveness)
    parameters = {f"{name}_{part}": value for name, parts in (("y", y), ("d", d)) for part, value in parts.items()}
    return sql_table(con, "answers/answer_multiverse_sessions", **parameters)


def _scale_parameters(settings: StudySettings, construct: str, scale: str) -> dict[str, str | float | None]:
    """Say which column is read and how it is laid onto the range of the construct's own; that one stays as it is."""
    column = f"^{scale}{SCORE}$"
    if scale == construct:
        return {"column": column} | dict.fromkeys(("start", "minimum", "stretch"))
    own, other = settings.scales[construct], settings.scales[scale]
    stretch = (own.maximum - own.minimum) / (other.maximum - other.minimum)
    return {"column": column, "start": own.minimum, "minimum": other.minimum, "stretch": stretch}


def clients(rows: duckdb.DuckDBPyRelation) -> dict[str, tuple[int, int]]:
    """Each client's number of rated sessions and of therapists."""
    found = rows.aggregate("client_id, any_value(n_sessions), any_value(n_therapists)", "client_id").fetchall()
    return {client: (n_sessions, n_therapists) for client, n_sessions, n_therapists in found}
