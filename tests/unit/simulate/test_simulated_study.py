"""What `truth.json` says of a study in which worlds and truths are put together, and how they are asked for."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from outcomes.cli import main
from outcomes.errors import UsageError
from outcomes.simulate import DropoutTruth, Truth, WorldName, simulate_study
from outcomes.study import create_study

SIZE = ["--clients", "40", "--therapists", "4"]


def truth_of(root) -> dict:
    return json.loads((root / "truth.json").read_text())


def test_the_command_puts_worlds_and_truths_together(tmp_path):
    root = tmp_path / "study"
    asked = ["--truth", "fit", "--dropout-truth", "best_level", "--world", "responsive", "--world", "coarse"]
    result = CliRunner().invoke(main, ["simulate", str(root), *SIZE, *asked])
    assert result.exit_code == 0, result.output
    truth = truth_of(root)
    assert truth["truth"] == {"satisfaction": "fit", "dropout": "best_level"}
    assert truth["worlds"] == ["coarse", "responsive"]
    assert truth["dynamics"]["responsiveness"] == 0.35
    assert truth["dynamics"]["next_session_slope"] == 0.0
    assert truth["dropout_slopes"]["level_cost"] == 0.10
    assert truth["parameters"]["world"]["satisfaction_shares"] == [0.03, 0.05, 0.10, 0.22, 0.60]
    rows = truth["contrasts"]["rows"]
    assert [(row["by"], row["points"]) for row in rows[:5]] == [("distance", points) for points in (-4, -2, 0, 2, 4)]
    assert all(set(row["dropout_risk"]) == {"3", "8", "12"} for row in rows)


@pytest.mark.parametrize(
    ("truth", "hazard", "expected"),
    [
        (None, None, ("calibrated", "calibrated")),
        (Truth.FIT_PLUS_MAIN, None, ("fit_plus_main", "fit")),
        (Truth.LOG, None, ("log", "no_effect")),
        (None, DropoutTruth.NONE, ("calibrated", "no_effect")),
        (Truth.NO_EFFECT, DropoutTruth.RELATIVE, ("no_effect", "relative")),
    ],
)
def test_the_truth_names_the_verdict_on_each_outcome(tmp_path, truth, hazard, expected):
    study = create_study(tmp_path / "study")
    simulate_study(study.root, clients=20, therapists=2, truth=truth, hazard=hazard)
    named = truth_of(study.root)["truth"]
    assert (named["satisfaction"], named["dropout"]) == expected


def test_the_same_call_may_be_repeated_and_another_world_does_not_mix(tmp_path):
    study = create_study(tmp_path / "study")
    size = {"clients": 20, "therapists": 2}
    simulate_study(study.root, **size, worlds=[WorldName.TRENDS, WorldName.COARSE])
    before = (study.root / "truth.json").read_bytes()
    simulate_study(study.root, **size, worlds=[WorldName.COARSE, WorldName.TRENDS, WorldName.COARSE])
    assert (study.root / "truth.json").read_bytes() == before
    with pytest.raises(UsageError, match="another origin"):
        simulate_study(study.root, **size, worlds=[WorldName.TRENDS])


def test_worlds_that_contradict_each_other_write_nothing(tmp_path):
    root = tmp_path / "study"
    asked = ["--world", "responsive", "--world", "responsive_less"]
    result = CliRunner().invoke(main, ["simulate", str(root), *SIZE, *asked])
    assert result.exit_code != 0
    assert "do not go together: they differ in response" in result.output
    assert not (root / "truth.json").exists()
    assert not list((root / "inbox").iterdir())
