"""The job: tell each therapist with enough clients of the own clients, on a page of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import polars as pl

from outcomes.disclosure import Teller
from outcomes.errors import UsageError
from outcomes.feedback.codes import INDEX, code_of, index_text, key_sha256, read_or_make_key
from outcomes.feedback.figures import Figure, Measure, asked_figure, leaning_figure, mean_figure, span_of
from outcomes.feedback.ledger import add_told, read_told, record_pages
from outcomes.feedback.page import Told, feedback_page
from outcomes.feedback.periods import Period
from outcomes.feedback.private import private_folder, write_index, write_private
from outcomes.feedback.sessions import client_periods, n_clients_beside
from outcomes.feedback.spreads import reaches
from outcomes.languages import read_language, speaking
from outcomes.release.folders import DATABASE, published_id
from outcomes.release.withholding import reason_withheld
from outcomes.report.page.html import html
from outcomes.report.page.pdf import pdf
from outcomes.report.reading.data_cut import last_month
from outcomes.simulate.study import is_simulated
from outcomes.store.warehouse import connect
from outcomes.study import StudyFolder
from outcomes.study.settings import StudySettings

_OFF = "study.toml does not switch pages for single therapists on"
_HOW = 'write [feedback] with enabled = true and consent = "who agreed" (docs/feedback.md)'


@dataclass(frozen=True)
class Written:
    """What one run did.

    Attributes
    ----------
    folder : Path
        Where the pages are.
    n_pages, n_encrypted : int
        Therapists who have one, and those of them whose page is encrypted.
    n_too_few : int
        Therapists with too few clients in the last period that is over, or in all.
    """

    folder: Path
    n_pages: int
    n_encrypted: int
    n_too_few: int

    def as_text(self) -> str:
        """The result for the study's owner."""
        encrypted = f", {self.n_encrypted:,} of them encrypted" if self.n_encrypted else ""
        few = f"\n  {self.n_too_few:,} therapist(s) have no page: too few clients" if self.n_too_few else ""
        return (
            f"Wrote pages for {self.n_pages:,} therapist(s){encrypted} to {self.folder}{few}\n"
            f"  {INDEX} there says whose each is: give each page to its therapist, and to nobody else"
        )


def write_feedback(study: StudyFolder, today: date) -> Written:
    """Write one page, as HTML and PDF, for each therapist with enough clients; call it under the writer lock.

    What is new is written down before any page is; killed at any moment, the next call writes the same pages.

    Parameters
    ----------
    study : StudyFolder
        Its published release is read.
    today : date
        A period is told only once it is over for good.

    Raises
    ------
    UsageError
        If the study file does not switch it on, nothing is published, outcomes are withheld, the study has too few
        therapists, sessions have no dates, or no period is over.
    StorageError
        If what earlier pages told, or the key of their names, is missing or was altered.
    """
    if not study.settings.feedback.enabled:
        raise UsageError(_OFF, _HOW)
    release_id = published_id(study)
    if release_id is None:
        raise UsageError("Nothing is published yet", "run `outcomes refresh`")
    before = read_told(study)
    with connect(study.releases / release_id / DATABASE, read_only=True) as con:
        periods, sessions = _open_periods(con, study.settings, today)
        _refuse_unknown_keys(study.settings, sessions)
        beside = n_clients_beside(con)
    key = read_or_make_key(study, is_first=before.n_lines == 0)
    before.refuse_other(study.settings.feedback.period, key_sha256(key))
    therapists = {code_of(key, one): one for one in beside}
    reach = reaches(sessions, study.settings.disclosure, before.reaches)
    own = {one: sessions.filter(pl.col("therapist_id") == one) for one in beside}
    new = {
        code: _new_figures(own[one], periods, before.figures.get(code, ()), reach, study.settings)
        for code, one in therapists.items()
        if beside[one] >= study.settings.disclosure.minimum_count
    }
    add_told(study, before, new, reach, key_sha256(key))
    told = {code: (*before.figures.get(code, ()), *figures) for code, figures in new.items()}
    current = {code: figures for code, figures in told.items() if any(one.period == periods[-1] for one in figures)}
    language = read_language(study.settings.report.language, study.root)
    folder, written = private_folder(study, release_id), {}
    for code, figures in sorted(current.items()):
        with speaking(language):
            page = feedback_page(Told(figures, study.settings, release_id, is_simulated(study.root)))
            files = {f"{code}.html": html(page).encode(), f"{code}.pdf": pdf(page)}
        written[code] = write_private(folder, files, study.settings.feedback.encrypt_to.get(therapists[code], ""))
    write_index(folder, INDEX, index_text(therapists, written))
    record_pages(study, release_id, len(written))
    n_encrypted = sum(therapists[code] in study.settings.feedback.encrypt_to for code in written)
    return Written(folder, len(written), n_encrypted, len(therapists) - len(written))


