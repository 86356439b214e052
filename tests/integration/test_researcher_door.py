"""The researcher's door: ten tasks, page by page, and what the door promises."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from operations_page import ROOT, parsed

import outcomes
from outcomes.errors import OutcomesError, UsageError
from outcomes.release import publish

TASKS = (ROOT / "docs/researcher-tasks.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(python|sh)\n(.*?)^```", TASKS, re.MULTILINE | re.DOTALL)


@pytest.fixture
def study(my_study):
    with outcomes.open(my_study.root) as opened:
        yield opened


@pytest.fixture
def run_command(request):
    """The command line; its fixture bears the package's name, which this file needs itself."""
    return request.getfixturevalue("outcomes")


def test_the_ten_tasks_are_done_as_the_page_says(my_study, monkeypatch, capsys):
    monkeypatch.chdir(my_study.root.parent)
    monkeypatch.setenv("COLUMNS", "120")
    assert re.findall(r"^## (\d+)\.", TASKS, re.MULTILINE) == [str(n) for n in range(1, 11)]
    cells: dict[str, object] = {}
    for kind, block in BLOCKS:
        if kind == "python":
            exec(compile(block, "docs/researcher-tasks.md", "exec"), cells)
            continue
        for line in block.splitlines():
            arguments, environment = parsed(line, dict(os.environ))
            run = subprocess.run(arguments, env=environment, capture_output=True, text=True)
            assert run.returncode == 0, (line, run.stderr)
    cells["study"].close()
    printed = capsys.readouterr().out
    assert "published" in printed
    assert "Read from mart_sessions" in printed
    written = {path.name for path in Path(".").iterdir()}
    assert {"verdicts.parquet", "surface.svg", "curve.png", "for-r", "for-spss", "for-anyone"} <= written


def test_importing_takes_nothing_along_and_shows_what_there_is():
    code = (
        "import sys, outcomes; print(*dir(outcomes));"
        "assert not {'duckdb', 'polars', 'numpy', 'altair', 'pandas'} & set(sys.modules), sorted(sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert {"open", "Study", "Release"} <= set(run.stdout.split())


def test_all_that_the_door_gives_is_documented_and_typed():
    from outcomes.door.fit_plots import FitPlots
    from outcomes.door.fits import OwnFit
    from outcomes.door.plots import ReleasePlots
    from outcomes.door.release import Release
    from outcomes.door.study import Study

    for kind in (Study, Release, OwnFit, ReleasePlots, FitPlots):
        for name, found in vars(kind).items():
            function = getattr(found, "fget", None) or getattr(found, "func", found)
            if not name.startswith("_") and callable(function):
                assert function.__doc__, f"{kind.__name__}.{name}"
                assert "return" in function.__annotations__, f"{kind.__name__}.{name}"


def test_a_declared_model_comes_out_the_same_by_the_door(study):
    for model, formula in study.sql("select model, formula from model_specs where kind = 'linear'").fetchall():
        own = study.fit(formula)
        kept = study.estimates.filter(model=model, variant="main")
        fit = study.table("model_fits").pl().filter(model=model).to_dicts()[0]
        assert own.estimates["estimate"].to_numpy() == pytest.approx(kept["estimate"].to_numpy(), rel=1e-6)
        assert (own.fit.nobs, own.left_out["n_clients"][-1]) == (fit["n_rows"], fit["n_clients"])


def test_the_participant_flow_agrees_with_the_models_to_the_row(study):
    flow = study.latest.flow.drop_nulls("model")
    fits = study.table("model_fits").pl()
    assert set(flow["model"]) == set(fits["model"])
    assert "refused" in set(fits["status"])
    for fit in fits.to_dicts():
        steps = flow.filter(model=fit["model"]).sort("step_number")
        assert steps["n_sessions"][-1] == fit["n_rows"]
        assert steps["n_sessions"][0] - steps["n_sessions_excluded"].sum() == fit["n_rows"]


def test_left_out_rows_are_counted_by_the_column_that_they_lack(study):
    own = study.fit("satisfaction ~ directiveness_within + age_band + (1 | client_id)")
    assert own.table == "mart_sessions"
    assert own.left_out["n_sessions"][-1] == own.fit.nobs == own.rows.height
    lacking = study.sql(
        "select count(*) filter (satisfaction_score is null), "
        "count(*) filter (satisfaction_score is not null and directiveness_within is null) from mart_sessions"
    ).fetchall()[0]
    assert tuple(own.left_out["n_sessions_excluded"][1:3]) == lacking
    assert abs(own.rows["residual"].mean()) < 0.01


def test_a_model_of_dropout_finds_its_risk_set_and_is_binomial(study):
    own = study.fit("dropout ~ directiveness_so_far + session_1 + (1 | therapist_id)")
    assert own.table == "mart_person_session"
    assert own.rows["fitted"].is_between(0, 1).all()
    with pytest.raises(UsageError, match="not normal"):
        own.plot.qq()


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("satisfaction ~ directivness_within + (1 | client_id)", "directiveness_within"),
        ("satisfaction", "no ~"),
        ("satisfaction ~ nothing + nowhere + (1 | client_id)", "nothing, nowhere"),
    ],
)
def test_a_formula_that_cannot_be_fitted_is_refused_with_what_to_try(study, formula, words):
    with pytest.raises(OutcomesError) as refused:
        study.fit(formula)
    assert words in str(refused.value)


