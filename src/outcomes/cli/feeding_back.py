"""The command that writes pages for single therapists."""

from __future__ import annotations

from pathlib import Path

import click

from outcomes.cli.group import STUDY, WAIT
from outcomes.errors import visible


@click.command()
@STUDY
@WAIT
def feedback(directory: Path, wait: float) -> None:
    """Write a page for each therapist with enough clients: own clients against own past, for that therapist only.

    Off unless study.toml has [feedback] enabled = true and consent = "who agreed". Pages are put into a private
    folder, or encrypted where a therapist has a key.
    """
    from outcomes.feedback import write_feedback
    from outcomes.study import StudyFolder, writer_lock
    from outcomes.study.clock import today

    study = StudyFolder.open(directory)
    with writer_lock(study, wait):
        written = write_feedback(study, today(study))
    click.echo(visible(written.as_text()))
