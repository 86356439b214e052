"""A table cut into files by practice, and the fit of its parts: the same numbers as from all rows together."""

from __future__ import annotations

import duckdb
import numpy as np
import polars as pl
import pytest

from outcomes.errors import DataRefused, FitRefused, FormulaError, StorageError, UsageError
from outcomes.mixed import fit_linear, fit_linear_partitions, read_partitions, write_partitions
from outcomes.mixed.linear.gram import prepare_linear
from outcomes.workers import in_threads

FORMULAS = (
    "y ~ x + (1 | client_id)",
    "y ~ x * m + (1 + x | client_id) + (1 | therapist_id)",
    "y ~ x + f + (1 | client_id) + (1 | therapist_id) + (1 | practice_id)",
    "y ~ 0 + m + x + (1 + x || client_id)",
)


def rows(practices: int = 7, linked: tuple[tuple[int, int], ...] = (), seed: int = 3) -> pl.DataFrame:
    """Sessions of clients in practices of different sizes; each pair of `linked` practices shares a therapist."""
    rng = np.random.default_rng(seed)
    found = []
    for practice in range(practices):
        shared = [f"t-{a}-{b}" for a, b in linked if practice in (a, b)]
        for therapist in range(3 + practice % 3):
            liked = rng.normal(0, 0.6)
            for client in range(6):
                usual, slope, f = rng.normal(0, 1), rng.normal(0.3, 0.3), bool(rng.integers(2))
                for _ in range(rng.integers(3, 9)):
                    x, m = rng.normal(5 + practice, 1), rng.choice(["a", "b", "c"] if practice else ["a", "b"])
                    y = 4 + liked + usual + slope * x + 0.3 * (m == "b") + rng.normal(0, 1)
                    name = dict(enumerate(shared)).get(therapist, f"t-{practice}-{therapist}")
                    found.append((f"p{practice}", name, f"c-{practice}-{therapist}-{client}", x, m, f, y))
    names = ["practice_id", "therapist_id", "client_id", "x", "m", "f", "y"]
    frame = pl.DataFrame(found, schema=names, orient="row")
    return frame.with_columns(y=pl.when(pl.int_range(pl.len()) % 17 == 0).then(None).otherwise(pl.col("y")))


def written(frame: pl.DataFrame, folder, n_parts: int = 3, **options):
    with duckdb.connect() as con:
        con.register("sessions", frame.to_arrow())
        con.execute("create table kept as from sessions")
        return write_partitions(con, "kept", folder, n_parts, **options)


def assert_same(pooled, whole):
    assert pooled.names == whole.names
    np.testing.assert_allclose(pooled.beta, whole.beta, atol=1e-8)
    assert np.all(np.abs(pooled.vcov - whole.vcov) <= 1e-8 * np.outer(whole.bse, whole.bse))
    for ours, theirs in zip(pooled.variances, whole.variances, strict=True):
        np.testing.assert_allclose(ours.cov, theirs.cov, atol=1e-8)
    assert pooled.llf == pytest.approx(whole.llf, abs=1e-8)
    assert pooled.sigma == pytest.approx(whole.sigma, abs=1e-8)
    assert (pooled.nobs, pooled.n_missing, pooled.n_groups) == (whole.nobs, whole.n_missing, whole.n_groups)
    assert pooled.status == whole.status


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("reml", [True, False])
def test_the_fit_of_the_parts_is_the_fit_of_all_rows(tmp_path, formula, reml):
    frame = rows()
    partitions = written(frame, tmp_path / "parts")
    with in_threads() as places:
        fit = fit_linear_partitions(formula, partitions, places, reml=reml)
    assert_same(fit, fit_linear(formula, frame, reml=reml))


def test_weights_and_a_part_without_a_complete_row_are_as_in_all_rows(tmp_path):
    frame = rows().with_columns(w=pl.col("x").abs() + 0.5, y=pl.when(pl.col("practice_id") != "p2").then(pl.col("y")))
    partitions = written(frame, tmp_path / "parts", n_parts=7)
    with in_threads() as places:
        fit = fit_linear_partitions(FORMULAS[1], partitions, places, weights="w")
    assert_same(fit, fit_linear(FORMULAS[1], frame, weights="w"))


