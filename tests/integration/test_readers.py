"""Researchers and the pipeline do not get into each other's way."""

from __future__ import annotations

from outcomes.store.warehouse import connect

from .questions import ask_all


def test_ten_questions_are_answered_read_only_while_a_refresh_runs(small_published_study, start_refresh):
    small_study = small_published_study
    with connect(small_study.database, read_only=True) as held:
        before = held.execute("select release_id from release").fetchone()
        with small_study.settings_path.open("a") as settings:
            settings.write("# something new\n")
        second, answered = start_refresh(small_study), 0
        while second.is_alive():
            answers = ask_all(small_study.database)
            assert len(answers) == 10
            answered += 1
        assert second.exitcode == 0
        assert answered >= 2
        assert held.execute("select release_id from release").fetchone() == before, "an open reader lost its snapshot"
    with connect(small_study.database, read_only=True) as con:
        assert con.execute("select release_id from release").fetchone() != before
