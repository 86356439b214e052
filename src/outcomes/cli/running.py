"""Commands that do the work: a refresh, its steps, a service that refreshes."""

from __future__ import annotations

from pathlib import Path

import click

from outcomes.cli.group import CLUSTER, STUDY, WAIT, run
from outcomes.errors import visible


@click.command()
@STUDY
@WAIT
@CLUSTER
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on how it ended; all else goes to stderr.")
@click.option("--quiet", is_flag=True, help="Say only what asks for something: warnings, refusals, errors.")
@click.pass_context
def refresh(ctx: click.Context, directory: Path, wait: float, cluster: str, as_json: bool, quiet: bool) -> None:
    """Do the whole job: land, build, audit, fit, answer, report, publish.

    Does only what the inputs ask for: run twice, the second run changes nothing and says so. Files that are refused
    are left out, named with the reason, and make the exit code 1; the others are published.
    """
    from outcomes import progress
    from outcomes.cli.ending import ended, failed
    from outcomes.operate.refusals import lying_refusals, refusal_summary
    from outcomes.study import StudyFolder

    progress.speak(quiet=quiet)

    def say(text: str) -> None:
        if not quiet:
            click.echo(text, err=as_json)

    with failed(as_json):
        study = StudyFolder.open(directory, cluster)
        say(f"Refreshing the study {study.settings.study.name!r} in {study.root}")
        result = run("refresh", study.root, wait, cluster=cluster)
    if result.is_new:
        say(f"Published release {result.release_id}\n  report:   {study.current / 'report.html'}")
        say(f"  checks:   {study.current / 'checks.html'}\n  database: {study.database}")
    else:
        say(f"Nothing to do: release {result.release_id} holds all that is landed; nothing was changed.")
    exit_code = 1 if result.n_refused else 0
    if exit_code:
        click.echo(visible(refusal_summary(lying_refusals(study))), err=True)
    if as_json:
        click.echo(ended(study, result, exit_code))
    if exit_code:
        ctx.exit(exit_code)


@click.command()
@STUDY
@WAIT
def pull(directory: Path, wait: float) -> None:
    """Pull new data from the study's REDCap server into the inbox, and the data dictionary beside study.toml.

    The token is read from OUTCOMES_REDCAP_TOKEN. Only the fields that the study maps are asked for.
    """
    from outcomes.operate.redcap_server import pull as pull_projects
    from outcomes.study import StudyFolder, writer_lock

    study = StudyFolder.open(directory)
    with writer_lock(study, wait):
        pulled = pull_projects(study)
    for one in pulled:
        click.echo(visible(one.as_text()))


def _step(name: str, text: str) -> click.Command:
    @click.command(name, help=text)
    @STUDY
    @WAIT
    def command(directory: Path, wait: float) -> None:
        from outcomes.study import StudyFolder

        run(name, StudyFolder.open(directory).root, wait)

    return command


@click.command()
@STUDY
@WAIT
@CLUSTER
def answer(directory: Path, wait: float, cluster: str) -> None:
    """Answer the study's questions from the candidate release."""
    from outcomes.study import StudyFolder

    run("answer", StudyFolder.open(directory, cluster).root, wait, cluster=cluster)


STEPS = (
    _step("land", "Take what is new in the inbox: check it at the door, land it, quarantine bad rows."),
    _step("build", "Build the tables of a candidate release from what is landed."),
    _step("audit", "Run the data-quality checks on the candidate release."),
    _step("fit", "Fit the study's declared models on the candidate release."),
    answer,
    _step("report", "Write the stakeholders' report of the candidate release."),
    _step("publish", "Publish the candidate release by one atomic swap."),
)


@click.command()
@STUDY
@click.option("--cron", default="", metavar="CRON", help='Refresh by this schedule, e.g. "0 3 * * *".')
@click.option("--timezone", default="UTC", show_default=True, help="Time zone of the schedule.")
@click.option("--every", default=0.0, metavar="SECONDS", type=click.FloatRange(0), help="Refresh so often.")
@click.option("--watch", is_flag=True, help="Refresh when the inbox changes.")
def serve(directory: Path, cron: str, timezone: str, every: float, watch: bool) -> None:
    """Keep the study up to date until stopped: once at the start, then as asked (by default daily at 3).

    Needs the address of a Prefect server in PREFECT_API_URL: your team's, or that of one that you start in another
    terminal by `prefect server start` (http://127.0.0.1:4200/api).
    """
    from outcomes import progress
    from outcomes.study import StudyFolder

    study = StudyFolder.open(directory)
    from outcomes.flows.serve import Serving, serve_study

    serving = Serving(cron if cron or every or watch else "0 3 * * *", timezone, every, watch)
    progress.speak(stamped=True)
    serve_study(study, serving, announce=lambda text: click.echo(f"{progress.stamp()} {text}"))
