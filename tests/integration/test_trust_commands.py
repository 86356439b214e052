"""Verification, withdrawal and retention as an analyst runs them."""

from __future__ import annotations

import json
import stat

import duckdb


def some_clients(study, n: int) -> list[str]:
    with duckdb.connect() as con:
        path = study.inbox / "clients.csv"
        return [one for (one,) in con.execute(f"select client_id from '{path}' limit {n}").fetchall()]


def test_refresh_verify_withdraw_and_refresh_again(outcomes, small_published_study, tmp_path):
    study, root = small_published_study, small_published_study.root
    first = study.current.resolve().name
    run = outcomes("verify", root)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "altered     nothing" in run.stdout
    events = [json.loads(line)["event"] for line in (root / "trail.jsonl").read_text().splitlines()]
    assert {"landed", "built", "checks", "published", "verified"} <= set(events)
    assert events.index("built") < events.index("checks") < events.index("published")

    with duckdb.connect(str(study.database), read_only=True) as con:
        assert con.execute("select count(*), min(k) from deidentification").fetchone() == (10, 5)
        n_before = con.execute("select count(*) from core_clients").fetchone()[0]

    gone = some_clients(study, 3)
    listed = tmp_path / "gone.txt"
    listed.write_text("\n".join(gone) + "\n")
    run = outcomes("withdraw", root, "--clients", listed)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "found in 0" in run.stdout
    assert not any(one in run.stdout + run.stderr for one in gone)
    assert "Published release" in run.stdout
    assert not (study.releases / first).exists()
    with duckdb.connect(str(study.database), read_only=True) as con:
        assert con.execute("select count(*) from core_clients").fetchone()[0] == n_before - 3
        left = con.execute("select count(*) from core_sessions where client_id in (select unnest(?))", [gone])
        assert left.fetchone() == (0,)
        read, accounted = con.execute(
            "select sum(n_read), sum(n_current + n_quarantined + n_superseded) from core_batches"
        ).fetchone()
    assert read == accounted
    assert "0 new files" in outcomes("refresh", root).stderr
    run = outcomes("verify", root)
    assert run.returncode == 0, run.stdout + run.stderr

    made = [
        path for path in root.rglob("*") if path.is_file() and not path.is_symlink() and study.inbox not in path.parents
    ]
    made = [path for path in made if path.name not in ("study.toml", "truth.json")]  # made before by other hands
    assert made
    assert not [path.name for path in made if path.stat().st_mode & (stat.S_IRWXO | stat.S_IWGRP)]

    database = study.current.resolve() / "outcomes.duckdb"
    content = bytearray(database.read_bytes())
    content[len(content) // 2] ^= 1
    database.write_bytes(bytes(content))
    run = outcomes("verify", root)
    assert run.returncode == 5
    assert f"releases/{database.parent.name}/outcomes.duckdb" in run.stdout
    assert "Traceback" not in run.stderr


def test_a_withdrawal_without_a_list_or_with_a_wrong_one_says_what_to_do(outcomes, small_study, tmp_path):
    run = outcomes("withdraw", small_study.root)
    assert run.returncode == 2
    assert "--clients" in run.stderr
    run = outcomes("withdraw", small_study.root, "--clients", tmp_path / "none.txt")
    assert run.returncode == 2
    assert "one pseudonym per line" in run.stderr


def test_nothing_is_refreshed_while_a_withdrawal_is_half_done(outcomes, small_study):
    note = {"id": "a", "clients": some_clients(small_study, 1), "episodes": [], "n_asked": 1, "n_known": 1}
    (small_study.root / ".withdrawal.json").write_text(json.dumps(note))
    run = outcomes("refresh", small_study.root)
    assert run.returncode == 2, run.stderr
    assert "outcomes withdraw" in run.stderr
    assert not small_study.landed.exists()


def test_pruning_without_a_rule_removes_nothing(outcomes, small_study):
    run = outcomes("prune", small_study.root)
    assert run.returncode == 0, run.stderr
    assert "Removed 0 release(s)" in run.stdout
