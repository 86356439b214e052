"""The command line: the same flows that schedules run, by hand.

Exit codes: 0 done; 1 the data were refused; 2 wrong use; 3 a fatal check failed and nothing was published;
4 another run is writing to the study; 5 a file is damaged or a step failed; 7 the published release is older than
[schedule] expected_hours of study.toml allows (only `outcomes status`); 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click

import outcomes.teardown  # noqa: F401  registered before all else
from outcomes.errors import OutcomesError, StepFailed, StorageError, place_of, visible

STUDY = click.argument("directory", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
STALE = 7  # exit code
TRUTHS = ("no_effect", "monotone", "best_level", "fit", "fit_plus_main", "relative", "log")  # outcomes.simulate.Truth
WAIT = click.option("--wait", default=0.0, metavar="SECONDS", help="Wait so long for another run on this study to end.")


class _Outcomes(click.Group):
    """Turn our errors into one clear message and their exit code; list the commands in the order of the work."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except KeyboardInterrupt:
            from outcomes.flows.stopping import EXIT_CODE, SENTENCE

            click.echo(f"outcomes: {SENTENCE}", err=True)
            ctx.exit(EXIT_CODE)
        except Exception as failed:
            if os.environ.get("OUTCOMES_DEBUG"):
                raise
            refusal = failed if isinstance(failed, OutcomesError) else _in_words(failed)
            click.echo(f"outcomes: {refusal}", err=True)
            ctx.exit(refusal.exit_code)


def _in_words(failed: Exception) -> OutcomesError:
    """What nobody foresaw, as an error of ours: its own text may quote data, its kind and place do not."""
    if isinstance(failed, OSError) and failed.strerror:
        where = f": {failed.filename}" if failed.filename else ""
        return StorageError(f"{failed.strerror}{where}", "check space and permissions; then do it again")
    return StepFailed(
        f"It failed unexpectedly: {place_of(failed)}",
        "do it again: what was finished stays; OUTCOMES_DEBUG=1 shows the whole error (it may show data)",
    )


