"""Published databases are read by the DuckDB that people have."""

import json
import subprocess
import venv
from pathlib import Path

import duckdb
import pytest
from filelock import FileLock

from outcomes.store.warehouse import READABLE_BY

OLDER = READABLE_BY.removeprefix("v").rpartition(".")[0]  # 1.4
ASK = """
import json, sys, duckdb
con = duckdb.connect(sys.argv[1], read_only=True)
names = [name for (name,) in con.execute("select distinct table_name from codebook order by 1").fetchall()]
counts = {name: con.execute(f'select count(*) from "{name}"').fetchone()[0] for name in names}
print(json.dumps([duckdb.__version__, counts]))
"""


@pytest.fixture(scope="session")
def older_python(tmp_path_factory) -> Path:
    """Python with an older DuckDB in an environment of its own; skipped where it cannot be installed."""
    folder = tmp_path_factory.getbasetemp().parent / f"duckdb-{OLDER}"
    python = folder / "bin" / "python"
    with FileLock(f"{folder}.lock"):
        if not python.exists():
            venv.create(folder, with_pip=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", f"duckdb=={OLDER}.*"]
        done = subprocess.run(install, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"DuckDB {OLDER} cannot be installed here")
    return python


def test_every_table_and_view_is_read_by_an_older_duckdb(my_study, older_python):
    run = subprocess.run(
        [str(older_python), "-c", ASK, str(my_study.database)], capture_output=True, text=True
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    version, counts = json.loads(run.stdout)
    assert version.startswith(f"{OLDER}.")
    with duckdb.connect(str(my_study.database), read_only=True) as con:
        assert counts == {name: con.execute(f'select count(*) from "{name}"').fetchone()[0] for name in counts}
    assert counts["mart_sessions"] > 1_000


def test_every_later_step_keeps_the_storage_version_of_the_build(my_study):
    with duckdb.connect(str(my_study.database), read_only=True) as con:
        (tags,) = con.execute("select tags from duckdb_databases() where not internal").fetchone()
    assert tags["storage_version"] == f"{READABLE_BY}+"
