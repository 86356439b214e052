"""Commands that make a study or fill it."""

from __future__ import annotations

from pathlib import Path

import click

from outcomes.cli.group import STUDY
from outcomes.truths import DropoutTruth, Truth, WorldName


@click.command()
@STUDY
def init(directory: Path) -> None:
    """Make a study folder with a commented study.toml and an inbox."""
    from outcomes.study import create_study

    study = create_study(directory)
    click.echo(
        f"Made the study {study.root}\n  next: adapt study.toml, put source files into inbox/, run `outcomes refresh`"
    )


@click.command()
@STUDY
@click.option("--clients", default=1500, show_default=True, type=click.IntRange(1), help="Number of clients.")
@click.option("--therapists", default=60, show_default=True, type=click.IntRange(1), help="Number of therapists.")
@click.option("--seed", default=1, show_default=True, help="Seed; the same seed gives the same files.")
@click.option("--mess", is_flag=True, help="Plant faults of many kinds, as real exports have them.")
@click.option(
    "--truth", type=click.Choice([*Truth]), help="What guidance does to satisfaction; else as calibrated on practice."
)
@click.option(
    "--dropout-truth",
    "hazard",
    type=click.Choice([*DropoutTruth]),
    help="What guidance does to dropout; else by truth.",
)
@click.option(
    "--world",
    "worlds",
    multiple=True,
    type=click.Choice([*WorldName]),
    help="What goes on beside that; may be repeated.",
)
def simulate(
    directory: Path,
    clients: int,
    therapists: int,
    seed: int,
    mess: bool,
    truth: str | None,
    hazard: str | None,
    worlds: tuple[str, ...],
) -> None:
    """Fill the inbox with a simulated cohort whose truth is known (truth.json).

    Makes the study folder where there is none.
    """
    from outcomes.simulate import simulate_study
    from outcomes.study import StudyFolder, create_study

    study = StudyFolder.open(directory) if (directory / "study.toml").exists() else create_study(directory)
    click.echo(f"Simulating {clients:,} clients of {therapists:,} therapists ...")
    files = simulate_study(
        study.root, clients=clients, therapists=therapists, seed=seed, mess=mess,
        truth=Truth(truth) if truth else None,
        hazard=DropoutTruth(hazard) if hazard else None,
        worlds=[WorldName(name) for name in worlds],
    )  # fmt: skip
    click.echo(f"Wrote {len(files)} files to {study.inbox} and the truth to {study.root / 'truth.json'}")