def test_practices_that_share_a_therapist_stay_together(tmp_path):
    frame = rows(linked=((0, 1), (1, 4), (2, 3)))
    partitions = written(frame, tmp_path / "parts", n_parts=9)
    assert partitions.n_blocks == len(partitions.n_rows) == 4
    seen = {}
    for part in range(4):
        with partitions.open(part) as relation:
            for practice in relation.pl()["practice_id"].unique():
                assert seen.setdefault(practice, part) == part
    assert seen["p0"] == seen["p1"] == seen["p4"]
    assert seen["p2"] == seen["p3"] != seen["p0"]
    with in_threads() as places:
        fit = fit_linear_partitions(FORMULAS[1], partitions, places)
    assert_same(fit, fit_linear(FORMULAS[1], frame))


def test_no_row_is_lost_in_the_cut_not_even_one_without_a_practice(tmp_path):
    frame = rows().with_columns(practice_id=pl.when(pl.col("practice_id") != "p6").then(pl.col("practice_id")))
    partitions = written(frame, tmp_path / "parts", n_parts=4)
    found = []
    for part in range(len(partitions.n_rows)):
        with partitions.open(part) as relation:
            found.append(relation.pl())
            assert relation.columns == frame.columns
    assert pl.concat(found).sort(frame.columns).equals(frame.sort(frame.columns))
    assert read_partitions(tmp_path / "parts") == partitions


def test_practices_that_are_all_linked_are_refused_in_words(tmp_path):
    linked = tuple((i, i + 1) for i in range(2))
    with pytest.raises(DataRefused, match="link all 3 values to one another"):
        written(rows(practices=3, linked=linked), tmp_path / "parts")
    with pytest.raises(DataRefused, match="one value only"):
        written(rows(practices=1), tmp_path / "parts")
    assert not (tmp_path / "parts").exists()


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("y ~ x + (1 | m)", "groups by m, whose levels may lie in two parts"),
        ("y ~ scale(x) + (1 | client_id)", "must know all rows"),
        ("y ~ z + (1 | client_id)", "no column 'z'"),
    ],
)
def test_what_the_parts_cannot_give_is_refused_by_name(tmp_path, formula, message):
    partitions = written(rows(), tmp_path / "parts")
    with in_threads() as places, pytest.raises(FormulaError, match=message):
        fit_linear_partitions(formula, partitions, places)


def test_parts_that_lost_rows_or_are_not_there_are_refused(tmp_path):
    partitions = written(rows(), tmp_path / "parts")
    first = next((tmp_path / "parts" / "outcomes_part=0").glob("*.parquet"))
    pl.read_parquet(first).head(3).write_parquet(first)
    with in_threads() as places, pytest.raises(StorageError, match="has 3 rows instead of"):
        fit_linear_partitions(FORMULAS[0], partitions, places)
    first.unlink()
    with in_threads() as places, pytest.raises(StorageError, match="cannot be read on this machine"):
        fit_linear_partitions(FORMULAS[0], partitions, places)
    with pytest.raises(StorageError, match="holds no partitions"):
        read_partitions(tmp_path)


def test_a_folder_with_files_is_left_alone_and_a_half_written_one_is_written_anew(tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("kept")
    with pytest.raises(UsageError, match="is not empty"):
        written(rows(), tmp_path / "full")
    (tmp_path / "parts.unfinished" / "outcomes_part=0").mkdir(parents=True)
    (tmp_path / "parts.unfinished" / "outcomes_part=0" / "old.parquet").write_text("of a run that was killed")
    partitions = written(rows(), tmp_path / "parts")
    assert sum(partitions.n_rows) == rows().height
    assert not (tmp_path / "parts.unfinished").exists()


def test_rows_outside_the_given_levels_are_refused_not_fitted_as_the_reference(tmp_path):
    frame = rows()
    given = sorted(frame["m"].unique())[:-1]
    with pytest.raises(FitRefused, match=r"'m' has other levels than the given ones in \d+ rows"):
        prepare_linear(FORMULAS[1], frame, levels={"m": given})
    partitions = written(frame, tmp_path / "parts")
    with in_threads() as places, pytest.raises(FitRefused, match="'m' has other levels than the given ones"):
        fit_linear_partitions(FORMULAS[1], partitions, places, levels={"m": given})
    # rows that take no part anyhow may have any level, and a level that no row has may be given
    less = frame.with_columns(x=pl.when(pl.col("m").is_in(given)).then(pl.col("x")))
    prepare_linear(FORMULAS[1], less, levels={"m": [*given, "elsewhere"]})
