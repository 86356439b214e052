"""A study that requires a seal, as its researchers live with it: refresh, seal, refresh, change, refresh."""

from __future__ import annotations

import duckdb

OUTCOMES = "select count(satisfaction_score), (select count(ending) from core_episodes) from core_sessions"


def test_outcomes_come_with_the_seal_and_a_later_change_is_told(outcomes, small_study):
    study, root = small_study, small_study.root

    def edit(old: str, new: str) -> None:
        text = study.settings_path.read_text(encoding="utf-8")
        assert old in text
        study.settings_path.write_text(text.replace(old, new), encoding="utf-8")

    def refreshed() -> tuple[tuple[int, int], str]:
        run = outcomes("refresh", root)
        assert run.returncode == 0, run.stdout + run.stderr
        with duckdb.connect(str(study.database), read_only=True) as con:
            counts = con.execute(OUTCOMES).fetchone()
        pages = [(study.current / f"{name}.html").read_text(encoding="utf-8") for name in ("report", "annex")]
        return counts, "".join(pages)

    edit("required = false", "required = true")
    counts, report = refreshed()
    assert counts == (0, 0)
    assert "Outcomes are withheld until the specification is sealed" in report
    asked = outcomes("query", root, "select distinct status, reason from model_fits", "--format", "csv").stdout
    assert "refused,Outcomes are withheld until the specification is sealed with `outcomes seal`." in asked
    first = study.current.resolve().name

    run = outcomes("seal", root)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "before outcomes were seen" in run.stdout
    counts, report = refreshed()
    assert min(counts) > 0
    assert study.current.resolve().name != first
    assert "before outcomes were seen." in report
    assert "Outcomes are withheld" not in report
    assert "sealed before" in outcomes("seal", root).stdout
    run = outcomes("verify", root)
    assert run.returncode == 0, run.stdout + run.stderr

    edit("min_attended_sessions = 1", "min_attended_sessions = 2")
    counts, report = refreshed()
    assert min(counts) > 0
    assert "Exploratory: the specification was changed after it was sealed on " in report