def _open_periods(
    con: duckdb.DuckDBPyConnection, settings: StudySettings, today: date
) -> tuple[list[Period], pl.DataFrame]:
    """Return the periods that may be told, oldest first, and the rows that they are made from."""
    if reason := reason_withheld(con):
        raise UsageError(f"No page was written. {reason}", "seal the specification first")
    rule, length = settings.disclosure, settings.feedback.period
    sessions = client_periods(con, length)
    n_therapists = len(n_clients_beside(con))
    if n_therapists < rule.minimum_therapists:
        raise UsageError(
            f"No page was written: the study has fewer than {rule.minimum_therapists} therapists; with a page and the "
            "report, one could work out how the others do",
            "pages wait until more therapists take part ([disclosure] minimum_therapists)",
        )
    if sessions.is_empty():
        raise UsageError("No page was written: sessions have no dates", "a past to compare with needs session_date")
    until, found = last_month(con, Teller(rule)), sorted({Period(start, length) for start in sessions["start"]})
    over = [one for one in found if one.is_over(today, until, settings.feedback.settle_days)]
    if not over:
        raise UsageError(
            f"No page was written: no {length.value.replace('_', ' ')} is over yet and settled",
            "a period is told settle_days after its end, once the data reach its last month",
        )
    return over, sessions


def _refuse_unknown_keys(settings: StudySettings, sessions: pl.DataFrame) -> None:
    unknown = settings.feedback.encrypt_to.keys() - set(sessions["therapist_id"])
    if unknown:
        raise UsageError(
            f"{len(unknown)} name(s) in [feedback] encrypt_to belong to no therapist of the published release",
            "their pages would be written in plain: mend the names",
        )


def _new_figures(
    sessions: pl.DataFrame,
    periods: list[Period],
    before: tuple[Figure, ...],
    reach: Mapping[Measure, float],
    settings: StudySettings,
) -> tuple[Figure, ...]:
    """What one therapist is told for the first time; `sessions` are the own ones."""
    done = {(one.measure, one.period) for one in before}
    made = [
        figure
        for period in periods
        for figure in _figures(sessions.filter(pl.col("start") == period.start), period, reach, settings)
        if (figure.measure, figure.period) not in done
    ]
    return tuple(made)


def _figures(
    rows: pl.DataFrame, period: Period, reach: Mapping[Measure, float], settings: StudySettings
) -> list[Figure]:
    """All of one period that may be told."""
    rule, least, scales = settings.disclosure, settings.feedback.minimum_clients, settings.scales
    found: list[Figure | None] = []

    def mean(measure: Measure, ends: tuple[float, float]) -> Figure | None:
        means = rows[measure.value].drop_nulls().to_list()
        return mean_figure(measure, period, means, ends, reach.get(measure), rule, least)

    if rating := scales.get("satisfaction"):
        found.append(mean(Measure.SATISFACTION, (rating.minimum, rating.maximum)))
    if (guidance := scales.get("directiveness")) and (distance := mean(Measure.DISTANCE, (0.0, span_of(guidance)))):
        leanings = rows["leaning"].drop_nulls().to_list()
        found += [distance, leaning_figure(period, leanings, reach.get(Measure.LEANING), rule, least)]
    counted = rows.filter(pl.col("asked") + pl.col("not_asked") > 0)
    shares = (counted["asked"] / (counted["asked"] + counted["not_asked"])).to_list()
    n_sessions = (int(counted["asked"].sum()), int(counted["not_asked"].sum()))
    found.append(asked_figure(period, shares, n_sessions, reach.get(Measure.ASKED), rule, least))
    return [one for one in found if one]
