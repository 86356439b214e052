"""Commands that keep a study trustworthy: its trail, its seal, consents withdrawn, earlier releases."""

from __future__ import annotations

from pathlib import Path

import click

from outcomes.cli.group import STUDY, WAIT
from outcomes.cli.running import refresh
from outcomes.errors import visible


@click.command()
@STUDY
@WAIT
@click.option("--head", default="", metavar="HASH", help="A head that an earlier verification printed.")
@click.option("--new-trail", is_flag=True, help="The trail is lost: start a new one from what is there, first.")
def verify(directory: Path, wait: float, head: str, new_trail: bool) -> None:
    """Check the audit trail and every batch, quarantine file, release and link; name what was altered."""
    from contextlib import nullcontext

    from outcomes.study import StudyFolder, writer_lock
    from outcomes.trust.marks import start_anew
    from outcomes.trust.recording import record_state
    from outcomes.trust.verify import verify as verify_study

    study = StudyFolder.open(directory)
    only_looks = not study.is_writable and not new_trail
    with nullcontext() if only_looks else writer_lock(study, wait):
        if new_trail:
            start_anew(study)
            record_state(study)
        found = verify_study(study, head)
    click.echo(visible(found.as_text()))
    found.raise_if_altered()


@click.command()
@STUDY
@WAIT
def seal(directory: Path, wait: float) -> None:
    """Fix the specification (models, multiverse, dropout, cohort, scales) before outcomes are looked at.

    Where study.toml has [seal] required = true, outcomes stay out of the database until then; the next refresh
    publishes a release with them.
    """
    from outcomes.study import StudyFolder, writer_lock
    from outcomes.study.sealing import read_sealing
    from outcomes.trust.sealing import seal as seal_study

    study = StudyFolder.open(directory)
    with writer_lock(study, wait):
        sealed = seal_study(study)
    click.echo(f"{'Sealed' if sealed.is_new else 'Nothing to do: sealed before'}: {sealed.seal.spec_sha256}")
    click.echo(f"  {read_sealing(study).sentence}\n  next: `outcomes refresh {directory}`")


@click.command()
@STUDY
@WAIT
@click.option(
    "--clients", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False), help="One pseudonym per line; "
    "leave it out to finish a withdrawal that was killed.",
)  # fmt: skip
@click.option("--refresh/--no-refresh", "and_refresh", default=True, help="Publish a new release at once.")
@click.pass_context
def withdraw(ctx: click.Context, directory: Path, wait: float, clients: Path | None, and_refresh: bool) -> None:
    """Remove clients from all batches, releases, quarantine and source files, and prove it by search."""
    from outcomes.study import StudyFolder, writer_lock
    from outcomes.trust.withdrawal import read_list
    from outcomes.trust.withdrawal import withdraw as withdraw_clients

    study = StudyFolder.open(directory)
    listed = read_list(study, clients) if clients else frozenset()
    with writer_lock(study, wait):
        click.echo(withdraw_clients(study, listed).as_text())
    if and_refresh:
        ctx.invoke(refresh, directory=directory, wait=wait)


@click.command()
@STUDY
@WAIT
def prune(directory: Path, wait: float) -> None:
    """Remove earlier releases that [retention] in study.toml does not keep; never the published one."""
    from outcomes.study import StudyFolder, writer_lock
    from outcomes.trust.retention import prune as prune_releases

    study = StudyFolder.open(directory)
    with writer_lock(study, wait):
        gone = prune_releases(study)
    click.echo(f"Removed {len(gone)} release(s){': ' + ', '.join(gone) if gone else ''}")