def test_a_model_of_episodes_finds_them(study):
    own = study.fit("dropout ~ directiveness_mean + (1 | therapist_id)")
    assert own.table == "mart_episodes"
    n = study.sql("select count(*) from mart_episodes where is_dropout + directiveness_mean is not null").fetchall()
    assert [(own.fit.nobs,)] == n


def test_a_release_of_an_earlier_version_is_read_as_far_as_it_goes(my_study):
    import duckdb

    with duckdb.connect(str((my_study.current / "outcomes.duckdb").resolve())) as con:
        for made in ("view mart_sessions", "view mart_episodes", "table model_flow", "table surface_grid"):
            con.execute(f"drop {made}")
            con.execute("delete from codebook where table_name = ?", [made.split()[1]])
    with outcomes.open(my_study.root) as study:
        assert study.fit("satisfaction ~ directiveness_within + (1 | client_id)").table == "mart_session_directiveness"
        assert study.latest.flow["model"].null_count() == study.latest.flow.height == 11
        gone = study.compare(study.releases[0].release_id).definitions.filter(after="gone")["name"].to_list()
        assert gone == ["mart_episodes", "mart_sessions", "model_flow", "surface_grid"]
        with pytest.raises(UsageError, match="earlier version"):
            study.plot.surface()


def test_a_table_that_is_not_there_or_counts_nobody_is_refused(study):
    with pytest.raises(UsageError, match="mart_sessions"):
        study.fit("satisfaction ~ directiveness + (1 | client_id)", table="mart_session")
    with pytest.raises(UsageError, match="could not be counted"):
        study.fit("satisfaction_mean ~ reactance + (1 | client_id)", table="mart_clients")


def test_the_surface_of_ones_own_fit_is_its_prediction(study):
    own = study.fit("satisfaction ~ directiveness * directiveness_preferred + (1 | client_id) + (1 | therapist_id)")
    surface = own.surface(steps=4)
    b = dict(zip(own.fit.names, own.fit.beta, strict=True))
    x, y = surface["x"].to_numpy(), surface["y"].to_numpy()
    product = next(value for name, value in b.items() if ":" in name)
    height = b["(Intercept)"] + b["directiveness_score"] * x + b["directiveness_preferred_score"] * y + product * x * y
    assert surface["estimate"].to_numpy() == pytest.approx(height)
    assert surface["n_rows"].sum() > 0.7 * own.fit.nobs


def drawn_rows(chart) -> list[int]:
    """Rows of data behind each layer of a picture."""
    found = chart.to_dict()

    def walk(part: dict, data: dict | None) -> list[int]:
        data = part.get("data", data)
        inner = [*part.get("layer", ()), *part.get("vconcat", ())]
        if inner:
            return [n for one in inner for n in walk(one, data)]
        return [len(found["datasets"][data["name"]]) if data else 0]

    return walk(found, None)


