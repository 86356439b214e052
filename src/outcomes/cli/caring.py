"""Commands that care for a study: what could stop it, and its file brought to this version."""

from __future__ import annotations

from pathlib import Path

import click

from outcomes.cli.group import STUDY, WAIT
from outcomes.errors import visible

ILL = 6  # exit code


@click.command()
@STUDY
@click.option("--json", "as_json", is_flag=True, help="Print it for machines.")
@click.pass_context
def doctor(ctx: click.Context, directory: Path, as_json: bool) -> None:
    """Look at what could stop a study: environment, rights, disk, clock, trail, server, mail, keys; say what to do.

    Nothing is changed, and no mail is sent. The exit code is 6 where something has to be mended.
    """
    from outcomes.doctor import examined
    from outcomes.doctor.machine import examine_machine
    from outcomes.doctor.services import examine_services
    from outcomes.doctor.study import examine_study
    from outcomes.study import StudyFolder

    study = StudyFolder.open(directory)
    found = [one for examine in (examine_machine, examine_study, examine_services) for one in examine(study)]
    click.echo(examined.as_json(found) if as_json else visible(examined.as_text(found)))
    if examined.is_ill(found):
        ctx.exit(ILL)


@click.command()
@STUDY
@WAIT
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
def upgrade(directory: Path, wait: float, dry_run: bool) -> None:
    """Bring the study file of an earlier version to this one, and show the difference.

    Only keys that have another name now are changed; comments, order and values stay, and the file before is kept as
    study.toml.before. Releases of earlier versions are not touched: they stay readable, and `outcomes diff` compares
    them.
    """
    from outcomes.doctor.upgrading import keep_upgrade, read_upgrade
    from outcomes.study import StudyFolder, writer_lock

    study = StudyFolder(directory.expanduser().resolve())
    found = read_upgrade(study)
    if found.changes:
        click.echo(visible(found.diff(study.settings_path.name)))
        click.echo(visible("\n".join(found.changes)))
        if dry_run:
            click.echo("Nothing was changed: this was a dry run.")
        else:
            with writer_lock(study, wait):
                kept = keep_upgrade(study, found)
            click.echo(f"Changed; the file before is kept as {kept.name}. The next refresh makes a new release.")
    else:
        click.echo("Nothing to do: every key is called as this version calls it.")
    for advice in found.advice:
        click.echo(visible(f"Worth a look: {advice}."))
