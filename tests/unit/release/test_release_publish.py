"""Publication: together or not at all."""

import os

import duckdb
import pytest
from release_inputs import episodes, finish, land

from outcomes.contract import Kind
from outcomes.errors import ChecksFailed, UsageError
from outcomes.release import (
    build,
    built_candidate,
    candidate_id,
    is_finished,
    publish,
    published_id,
    publishing,
    record_timing,
    summary_markdown,
    timed,
)
from outcomes.store.files import file_sha256, read_json
from outcomes.store.warehouse import connect


def ask(database, sql="select release_id from release"):
    with connect(database, read_only=True) as con:
        return con.execute(sql).fetchone()[0]


def next_candidate(study) -> str:
    """Land one more batch and finish the candidate that follows from it."""
    land(study, Kind.EPISODES, episodes(len(list(study.landed.iterdir()))))
    finish(build(study, candidate_id(study)))
    return candidate_id(study)


def test_a_published_release_is_reached_through_both_links(study, candidate):
    release_id = candidate_id(study)
    folder = publish(study, release_id)
    assert (folder, published_id(study)) == (study.releases / release_id, release_id)
    assert ask(study.database) == ask(study.current / "outcomes.duckdb") == release_id
    assert os.readlink(study.current) == f"releases/{release_id}"
    assert not candidate.exists()


def test_a_moved_study_keeps_its_release(study, candidate, tmp_path):
    publish(study, candidate_id(study))
    study.root.rename(tmp_path / "moved")
    assert ask(tmp_path / "moved" / "outcomes.duckdb")


def test_publishing_twice_changes_nothing(study, candidate):
    folder = publish(study, candidate_id(study))
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    link = study.current.lstat().st_ino
    assert publish(study, candidate_id(study)) == folder
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before
    assert study.current.lstat().st_ino == link


def test_a_release_that_was_finished_before_is_only_pointed_at(study, candidate):
    first = candidate_id(study)
    publish(study, first)
    second = next_candidate(study)
    publish(study, second)
    assert published_id(study) == second
    assert build(study, first) == study.releases / first
    publish(study, first)
    assert published_id(study) == first


@pytest.mark.parametrize(
    ("missing", "step"),
    [
        ("outcomes.duckdb", "build"),
        ("checks.json", "audit"),
        ("fits.json", "fit"),
        ("answers.json", "answer"),
        ("report.html", "report"),
        ("report.pdf", "report"),
        ("brief.html", "report"),
        ("brief-easy.pdf", "report"),
        ("annex.html", "report"),
    ],
)
def test_an_incomplete_candidate_is_not_published_and_the_step_is_named(study, candidate, missing, step):
    (candidate / missing).unlink()
    with pytest.raises(UsageError, match=f"{missing} missing(.|\n)*outcomes {step}"):
        publish(study, candidate_id(study))
    assert published_id(study) is None


@pytest.mark.parametrize("status", ["failed", "error"])
def test_a_fatal_check_leaves_yesterdays_release(study, candidate, status):
    first = candidate_id(study)
    publish(study, first)
    second = next_candidate(study)
    finish(study.releases / f".candidate-{second}", "fatal", status)
    with pytest.raises(ChecksFailed, match="1 fatal check"):
        publish(study, second)
    assert published_id(study) == first
    assert ask(study.database) == first


def test_a_failed_check_that_is_not_fatal_does_not_hold_the_release(study, candidate):
    finish(candidate, "warning", "failed")
    publish(study, candidate_id(study))
    assert published_id(study) == candidate_id(study)


@pytest.mark.parametrize("moment", range(1, 6))
def test_a_kill_between_any_two_steps_leaves_the_old_or_the_new_and_the_next_run_finishes(
    study, candidate, monkeypatch, moment
):
    first = candidate_id(study)
    publish(study, first)
    second = next_candidate(study)
    calls = []

    def killed_at_that_moment(original):
        def run(*arguments, **named):
            calls.append(original)
            if len(calls) == moment:
                raise KeyboardInterrupt
            return original(*arguments, **named)

        return run

    # The five things that publish does to the disk, in their order.
    for name in ("describe", "write_json", "sync_tree", "sync_folder", "swap_symlink"):
        monkeypatch.setattr(publishing, name, killed_at_that_moment(getattr(publishing, name)))
    with pytest.raises(KeyboardInterrupt):
        publish(study, second)
    assert ask(study.database) == ask(study.current / "outcomes.duckdb") == published_id(study) == first
    monkeypatch.undo()
    publish(study, second)
    assert ask(study.database) == published_id(study) == second


def test_the_manifest_accounts_for_inputs_code_rows_timings_and_files(study, candidate):
    record_timing(candidate, "land", 1.23456)
    with timed(study, candidate_id(study), "audit"):
        pass
    folder = publish(study, candidate_id(study))
    manifest = read_json(folder / "manifest.json")
    assert [entry["kind"] for entry in manifest["inputs"]] == ["sessions", "episodes"]
    assert manifest["study_sha256"] == file_sha256(study.settings_path)
    assert manifest["packages"]["duckdb"] == duckdb.__version__
    assert manifest["timings_seconds"]["land"] == 1.235
    assert set(manifest["timings_seconds"]) == {"build", "land", "audit"}
    with connect(folder / "outcomes.duckdb", read_only=True) as con:
        for name, count in manifest["row_counts"].items():
            assert con.execute(f"select count(*) from {name}").fetchone() == (count,)
    assert manifest["files"] == {
        path.name: file_sha256(path) for path in folder.iterdir() if path.name != "manifest.json"
    }
    assert f"| core_sessions | {manifest['row_counts']['core_sessions']:,} |" in summary_markdown(folder)


def test_a_step_that_fails_is_not_timed(study, candidate):
    with pytest.raises(ZeroDivisionError), timed(study, candidate_id(study), "fit"):
        raise ZeroDivisionError
    assert "fit" not in read_json(candidate / "timings.json")


def test_the_built_candidate_is_that_of_the_present_inputs(study, candidate):
    assert built_candidate(study) == candidate_id(study)
    land(study, Kind.EPISODES, episodes(2))
    with pytest.raises(UsageError, match="outcomes build"):
        built_candidate(study)


def test_a_finished_release_is_no_candidate_any_more(study, candidate):
    publish(study, candidate_id(study))
    assert is_finished(study, candidate_id(study))
    with pytest.raises(UsageError, match=r"is finished(.|\n)*outcomes refresh"):
        built_candidate(study)


def test_a_missing_link_counts_as_not_published_and_is_mended(study, candidate):
    publish(study, candidate_id(study))
    study.database.unlink()
    assert published_id(study) is None
    publish(study, candidate_id(study))
    assert published_id(study) == ask(study.database) == candidate_id(study)


def test_nothing_published_is_none(study):
    assert published_id(study) is None
