"""The group of commands: what every command shares, and what becomes of errors."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from outcomes.errors import OutcomesError, StepFailed, StorageError, place_of
from outcomes.stopping import stoppable

STUDY = click.argument("directory", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
WAIT = click.option("--wait", default=0.0, metavar="SECONDS", help="Wait so long for another run on this study to end.")

CLUSTER = click.option(
    "--cluster",
    default="",
    metavar="ADDRESS",
    help="Dask scheduler whose workers help, e.g. tcp://10.0.0.5:8786; goes before [cluster] in study.toml.",
)


class Outcomes(click.Group):
    """Turn our errors into one clear message and their exit code; list the commands in the order of the work."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with stoppable():
                return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as failed:
            if os.environ.get("OUTCOMES_DEBUG"):
                raise
            refusal = in_words(failed)
            click.echo(f"outcomes: {refusal}", err=True)
            ctx.exit(refusal.exit_code)


def in_words(failed: Exception) -> OutcomesError:
    """An error of ours as it is; what nobody foresaw without its own text, which may quote data."""
    if isinstance(failed, OutcomesError):
        return failed
    if isinstance(failed, OSError) and failed.strerror:
        where = f": {failed.filename}" if failed.filename else ""
        return StorageError(f"{failed.strerror}{where}", "check space and permissions; then do it again")
    return StepFailed(
        f"It failed unexpectedly: {place_of(failed)}",
        "do it again: what was finished stays; OUTCOMES_DEBUG=1 shows the whole error (it may show data)",
    )


def run(job: str, study: Path, wait: float, **more: Any) -> Any:
    """Run a job by hand; what it needs is imported only then."""
    from outcomes.flows.by_hand import run_by_hand

    return run_by_hand(job, str(study), wait, **more)
