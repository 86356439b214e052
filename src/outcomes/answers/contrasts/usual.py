"""What the sessions so far tell of a client's usual guidance, without knowing the future."""

from __future__ import annotations

import math

import polars as pl


def with_usual(rows: pl.DataFrame) -> pl.DataFrame:
    """Add the therapist's mean guidance and the client's own level above it.

    `client_usual` is the best linear prediction from the n sessions before, (sum of their departures from the
    therapist's mean) / (n + k), k the ratio of the variances within and between clients; 0 in the first session. The
    raw mean of few sessions holds part of the departures. `client_usual_whole` is the same from all sessions.

    Parameters
    ----------
    rows : pl.DataFrame
        One rated session a row: client_id, therapist_id, d (guidance), n_before and sum_before (number and sum of the
        guidance in rated sessions of the episode before).

    Returns
    -------
    pl.DataFrame
        With therapist_mean, client_usual and client_usual_whole, in points.
    """
    rows = rows.with_columns(
        therapist_mean=pl.col("d").mean().over("therapist_id"),
        of_client=pl.col("d").mean().over("client_id"),
        n=pl.len().over("client_id"),
    )
    clients = rows.unique("client_id", keep="first", maintain_order=True)
    within = ((rows["d"] - rows["of_client"]) ** 2).sum() / max(rows.height - clients.height, 1)
    spread = (clients["of_client"] - clients["therapist_mean"]).var() or 0.0
    between = max(spread - within * (1 / clients["n"]).mean(), 0.0)
    k = within / between if between > 0 else math.inf
    before = pl.col("sum_before") - pl.col("n_before") * pl.col("therapist_mean")
    whole = pl.col("n") * (pl.col("of_client") - pl.col("therapist_mean"))
    return rows.with_columns(
        client_usual=before / (pl.col("n_before") + k), client_usual_whole=whole / (pl.col("n") + k)
    ).drop("of_client", "n")