def test_every_layer_of_every_picture_has_its_data(study):
    own = study.fit("satisfaction ~ directiveness + directiveness_preferred + (1 | client_id)")
    plot = study.plot
    charts = [
        plot.surface(), plot.surface(level="client"), plot.satisfaction_curve(), plot.flow(), own.plot.residuals(),
        own.plot.qq(), own.plot.curve("directiveness_score"), own.plot.surface(),
    ]  # fmt: skip
    for chart in charts:
        assert min(drawn_rows(chart)) > 0
        assert chart.to_json()


def test_a_picture_that_cannot_be_drawn_says_why(study):
    with pytest.raises(UsageError, match="too few dropouts"):
        study.plot.dropout()
    with pytest.raises(UsageError, match="left out"):
        study.plot.multiverse()
    with pytest.raises(UsageError, match="no surface"):
        study.plot.surface("dropout", "client")


def test_pictures_of_dropout_and_multiverse_draw_what_the_tables_hold(my_study):
    database = (my_study.current / "outcomes.duckdb").resolve()
    plant_curves_and_specs(database)
    with outcomes.open(my_study.root) as study:
        assert min(drawn_rows(study.plot.dropout())) == 6
        assert drawn_rows(study.plot.multiverse())[0] == 3


def plant_curves_and_specs(database: Path) -> None:
    import duckdb

    with duckdb.connect(str(database)) as con:
        con.executemany(
            "insert into model_curves values ('dropout', ?, 'directiveness_so_far', ?, 0.2, 0.1, 0.3, 'converged')",
            [(f"dropout_by_session_{t}", x) for t in (3, 8) for x in (2.0, 4.0, 6.0)],
        )
        con.executemany(
            "insert into multiverse_specs (spec, unit, lag, structure, estimate, conf_low, conf_high, status) "
            "values (?, 'points', 'same session', ?, ?, 0.0, 0.5, 'converged')",
            [("s1", "two levels", 0.1), ("s2", "three levels", 0.3), ("s3", "two levels", 0.2)],
        )


def test_a_path_inside_releases_is_understood(my_study):
    first, second = (one.release_id for one in outcomes.open(my_study.root).releases)
    for place, expected in {
        my_study.releases / first: first,
        my_study.releases / first / "outcomes.duckdb": first,
        my_study.current: second,
        my_study.database: second,
        my_study.inbox: second,
    }.items():
        with outcomes.open(place) as study:
            assert study.sql("select release_id from release").fetchall() == [(expected,)]


def test_no_command_answers_a_path_inside_the_study_with_init(my_study, run_command):
    first = outcomes.open(my_study.root).releases[0].release_id
    asked = run_command("query", my_study.releases / first, "select release_id from release", "--format", "csv")
    assert asked.stdout.split() == ["release_id", first]
    status = run_command("status", my_study.releases / first)
    assert status.returncode == 2
    assert f"give the study's folder: {my_study.root}" in status.stderr
    assert "init" not in status.stderr
    unfinished = run_command("query", my_study.releases / ".candidate-0123456789ab", "select 1")
    assert "init" not in unfinished.stderr
    assert "outcomes refresh" in unfinished.stderr


@pytest.mark.parametrize("ask", [
    lambda study: outcomes.open(None),
    lambda study: study.sql(None),
    lambda study: study.codebook(3),
    lambda study: study.fit(None),
    lambda study: study.release(None),
    lambda study: study.compare(7),
])  # fmt: skip
def test_what_is_no_text_is_refused_in_words(study, ask):
    with pytest.raises(UsageError, match="is a text in quotes, and this is a "):
        ask(study)


@pytest.mark.parametrize("writing", ["copy mart_clients to '{}'", "select 1; export database '{}'"])
def test_a_question_writes_no_file(study, tmp_path, writing):
    with pytest.raises(UsageError, match="writes files"):
        study.sql(writing.format(tmp_path / "mine"))
    assert not (tmp_path / "mine").exists()


