"""A therapist's page: short, easy to read, right, and honest about what it does not say."""

from __future__ import annotations

import dataclasses
import io
import re
from datetime import date

import numpy as np
import polars as pl
import pypdf
import pytest
import statsmodels.formula.api as smf
from feedback_worlds import ME, pages, written
from page_text import visible_text
from reading_ease import blocks, flesch, n_words
from scipy import stats

from outcomes.feedback.figures import Figure, Measure, Said
from outcomes.feedback.page import Told, feedback_page
from outcomes.feedback.periods import Period
from outcomes.report.page.html import html
from outcomes.report.page.pdf import pdf
from outcomes.study.tables.feedback import PeriodLength

PERIODS = [Period(date(year, month, 1), PeriodLength.HALF_YEAR) for year in (2022, 2023, 2024) for month in (1, 7)]


def figures(now=6.0, before=7.5, said=Said.NUMBER, n=6):
    """What a therapist was told of so many half-years: all as before, but the last."""
    made = []
    for place, period in enumerate(PERIODS[-n:]):
        level = now if place == n - 1 else before
        made += [
            Figure(Measure.SATISFACTION, period, Said.NUMBER, level, level - 0.4, level + 0.4, 15),
            Figure(Measure.DISTANCE, period, Said.NUMBER, 8 - level, 7.7 - level, 8.3 - level, 15),
            Figure(Measure.LEANING, period, Said.MORE, None, None, None, 15),
            Figure(Measure.ASKED, period, said, *((0.3, 0.2, 0.4) if said is Said.NUMBER else (None,) * 3), 15),
        ]
    return tuple(made)


@pytest.fixture
def told(world):
    return Told(figures(), world.study.settings, "0123456789ab", is_simulated=False)


def with_figures(told, **how):
    return visible_text(html(feedback_page(dataclasses.replace(told, figures=figures(**how)))))


def test_numbers_are_those_of_the_sessions(world, rows):
    text = visible_text(written(world)[ME])
    period = pl.date(pl.col("session_date").dt.year(), (pl.col("session_date").dt.month() - 1) // 6 * 6 + 1, 1)
    distance = (pl.col("directiveness_score") - pl.col("directiveness_preferred_score")).abs()
    clients = rows.group_by("therapist_id", "client_id", period.alias("half")).agg(
        satisfaction=pl.col("satisfaction_score").mean(), distance=distance.mean(),
        asked=pl.col("is_asked_about_guidance").mean(),
    )  # fmt: skip
    mine = clients.filter(pl.col("therapist_id") == ME, pl.col("half") == date(2024, 7, 1))
    group = pl.concat_str("therapist_id", pl.col("half").cast(pl.String)).alias("own")
    for name, times, digits, suffix in (("satisfaction", 1, 1, ""), ("distance", 1, 1, ""), ("asked", 100, 0, "%")):
        fit = smf.ols(f"{name} ~ C(own)", clients.with_columns(group).to_pandas()).fit()
        half = stats.t.ppf(0.975, fit.df_resid) * np.sqrt(fit.mse_resid) / np.sqrt(13)  # 15 stands for 13 or more
        value = times * mine[name].mean()
        found = re.search(rf"{value:.{digits}f}{suffix} \((\d[.\d]*){suffix} to (\d[.\d]*){suffix}\)", text)
        assert found, (name, value, text)
        assert abs(float(found[1]) - (value - times * half)) <= 2 * 10.0**-digits
        assert abs(float(found[2]) - (value + times * half)) <= 2 * 10.0**-digits


@pytest.mark.parametrize("n", [1, 2, 6])
def test_it_fits_one_printed_page_and_few_words(told, n):
    page = feedback_page(dataclasses.replace(told, figures=figures(n=n)))
    assert len(pypdf.PdfReader(io.BytesIO(pdf(page))).pages) == 1
    assert n_words(html(page)) <= 350


def test_it_reads_easily_and_has_no_table(told):
    page = html(feedback_page(told))
    assert flesch(page) >= 70
    tags = blocks(page).tags
    assert tags.count("table") == 0
    assert tags.count("figure") == 1


def test_it_has_no_rank_and_no_other_therapist(told):
    text = with_figures(told).lower()
    for word in ("percentile", "quartile", "better than", "worse than", "other therapists", "benchmark", "place"):
        assert word not in text
    assert "does not rank you" in text


@pytest.mark.parametrize(
    ("now", "words"),
    [(9.0, "was probably higher than before"), (6.0, "was probably lower than before"),
     (7.6, "was about as before"), (7.0, "may have changed or not: we cannot tell")],
)  # fmt: skip
def test_words_are_bound_to_the_interval_of_the_change(told, now, words):
    said = with_figures(told, now=now, before=7.5)
    assert f"Your clients' rating of their sessions {words}." in said


def test_words_stand_for_shares_that_are_not_told(told):
    assert "asked in fewer than 10 of sessions" in with_figures(told, said=Said.FEW)


def test_simulated_data_are_said_to_be_simulated(told):
    page = feedback_page(dataclasses.replace(told, is_simulated=True))
    assert page.file_title.startswith("Simulated data: ")
    assert visible_text(html(page)).count("Simulated data.") == 1
    assert not feedback_page(told).file_title.startswith("Simulated")


def test_there_is_exactly_one_question(told):
    page = feedback_page(told)
    (section,) = (one for one in page.sections if one.name == "supervision")
    assert len(section.blocks) == 1
    assert str(section.blocks[0].words).count("?") == 1


def test_a_page_needs_neither_script_nor_network(told):
    page = html(feedback_page(told))
    assert "<script" not in page
    assert re.findall(r"https?://", page) == []


def test_the_same_study_has_the_same_pages_again(world):
    first = written(world)
    assert written(world) == first == pages(world)