@click.group(
    cls=_Outcomes, epilog=__doc__.split("\n\n", 1)[1], context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(package_name="outcomes")
def main() -> None:
    """From a folder of session ratings to a checked release, fitted models and a report.

    A study is a folder with a study.toml. Drop source files into its inbox/ and run `outcomes refresh DIR`.
    """
    from outcomes.trust.permissions import private_by_default, safe_children

    private_by_default()
    safe_children()


def _run(job: str, study: Path, wait: float) -> Any:
    """Run a job by hand; what it needs is imported only then."""
    from outcomes.flows.by_hand import run_by_hand

    return run_by_hand(job, str(study), wait)


@main.command()
@STUDY
def init(directory: Path) -> None:
    """Make a study folder with a commented study.toml and an inbox."""
    from outcomes.study import create_study

    study = create_study(directory)
    click.echo(
        f"Made the study {study.root}\n  next: adapt study.toml, put source files into inbox/, run `outcomes refresh`"
    )


@main.command()
@STUDY
@click.option("--clients", default=1500, show_default=True, type=click.IntRange(1), help="Number of clients.")
@click.option("--therapists", default=60, show_default=True, type=click.IntRange(1), help="Number of therapists.")
@click.option("--seed", default=1, show_default=True, help="Seed; the same seed gives the same files.")
@click.option("--mess", is_flag=True, help="Plant faults of many kinds, as real exports have them.")
@click.option(
    "--truth", type=click.Choice(TRUTHS), help="A world in which this is what guidance does; else calibrated."
)
def simulate(directory: Path, clients: int, therapists: int, seed: int, mess: bool, truth: str | None) -> None:
    """Fill the inbox with a simulated cohort whose truth is known (truth.json).

    Makes the study folder where there is none.
    """
    from outcomes.simulate import Truth, simulate_study
    from outcomes.study import StudyFolder, create_study

    study = StudyFolder.open(directory) if (directory / "study.toml").exists() else create_study(directory)
    click.echo(f"Simulating {clients:,} clients of {therapists:,} therapists ...")
    files = simulate_study(
        study.root, clients=clients, therapists=therapists, seed=seed, mess=mess, truth=Truth(truth) if truth else None
    )
    click.echo(f"Wrote {len(files)} files to {study.inbox} and the truth to {study.root / 'truth.json'}")


@main.command()
@STUDY
@WAIT
@click.pass_context
def refresh(ctx: click.Context, directory: Path, wait: float) -> None:
    """Do the whole job: land, build, audit, fit, answer, report, publish.

    Does only what the inputs ask for: run twice, the second run changes nothing and says so. Files that are refused
    are left out, named with the reason, and make the exit code 1; the others are published.
    """
    from outcomes.study import StudyFolder

    study = StudyFolder.open(directory)
    click.echo(f"Refreshing the study {study.settings.study.name!r} in {study.root}")
    result = _run("refresh", study.root, wait)
    if result.is_new:
        click.echo(f"Published release {result.release_id}\n  report:   {study.current / 'report.html'}")
        click.echo(f"  checks:   {study.current / 'checks.html'}\n  database: {study.database}")
    else:
        click.echo(f"Nothing to do: release {result.release_id} holds all that is landed; nothing was changed.")
    if result.n_refused:
        click.echo(
            f"{result.n_refused} file(s) of the inbox were refused; see the reasons above and in quarantine/.", err=True
        )
        ctx.exit(1)


def _step_command(name: str, text: str) -> None:
    @main.command(name, help=text)
    @STUDY
    @WAIT
    def command(directory: Path, wait: float) -> None:
        from outcomes.study import StudyFolder

        _run(name, StudyFolder.open(directory).root, wait)


for _name, _text in {
    "land": "Take what is new in the inbox: check it at the door, land it, quarantine bad rows.",
    "build": "Build the tables of a candidate release from what is landed.",
    "audit": "Run the data-quality checks on the candidate release.",
    "fit": "Fit the study's declared models on the candidate release.",
    "answer": "Answer the study's questions from the candidate release.",
    "report": "Write the stakeholders' report of the candidate release.",
    "publish": "Publish the candidate release by one atomic swap.",
}.items():
    _step_command(_name, _text)


@main.command()
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


@main.command()
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
    from outcomes.study import StudyFolder

    study = StudyFolder.open(directory)
    from outcomes.flows.serve import Serving, serve_study

    serving = Serving(cron if cron or every or watch else "0 3 * * *", timezone, every, watch)
    serve_study(study, serving, announce=click.echo)


@main.command()
@STUDY
@click.argument("sql", metavar="SQL")
@click.option("--format", "form", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True)
@click.option(
    "--rows", default=50, show_default=True, help="How many rows a table shows at most; csv and json give all."
)
def query(directory: Path, sql: str, form: str, rows: int) -> None:
    """Ask the published database a question in SQL, read only.

    Example: outcomes query demo "select * from model_estimates"
    """
    from outcomes.operate.query import ask
    from outcomes.study import StudyFolder

    answer = ask(StudyFolder.open(directory), sql, form, rows)
    click.echo(visible(answer) if form == "table" else answer)


@main.command()
@STUDY
@WAIT
@click.option("--head", default="", metavar="HASH", help="A head that an earlier verification printed.")
def verify(directory: Path, wait: float, head: str) -> None:
    """Check the audit trail and every batch, quarantine file, release and link; name what was altered."""
    from outcomes.study import StudyFolder, writer_lock
    from outcomes.trust.verify import verify as verify_study

    study = StudyFolder.open(directory)
    with writer_lock(study, wait):
        found = verify_study(study, head)
    click.echo(visible(found.as_text()))
    found.raise_if_altered()


@main.command()
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


@main.command()
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


@main.command()
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


@main.command()
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
    rates = error_rates(size, cohorts, seed, study.settings.disclosure)
    keep_rates(study, rates, size, seed)
    for outcome, level in JUDGED:
        title = f"{outcome.capitalize()}, one row a {level}; percent of {cohorts} cohorts, * is true"
        click.echo(f"\n{title}\n{as_text(rates, outcome, level)}")


if __name__ == "__main__":
    sys.exit(main())
