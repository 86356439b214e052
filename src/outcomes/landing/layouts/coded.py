"""Coded sessions: one row an utterance with its code by one coder; a session's directiveness is a share of codes."""

from __future__ import annotations

import numpy as np
import polars as pl

from outcomes.contract import Kind, LeftOut, Refusal, Rule
from outcomes.errors import StudyError
from outcomes.landing.layouts.base import Export, Layout, Table, Tidy
from outcomes.landing.layouts.dropping import is_dropped
from outcomes.landing.layouts.long_rows import column_of, repeats, session_columns, setting_aside
from outcomes.landing.layouts.opened import opening
from outcomes.landing.layouts.plain import own_columns
from outcomes.landing.refusal import FileRefused, counted, listed
from outcomes.landing.rules.columns import normal
from outcomes.scoring.agreement import Agreement, cohens_kappa, krippendorffs_alpha, reliability_of_means
from outcomes.study.tables.layouts import LayoutName

RATING = "directiveness"
_DIRECTIVE, _LINE, _SHARE = "\0directive", "\0line", "\0share"  # no file's column has such a name
_LONGEST_CODE = 40  # characters with blanks between: what is longer is what somebody said
_SHARES = (1, 100)  # what a share of 1 may be called on the scale


def open_coded(export: Export) -> Table:
    """Open the table; refuse a transcript, and set aside what stands twice or has an unknown code.

    Raises
    ------
    FileRefused
        If it lacks a column, or a column of it, dropped or not, holds what was said.
    """
    table = opening.open_table(export)
    _refuse_transcript(table)
    code, coder, utterance = _columns(table, export)
    if not table.frame.height:
        return table
    keys = session_columns(table, export, {code, coder, utterance})
    meaning = _meaning(export)
    broken = repeats(table, [*keys, coder, utterance], code)
    for place, one in enumerate(table.frame[code].map_elements(normal, return_dtype=pl.String)):
        if one not in meaning:
            broken.setdefault(place, Rule.UNKNOWN_CODE)
    return setting_aside(table, broken)


def arrange(table: Table, export: Export, kind: Kind) -> Tidy:
    """Give each session the share of its counted utterances that are directive, as the mean over its coders.

    Raises
    ------
    StudyError
        If the scale is none on which a share can stand.
    """
    if kind is not Kind.SESSIONS:
        raise StudyError(f"[sources.{kind}] is coded, but only sessions are", "read it as [sources.sessions]")
    scale = export.settings.scales.get(RATING)
    if scale is None or scale.minimum != 0 or scale.maximum not in _SHARES:
        raise StudyError(
            "The directiveness of coded sessions is a share of codes, and study.toml declares no scale for a share",
            f'declare [scales.{RATING}] with minimum = 0, maximum = 1 (or 100) and rater = "observer"',
        )
    code, coder, utterance = _columns(table, export)
    keys = session_columns(table, export, {code, coder, utterance})
    meaning = _meaning(export)
    rows = table.frame.select(
        *keys, coder, utterance,
        pl.col(code).map_elements(lambda one: meaning[normal(one)], return_dtype=pl.Float64, skip_nulls=False)
        .alias(_DIRECTIVE),
    ).with_columns(pl.Series(_LINE, table.lines))  # fmt: skip
    by_coder = rows.group_by([*keys, coder], maintain_order=True).agg(pl.col(_DIRECTIVE).mean().alias(_SHARE))
    sessions = rows.group_by(keys, maintain_order=True).agg(pl.col(_LINE).min()).join(
        by_coder.group_by(keys).agg(pl.col(_SHARE).mean()), on=keys, how="left", nulls_equal=True, maintain_order="left"
    )  # fmt: skip
    mark = export.source(kind).decimal_mark
    share = (pl.col(_SHARE) * scale.maximum).round(6).cast(pl.String).str.replace(".", mark, literal=True)
    column = export.source(kind).columns.get(RATING, RATING)
    agreement = _agreement(rows.filter(pl.col(_DIRECTIVE).is_not_null()), by_coder, keys, coder, utterance)
    return Tidy(
        sessions.select(*keys, share.fill_null("").alias(column)), sessions[_LINE].to_numpy().astype(np.int64),
        rows.height, {LeftOut.JOINED: rows.height - sessions.height},
        tuple(name for name in table.frame.columns if is_dropped(name, export)),
        (_told(agreement), *_uncounted(rows)), agreement,
    )  # fmt: skip