def test_the_door_reads_only_and_holds_nobody_up(study):
    with pytest.raises(UsageError):
        study.sql("create table mine as select 1 as x")
    with pytest.raises(UsageError):
        study.sql("delete from mart_clients")
    first, second = (one.release_id for one in study.releases)
    asked = study.sql("select release_id from release")
    publish(study.folder, first)  # while the other one is open
    assert asked.fetchall() == [(second,)]
    with outcomes.open(study.root) as later:
        assert later.latest.release_id == first


def test_an_answer_that_was_not_read_to_its_end_blocks_nothing(study):
    reader = study.sql("select * from mart_sessions").arrow()
    rows = study.sql("select count(*) from mart_sessions").fetchall()[0][0]
    assert study.fit("satisfaction ~ directiveness_within + (1 | client_id)").fit.nobs > 1_000
    assert reader.read_all().num_rows == rows


def test_a_closed_study_holds_no_file(my_study):
    with outcomes.open(my_study.root) as study:
        study.sql("select 1").fetchall()
        assert held(my_study.releases)
    assert not held(my_study.releases)


def test_a_release_without_contrasts_says_so(my_study):
    import duckdb

    with duckdb.connect(str((my_study.current / "outcomes.duckdb").resolve())) as con:
        con.execute("delete from codebook where starts_with(table_name, 'contrasts_')")
    with outcomes.open(my_study.root) as study, pytest.raises(UsageError, match="no contrasts"):
        _ = study.contrasts


def test_contrasts_of_all_tables_stand_in_one(my_study):
    import duckdb

    with duckdb.connect(str((my_study.current / "outcomes.duckdb").resolve())) as con:
        for name, unit in (("contrasts_planted", "points"), ("contrasts_other", "sessions")):
            con.execute(f"create table {name} as select 0.5 as estimate, '{unit}' as unit")
            con.execute(f"insert into codebook (table_name, type) values ('{name}', 'TABLE')")
    with outcomes.open(my_study.root) as study:
        found = study.contrasts.filter(pl.col("table_name").is_in(["contrasts_planted", "contrasts_other"]))
        assert sorted(found.select("table_name", "unit").rows()) == [
            ("contrasts_other", "sessions"), ("contrasts_planted", "points"),
        ]  # fmt: skip


def held(folder: Path) -> list[str]:
    files = []
    for link in Path("/proc/self/fd").iterdir():
        try:
            files.append(os.readlink(link))
        except FileNotFoundError:  # the listing's own
            continue
    return [name for name in files if name.startswith(str(folder))]


def test_what_is_there_is_shown_as_text_and_as_html(study):
    own = study.fit("satisfaction ~ directiveness_within + (1 | client_id)")
    shown = [study, study.releases, study.latest, own, study.compare(study.releases[0].release_id)]
    for one in shown:
        assert study.latest.release_id in f"{one}{study!r}"
        assert one._repr_html_().startswith("<")
    assert "mart_session_directiveness" in str(own)


def test_words_for_a_column_are_found_by_column_table_or_both(study):
    assert set(study.codebook("directiveness_within")["table_name"]) == {"mart_sessions", "mart_session_directiveness"}
    assert study.codebook("mart_episodes").height > 15
    assert study.codebook("mart_episodes.is_dropout").height == 1
    with pytest.raises(UsageError, match="directiveness_within"):
        study.codebook("directivenes_within")
    with pytest.raises(UsageError, match="mart_sessions"):
        study.table("mart_session")


def test_before_the_first_release_the_remedy_is_said(tmp_path):
    from outcomes.study import create_study

    study = outcomes.open(create_study(tmp_path / "s").root)
    assert "nothing published" in repr(study)
    with pytest.raises(UsageError, match="outcomes refresh"):
        study.sql("select 1")
    with pytest.raises(UsageError):
        outcomes.open(tmp_path / "nowhere")


def test_open_findings_stand_before_passed_checks(study):
    statuses = study.checks["status"].to_list()
    is_open = np.array([status in ("failed", "error") for status in statuses])
    assert list(is_open) == sorted(is_open, reverse=True)
    assert isinstance(study.checks, pl.DataFrame)
