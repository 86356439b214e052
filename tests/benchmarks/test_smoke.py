"""Every benchmark runs at a tiny size, so that none rots unseen; what it measures means nothing here."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from processes import HANGS_SECONDS

ROOT = Path(__file__).parents[2]
BENCHMARKS = ROOT / "benchmarks"
OUT, DRAWN, STUDY = "OUT", "DRAWN", "STUDY"  # paths of the test's own
# The smallest run of each: arguments of its command line.
TINY = {
    "answers.py": ["400", "--commands"],
    "contrasts.py": ["--cohorts", "2", "--clients", "300", "--therapists", "15", "--keep", OUT],
    "coverage.py": ["--cohorts", "2", "--out", OUT],
    "coverage_binomial.py": ["--cohorts", "2", "--out", OUT],
    "disclosure_acro.py": [OUT],
    "dynamic.py": ["time", "--clients", "150", "--therapists", "10"],
    "engine.py": [
        *("--rows", "2000", "--repeats", "1", "--bootstrap", "2", "--engines", "outcomes", "--out", OUT),
        *("--structures", "practice", "nested", "anywhere", "many"),
    ],
    "engine_binomial.py": ["--rows", "2000", "--repeats", "1", "--engines", "outcomes", "--out", OUT],
    "first_results.py": [STUDY, "--only", "1"],
    "missing_ratings.py": ["--cohorts", "1", "--clients", "150", "--therapists", "12", "--keep", OUT],
    "pipeline.py": ["400"],  # too few for any model: each step runs, no simulation does
    "recovery.py": ["--seeds", "2", "--clients", "100", "--therapists", "10"],
    "reference_agreement.py": [],
    "responsiveness_picture.py": ["--out", OUT],
    "sources.py": [str(ROOT.parent / "shared/sources/fhir"), "land"],
    "scale.py": ["--rows", "7000", "9000", "--steps", "fit", "parts", "dynamic", "--out", OUT, "--plot", DRAWN],
    "verdict_worlds.py": [
        "--counts",
        OUT,
        "--cohorts",
        "1",
        "--others",
        "0",
        "--clients",
        "150",
        "--therapists",
        "12",
        "--truths",
        "fit",
    ],
}
PEERS = {"disclosure_acro.py": "acro"}  # compared with, and not among what we install
BESIDE = {  # data that lie beside the project
    "reference_agreement.py": ROOT.parent / "shared/reference",
    "sources.py": ROOT.parent / "shared/sources",
}


def test_every_benchmark_has_a_smoke_test():
    assert set(TINY) == {
        path.name for path in BENCHMARKS.glob("*.py") if "__main__" in path.read_text(encoding="utf-8")
    }


@pytest.mark.filterwarnings("default")  # of peers, as where a person runs it
@pytest.mark.parametrize("name", TINY)
def test_a_benchmark_runs_at_a_tiny_size(name, tmp_path, monkeypatch, capsys, request):
    if name in PEERS and not find_spec(PEERS[name]):
        pytest.skip(f"{PEERS[name]} is not installed")
    if name in BESIDE and not BESIDE[name].is_dir():
        pytest.skip(f"{BESIDE[name].name} does not lie beside the project")
    out = tmp_path / "out"
    monkeypatch.syspath_prepend(BENCHMARKS)
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)  # which our flows set for their children
    paths = {OUT: str(out), DRAWN: str(tmp_path / "drawn.svg")}
    if STUDY in TINY[name]:
        paths[STUDY] = str(request.getfixturevalue("my_study").root)
    monkeypatch.setattr("sys.argv", [name, *(paths.get(word, word) for word in TINY[name])])
    runpy.run_path(str(BENCHMARKS / name), run_name="__main__")  # in this process: the imports cost the most
    assert DRAWN not in TINY[name] or (tmp_path / "drawn.svg").read_text(encoding="utf-8").startswith("<svg")
    assert out.exists() if OUT in TINY[name] else capsys.readouterr().out.strip()
    if name.startswith("engine"):  # where an engine fails these write down why, and go on
        assert [
            run for size in json.loads(out.read_text())["results"] for run in size["runs"] if isinstance(run, str)
        ] == []


def test_the_pipeline_is_measured_without_models_and_documents(monkeypatch, capsys):
    monkeypatch.syspath_prepend(BENCHMARKS)
    monkeypatch.setattr("sys.argv", ["pipeline.py", "--data-only", "400"])
    runpy.run_path(str(BENCHMARKS / "pipeline.py"), run_name="__main__")
    assert "publish" in capsys.readouterr().out


def test_a_benchmark_of_the_pipeline_whose_step_fails_ends_with_its_error(tmp_path):
    """It hung for ever where a step's process died."""
    program = "import os, sys; sys.path.insert(0, {folder!r}); import pipeline; pipeline.in_own_process({call})"
    for call, error in (("int, 'no number'", "ValueError"), ("os._exit, 3", "BrokenProcessPool")):
        command = [sys.executable, "-c", program.format(folder=str(BENCHMARKS), call=call)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=HANGS_SECONDS)
        assert done.returncode == 1
        assert error in done.stderr


def test_the_growth_of_the_answers_is_measured_at_a_tiny_size(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    import scale

    (found,) = scale.measure_answers(400)
    assert found["step"] == "answers"
    assert found["cpu_seconds"] > 0
    assert 0.1 < found["peak_gb"] < 4
