"""Commands that make a study or fill it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import click

from outcomes.cli.group import STUDY
from outcomes.errors import DataRefused, UsageError, no_such
from outcomes.truths import DropoutTruth, Truth, WorldName


@click.command()
@STUDY
@click.option("--from", "is_from", is_flag=True, help="Map the study file from the files named after it.")
@click.option("--template", default="", metavar="NAME", help="Start from the study file of a layout: redcap, wide ...")
@click.argument("files", metavar="[FILE...]", nargs=-1, type=click.Path(path_type=Path, exists=True))
def init(directory: Path, is_from: bool, template: str, files: tuple[Path, ...]) -> None:
    """Make a study folder with a commented study.toml and an inbox.

    `outcomes init DIR --from FILE...` looks at your files and maps them; every guess is marked as one. Your data are
    not copied; a data dictionary among the files is, beside study.toml. `outcomes init DIR --template redcap` starts
    from the study file of a layout.
    """
    from outcomes.study.folder import create_study

    if is_from != bool(files) or (is_from and template):
        raise UsageError("--from needs files, files need --from, and neither goes with --template", "see --help")
    beside: list[Path] = []
    if is_from:
        text, next_step = _mapped(directory, files)
        beside = [path for path in files if _as_toml(path.resolve()) in text]
        for path in beside:
            text = text.replace(_as_toml(path.resolve()), _as_toml(path.name))
    else:
        text = _template(template) if template else ""
        next_step = "adapt study.toml, put source files into inbox/, run `outcomes refresh`"
    study = create_study(directory, text)
    for path in beside:
        shutil.copyfile(path, study.root / path.name)
    click.echo(f"Made the study {study.root}\n  next: {next_step}")


@click.command()
def schema() -> None:
    """Print the JSON schema of study.toml; editors complete and check the file from it."""
    from outcomes.study.handbook import json_schema

    click.echo(json_schema())


def _as_toml(path: Path | str) -> str:
    return json.dumps(str(path), ensure_ascii=False)


def _template(name: str) -> str:
    from outcomes.study.folder import template_names, template_text

    if name not in template_names():
        raise no_such("template", name, template_names())
    return template_text(name)


def _mapped(directory: Path, files: tuple[Path, ...]) -> tuple[str, str]:
    """Return a study file for some files, and what to do with it."""
    from outcomes.cli.checking import files_in
    from outcomes.preview.draft import GUESS, NEEDED, UNREAD
    from outcomes.preview.look import look_at

    name = directory.expanduser().resolve().name
    look = look_at(files_in(files), study_name=name)
    unread = "".join(f"\n  {one.name}: {one.refused}" for one in look.files if one.table is None)
    if unread:
        raise DataRefused(f"Nothing was made; these files cannot be read:{unread}", "leave them out, or mend them")
    if not look.study_lines:
        raise DataRefused(
            "Nothing was made: no file looks like sessions, episodes or clients",
            "`outcomes check FILE` shows what is in it; `outcomes init DIR` makes a study file to map by hand",
        )
    head = [
        f"# Mapped from {', '.join(one.name for one in look.files)}. What is guessed ends in {GUESS!r}: read each.",
        "# Every key is in docs/study-file.md.",
        "",
    ]
    lacking = ", ".join(line.split(" = ")[0].lstrip("# ") for line in look.study_lines if NEEDED in line)
    first = f"name the columns that were not found ({lacking}), " if lacking else ""
    rangeless = [line.split("]")[0].removeprefix("# [scales.") for line in look.study_lines if UNREAD in line]
    if rangeless:
        first += f"fill in the ranges of the scales in which no number could be read ({', '.join(rangeless)}), "
    n_guesses = sum(GUESS in line for line in look.study_lines)
    unfit = [one.name for one in look.files if one.kind is None and one.columns]
    if unfit:
        first = f"mind that nothing is read from {', '.join(unfit)} (no column seems to name the client), {first}"
    next_step = (
        f"{first}read the {n_guesses} guesses in study.toml, put the files into inbox/, "
        f"try `outcomes check --study {directory} FILE`, then `outcomes refresh {directory}`"
    )
    return "\n".join([*head, *look.study_lines]).rstrip() + "\n", next_step


@click.command()
@STUDY
@click.option("--clients", default=1500, show_default=True, type=click.IntRange(1), help="Number of clients.")
@click.option("--therapists", default=60, show_default=True, type=click.IntRange(1), help="Number of therapists.")
@click.option("--seed", default=1, show_default=True, help="Seed; the same seed gives the same files.")
@click.option("--mess", is_flag=True, help="Plant faults of many kinds, as real exports have them.")
@click.option(
    "--truth",
    type=click.Choice([one.value for one in Truth]),
    help="What guidance does to satisfaction; else as calibrated on practice.",
)
@click.option(
    "--dropout-truth",
    "hazard",
    type=click.Choice([one.value for one in DropoutTruth]),
    help="What guidance does to dropout; else by truth.",
)
@click.option(
    "--world",
    "worlds",
    multiple=True,
    type=click.Choice([one.value for one in WorldName]),
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