def _agreement(
    counted_rows: pl.DataFrame, by_coder: pl.DataFrame, keys: list[str], coder: str, utterance: str
) -> Agreement:
    units = _matrix(counted_rows, [*keys, utterance], coder, _DIRECTIVE)
    shares = _matrix(by_coder.filter(pl.col(_SHARE).is_not_null()), keys, coder, _SHARE)
    twice = [int(((~np.isnan(one)).sum(axis=0) > 1).sum()) if one.size else 0 for one in (units, shares)]
    return Agreement(
        RATING, units.shape[0], shares.shape[1], twice[0], twice[1],
        cohens_kappa(units), krippendorffs_alpha(units) if twice[0] else None,
        reliability_of_means(shares) if twice[1] else None,
    )  # fmt: skip


def _matrix(frame: pl.DataFrame, units: list[str], coder: str, value: str) -> np.ndarray:
    """Return coders by units; NaN where a coder did not code a unit."""
    coders, columns = (frame.select(pl.struct(names).rank("dense").cast(pl.Int64) - 1).to_series().to_numpy()
                       for names in ([coder], units))  # fmt: skip
    matrix = np.full((int(coders.max(initial=-1)) + 1, int(columns.max(initial=-1)) + 1), np.nan)
    matrix[coders, columns] = frame[value].to_numpy()
    return matrix


def _told(found: Agreement) -> str:
    who = f"{counted(found.n_coders, 'coder')}, {counted(found.n_sessions, 'session')}"
    if not found.n_utterances_twice:
        return f"{who}: no utterance was coded twice, so nothing is known of the coders' error"
    said = ", ".join(
        f"{what} {'not known' if value is None else f'{value:.2f}'}"
        for what, value in (
            ("Cohen's kappa", found.cohens_kappa), ("Krippendorff's alpha", found.krippendorffs_alpha),
            ("reliability of a session's rating", found.reliability),
        )
    )  # fmt: skip
    return f"{who}; of {counted(found.n_utterances_twice, 'utterance')} coded twice or more: {said}"


def _uncounted(rows: pl.DataFrame) -> tuple[str, ...]:
    n = rows[_DIRECTIVE].null_count()
    return (f"{counted(n, 'utterance has', 'utterances have')} a code that does not count",) if n else ()


def _meaning(export: Export) -> dict[str, float | None]:
    """Return what each code counts: 1 directive, 0 not, None where it does not count."""
    options = export.first.coded
    return (
        {normal(code): 1.0 for code in options.directive}
        | {normal(code): 0.0 for code in options.not_directive}
        | dict.fromkeys(map(normal, options.not_counted))
    )


def _columns(table: Table, export: Export) -> tuple[str, str, str]:
    options = export.first.coded
    return tuple(
        column_of(table, getattr(options, part), f"coded.{part}") for part in ("code", "coder", "utterance")
    )  # fmt: skip


def _refuse_transcript(table: Table) -> None:
    """Refuse what people said: codes are enough, and a transcript identifies them."""
    long = [
        name for name in table.frame.columns
        if table.frame.select(
            ((pl.col(name).str.len_chars() > _LONGEST_CODE) & pl.col(name).str.strip_chars().str.contains(" ")).any()
        ).item()
    ]  # fmt: skip
    if long:
        raise FileRefused(
            Refusal.FREE_TEXT,
            f"{counted(len(long), 'column holds', 'columns hold')} what seems to have been said in the session: "
            f"{listed(long)}",
            "export codes, coders and numbers of utterances only: a transcript must not lie in the inbox",
        )


CODED = Layout(
    LayoutName.CODED, "file of coded sessions", opening.SUFFIXES, open_coded, arrange, own_columns,
    opening.rewrite_table,
)  # fmt: skip
