"""Commands that look: at a study's state, and what data of its size can answer."""

from __future__ import annotations

from pathlib import Path

import click

from outcomes.cli.group import STUDY
from outcomes.errors import visible

STALE = 7  # exit code


@click.command()
@STUDY
@click.option("--json", "as_json", is_flag=True, help="Print it for machines.")
@click.pass_context
def status(ctx: click.Context, directory: Path, as_json: bool) -> None:
    """Show release and age, runs, findings, and what is landed, refused, quarantined or waiting.

    The exit code is 7 where the release is older than study.toml expects, or missing.
    """
    from outcomes.operate import read_status
    from outcomes.study import StudyFolder

    found = read_status(StudyFolder.open(directory))
    click.echo(visible(found.as_json() if as_json else found.as_text()))
    if found.is_stale:
        ctx.exit(STALE)


@click.command()
@STUDY
@click.option("--cohorts", default=20, show_default=True, type=click.IntRange(1), help="Cohorts under each truth.")
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0), help="Of the first cohort.")
def power(directory: Path, cohorts: int, seed: int) -> None:
    """Say how often each verdict on satisfaction and dropout comes out in cohorts of the study's size with known truth.

    Simulates cohorts of as many clients and therapists as the published release has. Rows are truths, columns are
    verdicts, cells are percent of the cohorts. Kept as power.json beside the releases.
    """
    from outcomes.answers.recovery.power import JUDGED, as_text, error_rates, keep_rates, study_size
    from outcomes.study import StudyFolder

    study = StudyFolder.open(directory)
    size = study_size(study)
    click.echo(f"Simulating {cohorts} cohorts of {size.clients:,} clients and {size.therapists} therapists a truth ...")
    rates = error_rates(size, cohorts, seed, study.settings.disclosure, study.settings.cluster.address)
    keep_rates(study, rates, size, seed)
    for outcome, level in JUDGED:
        title = f"{outcome.capitalize()}, one row a {level}; percent of {cohorts} cohorts, * is true"
        click.echo(f"\n{title}\n{as_text(rates, outcome, level)}")


@click.command()
@STUDY
@click.option("--port", default=0, type=click.IntRange(0, 65535), help="Where it listens; else any free port.")
def ui(directory: Path, port: int) -> None:
    """Open the study's page: releases, findings, documents, codebook, questions in SQL, history.

    On this machine only, for who has the link that is printed; it reads and changes nothing. What it shows is neither
    suppressed nor rounded: it is the researcher's door, and the documents are what may be passed on.
    """
    from outcomes.study import StudyFolder
    from outcomes.ui.server import serve_pages

    serve_pages(StudyFolder.open(directory), click.echo, port)
