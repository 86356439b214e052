"""Commands that fit one model over several studies without sharing rows."""

from __future__ import annotations

import time
from pathlib import Path

import click

from outcomes.cli.group import STUDY
from outcomes.errors import UsageError
from outcomes.link_names import LINK_NAMES

_SHARED = click.argument("folder", metavar="FOLDER", type=click.Path(path_type=Path, file_okay=False))
_POLL_SECONDS = 1.0


@click.group()
def federate() -> None:
    """Fit one model over several sites that may not share rows: masked sums in rounds of files.

    Somebody writes the plan into a folder that all sites can reach; each site runs `answer` until the result is there.
    """


@federate.command()
@_SHARED
@click.option("--formula", required=True, help="In lme4's syntax; random terms by client, therapist, practice.")
@click.option("--site", "sites", required=True, multiple=True, help="A site's name; at least three.")
@click.option("--table", default="mart_session_directiveness", show_default=True, help="Published table of every site.")
@click.option("--levels", multiple=True, metavar="COLUMN=A,B", help="Levels of a category, reference first.")
@click.option("--at-least", default=1, show_default=True, help="Complete rows that a client has, to take part.")
@click.option(
    "--up-to",
    default=0,
    metavar="N",
    help="The first N sessions of one course of each client only; missed ones count where the table has them.",
)
@click.option("--ml", is_flag=True, help="Maximum likelihood instead of REML, for a linear model.")
@click.option(
    "--family",
    type=click.Choice(["linear", "binomial"]),
    default="linear",
    show_default=True,
    help="Of a number, or of a yes or no (with random intercepts only).",
)
@click.option("--link", type=click.Choice(LINK_NAMES), help="Of a binomial model.  [default: logit]")
def plan(
    folder: Path,
    formula: str,
    sites: tuple[str, ...],
    table: str,
    levels: tuple[str, ...],
    at_least: int,
    up_to: int,
    ml: bool,
    family: str,
    link: str | None,
) -> None:
    """Write the plan: the model and who takes part.

    A yes or no, like `is_dropout` of mart_person_session, takes --family binomial.
    """
    from outcomes.federation.plan import Plan, short, write_plan

    if family == "linear" and link:
        raise UsageError("A linear model has no --link.", "write --family binomial for an outcome of yes or no")
    if family == "binomial" and ml:
        raise UsageError("A binomial model is fitted by maximum likelihood always.", "leave --ml out")
    if wrong := [part for part in levels if "=" not in part]:
        raise UsageError(f"--levels {wrong[0]} has no '='.", "write it as --levels gender=female,male")
    named = {name: values.split(",") for name, values in (part.split("=", 1) for part in levels)}
    link = link or "logit" if family == "binomial" else None
    made = Plan(formula, table, sites, reml=not ml, levels=named, fewest_rows=at_least, up_to=up_to, link=link)
    made.design  # noqa: B018  compiled now: a mistake in the formula is found before any site joins
    write_plan(folder, made)
    click.echo(
        f"Plan {short(made.id)} for {', '.join(sites)} in {folder}. Each site now runs `outcomes federate answer`."
    )


@federate.command()
@STUDY
@_SHARED
@click.option("--as", "name", required=True, metavar="SITE", help="This site's name in the plan.")
@click.option("--wait", default=0.0, metavar="SECONDS", help="Answer until the result is there, at most so long.")
def answer(directory: Path, folder: Path, name: str, wait: float) -> None:
    """Join the plan, or answer its open question, as one site.

    With --wait, other runs on the study are waited for, too.
    """
    from outcomes.federation.plan import read_plan
    from outcomes.federation.rounds import standing
    from outcomes.federation.site import answer as answer_open
    from outcomes.study import StudyFolder, writer_lock

    study = StudyFolder.open(directory)
    until = time.monotonic() + wait
    while True:
        with writer_lock(study, max(0.0, until - time.monotonic())):
            answered = answer_open(study, folder, name)
        if answered is not None:
            click.echo(f"Answered round {answered.number} as {name}.")
            continue
        where = standing(folder, read_plan(folder))
        if where.fit is not None or time.monotonic() >= until:
            break
        time.sleep(_POLL_SECONDS)
    _say(folder, where)


@federate.command()
@_SHARED
def show(folder: Path) -> None:
    """Say who is waited for, or show the result."""
    from outcomes.federation.plan import read_plan
    from outcomes.federation.rounds import standing

    _say(folder, standing(folder, read_plan(folder)))


def _say(folder: Path, where) -> None:
    from outcomes.federation.plan import read_plan
    from outcomes.federation.result import write_result

    if where.fit is None:
        what = f"round {where.question.number}" if where.question else "the sites' keys"
        click.echo(f"Open: {what}; waiting for {', '.join(where.waits_for)}.")
        return
    path = write_result(folder, read_plan(folder), where.fit)
    click.echo(f"{where.fit.summary()}\nWritten: {path}")
