"""Commands for researchers: ask, compare, take along, open a notebook."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import click

from outcomes.errors import visible

PLACE = click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
FORMS = ("table", "csv", "json", "parquet")
EXPORTS = ("parquet", "csv", "rds-ready", "sav")  # outcomes.operate.exporting.ExportFormat
NOTEBOOKS = ("first_look", "own_model", "sealed_analysis")  # the files in notebooks/
RELEASE = click.option("--release", "which", default="", metavar="ID", help="A release's id; else the published one.")


@click.command()
@PLACE
@click.argument("sql", metavar="SQL")
@click.option("--format", "form", type=click.Choice(FORMS), default="table", show_default=True)
@click.option(
    "--rows", default=50, show_default=True, help="How many rows a table shows at most; the other formats give all."
)
@click.option("--vertical", is_flag=True, help="One column a line: for wide rows.")
@RELEASE
@click.option(
    "--to", "target", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False), help="Write to a file."
)
def query(directory: Path, sql: str, form: str, rows: int, vertical: bool, which: str, target: Path | None) -> None:
    """Ask a release's database a question in SQL, read only.

    DIR is a study, or a release in its releases/. Example: outcomes query demo "select * from model_estimates"
    """
    from outcomes.operate.query import ask, ask_for_bytes, keep_answer
    from outcomes.release.places import find_study

    study, of_path = find_study(directory)
    release, is_terminal = which or of_path, sys.stdout.isatty()
    if form == "parquet":
        if target is None and is_terminal:
            raise click.UsageError("Parquet is not for a terminal: give --to FILE, or pipe it on.")
        keep_answer(ask_for_bytes(study, sql, release=release), target)
        return
    size = {"width": shutil.get_terminal_size().columns} if is_terminal and target is None else {}
    answer = ask(study, sql, form, rows, release=release, vertical=vertical, **size)
    said = visible(answer) if form == "table" else answer
    if target is None:
        click.echo(said)
    else:
        keep_answer(f"{said}\n".encode(), target)


@click.command()
@PLACE
@click.argument("before", metavar="[A", required=False, default="")
@click.argument("after", metavar="B]", required=False, default="")
@click.option("--json", "as_json", is_flag=True, help="Print it for machines.")
def diff(directory: Path, before: str, after: str, as_json: bool) -> None:
    """Say what changed from release A to release B, and why: data, study file or code.

    Without ids: from the release before to the published one. With one: from it to the published one.
    """
    from outcomes.operate.comparing import compare_releases, pair_of_releases
    from outcomes.release.places import find_study

    study, of_path = find_study(directory)
    found = compare_releases(*pair_of_releases(study, before or of_path, after))
    width = shutil.get_terminal_size((120, 24)).columns
    click.echo(found.as_json() if as_json else visible(found.as_text(width)))


@click.command()
@PLACE
@click.option("--to", "target", required=True, metavar="FOLDER", type=click.Path(path_type=Path), help="A new folder.")
@click.option("--format", "form", required=True, type=click.Choice(EXPORTS), help="rds-ready: CSV and a script for R.")
@click.option("--table", "tables", multiple=True, metavar="NAME", help="A table instead of the marts; may be repeated.")
@RELEASE
def export(directory: Path, target: Path, form: str, tables: tuple[str, ...], which: str) -> None:
    """Write the marts of a release and its codebook into a new folder, for other programs.

    De-identified as published. What was taken along is out of the study's reach: a withdrawal does not find it.
    """
    from outcomes.operate.exporting import ExportFormat, export_release
    from outcomes.release.places import find_release, find_study

    study, of_path = find_study(directory)
    release = find_release(study, which or of_path)
    written = export_release(study, release, target, ExportFormat(form), tables)
    click.echo(f"Wrote release {release.release_id} to {written.folder}")
    for name, n in written.n_rows.items():
        click.echo(f"  {name:<28}{n:>10,} rows")


@click.command()
@PLACE
@click.option("--which", type=click.Choice(NOTEBOOKS), default=NOTEBOOKS[0], show_default=True, help="Which one.")
@click.option("--headless", is_flag=True, help="Open no browser; print the address.")
@click.option("--html", "page", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False),
              help="Run it and keep the page instead.")  # fmt: skip
@click.option("--ipynb", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False),
              help="Write it for Jupyter instead.")  # fmt: skip
def notebook(directory: Path, which: str, headless: bool, page: Path | None, ipynb: Path | None) -> None:
    """Open a notebook on a study: a copy in its notebooks/, which is yours to change.

    Needs the extra: pip install 'outcomes[notebooks]'.
    """
    from outcomes.operate.notebooks import export_notebook, open_notebook, own_copy
    from outcomes.release.places import find_study

    study, _ = find_study(directory)
    copy = own_copy(study, which)
    if page or ipynb:
        for target, form in ((page, "html"), (ipynb, "ipynb")):
            if target:
                export_notebook(study, copy, target, form)
                click.echo(f"Wrote {target}")
        return
    click.echo(f"Opening {copy}")
    open_notebook(study, copy, headless)
