"""Fill a study folder with a synthetic cohort and put the truth beside it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from outcomes.errors import StudyError, UsageError
from outcomes.simulate.faults.mess import write_messy_sources
from outcomes.simulate.sources import write_sources
from outcomes.simulate.world.cohort import Cohort, simulate_cohort
from outcomes.simulate.world.dropout_truths import with_dropout_truth
from outcomes.simulate.world.parameters import CLIENTS_PER_THERAPIST, SCALES, CohortParameters, with_worlds
from outcomes.simulate.world.truth import truth_record
from outcomes.simulate.world.truths import dropout_truth, with_truth
from outcomes.store.files import read_json, write_json
from outcomes.study import StudyFolder, StudySettings
from outcomes.truths import DropoutTruth, Truth, WorldName

TRUTH_FILE = "truth.json"
CALIBRATED = "calibrated"  # name of the truth of docs/simulation.md


def simulate_study(
    root: Path,
    clients: int,
    therapists: int | None = None,
    seed: int = 1,
    mess: bool = False,
    session_files: int = 4,
    truth: Truth | None = None,
    worlds: Sequence[WorldName] = (),
    hazard: DropoutTruth | None = None,
) -> tuple[Path, ...]:
    """Write a synthetic cohort into `root/inbox` and its truth into `root/truth.json`.

    Parameters
    ----------
    root : Path
        A study folder (see `outcomes init`) whose `study.toml` keeps the template's columns and scales.
    clients : int
        At least 1.
    therapists : int, optional
        At least 1; one for every 15 clients where not given.
    seed : int
        The same numbers and seed give the same bytes.
    mess : bool
        Plant faults, each recorded in `truth.json`.
    session_files : int
        Number of files that the appointments come in, by time.
    truth : Truth, optional
        The verdict on satisfaction that is true; the calibrated cohort where not given.
    worlds : sequence of WorldName
        What goes on beside the effect of guidance, all together; nothing where none is given.
    hazard : DropoutTruth, optional
        The verdict on dropout that is true; what `truth` implies where not given.

    Returns
    -------
    tuple of Path
        The files that were written.

    Raises
    ------
    StudyError
        If there is no usable `study.toml`, or one that renames columns or declares other ranges than the template's.
    UsageError
        If the worlds do not go together. If the inbox holds files that this very call would not have written: a
        synthetic cohort never mixes with real records or with another synthetic cohort.
    """
    parameters = CohortParameters(clients=clients, therapists=therapists or max(1, clients // CLIENTS_PER_THERAPIST))
    if truth is not None:
        parameters = with_truth(truth, parameters)
    if hazard is not None:
        parameters = with_dropout_truth(hazard, parameters)
    parameters = with_worlds(worlds, parameters)
    call = _plain({
        "truth": _verdicts(truth, hazard), "worlds": sorted(set(worlds)), "parameters": asdict(parameters),
        "seed": seed, "mess": mess, "session_files": session_files,
    })  # fmt: skip
    truth_path = root / TRUTH_FILE
    _refuse_other_scales(StudyFolder.open(root).settings)
    _refuse_a_mixture(root, call)
    cohort = simulate_cohort(parameters, seed)
    # The truth goes first: a run that is cut short can be told apart from real files and be repeated.
    record = {**call, "counts": _counts(cohort), **truth_record(cohort)}
    write_json(truth_path, record)
    if not mess:
        return write_sources(cohort, root / "inbox", session_files=session_files)
    files, planted = write_messy_sources(cohort, root / "inbox", session_files=session_files)
    write_json(truth_path, {**record, "planted": planted.record()})
    return files


def _refuse_other_scales(settings: StudySettings) -> None:
    """Stop where the study would refuse or misread what is written: other column names or other ranges."""
    renamed = sum(len(source.columns) for source in settings.sources.values())
    other = sorted(
        name
        for name, (low, high) in SCALES.items()
        if name not in settings.scales or (settings.scales[name].minimum, settings.scales[name].maximum) != (low, high)
    )
    if renamed or other:
        ranges = f"; other ranges: {', '.join(other)}" if other else ""
        raise StudyError(
            f"study.toml does not fit a simulated cohort: {renamed} column(s) renamed{ranges}",
            "simulate into a new study folder (`outcomes init` makes one) and leave columns and scales as they are",
        )


def _refuse_a_mixture(root: Path, call: dict) -> None:
    """Stop where the inbox holds anything that an earlier, identical call did not write."""
    present = [path for path in (root / "inbox").glob("*") if not path.name.startswith(".")]
    if not present:
        return
    truth_path = root / TRUTH_FILE
    earlier = read_json(truth_path) if truth_path.is_file() else {}
    if {name: earlier.get(name) for name in call} != call:
        raise UsageError(
            f"The inbox of {root} already holds {len(present)} file(s) of another origin",
            "simulate into a new study folder (`outcomes init` makes one)",
        )


def _plain(call: dict) -> dict:
    """Return the call as it reads back from JSON (dates as text)."""
    return json.loads(json.dumps(call, default=str))


def _verdicts(truth: Truth | None, hazard: DropoutTruth | None) -> dict[str, str]:
    """Say which verdict is true of each outcome; no single one is in the calibrated cohort."""
    of_dropout = hazard.verdict if hazard else dropout_truth(truth) if truth else CALIBRATED
    return {"satisfaction": str(truth or CALIBRATED), "dropout": str(of_dropout)}


def _counts(cohort: Cohort) -> dict[str, int]:
    """Count what the files hold."""
    return {
        "clients": cohort.clients.height,
        "therapists": cohort.latent.therapists.height,
        "practices": cohort.parameters.practices,
        "episodes": cohort.episodes.height,
        "appointments": cohort.sessions.height,
        "attended_sessions": cohort.latent.sessions.height,
    }
