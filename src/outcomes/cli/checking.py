"""The command that looks at source files before they land."""

from __future__ import annotations

from pathlib import Path

import click

from outcomes.errors import UsageError, visible

REFUSED = 1  # exit code
_MOST_FILES = 200


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option(
    "--study", "directory", metavar="DIR", type=click.Path(path_type=Path, file_okay=False),
    help="Use the mapping of this study in place of guesses.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print it for machines.")
@click.pass_context
def check(ctx: click.Context, files: tuple[Path, ...], directory: Path | None, as_json: bool) -> None:
    """Look at source files before they land, and write nothing.

    Says what each file is, what its columns would become, what is not known, what seems to point at persons, which rows
    would be quarantined, which of the study's questions can be answered, and the lines of study.toml to paste. A folder
    stands for the files in it. Exit code 1 where a file cannot be read.
    """
    from outcomes.preview import words
    from outcomes.preview.look import look_at
    from outcomes.study import StudyFolder

    settings = StudyFolder.open(directory).settings if directory else None
    look = look_at(files_in(files), settings)
    click.echo(visible(words.as_json(look) if as_json else words.as_text(look)))
    if look.n_refused:
        ctx.exit(REFUSED)


def files_in(paths: tuple[Path, ...]) -> list[Path]:
    """Return the files that are meant: a folder stands for the files in it, without hidden ones.

    Raises
    ------
    UsageError
        If there is none, or too many.
    """
    found: list[Path] = []
    for path in paths:
        inside = sorted(path.rglob("*")) if path.is_dir() else [path]
        found += [one for one in inside if one.is_file() and not (path.is_dir() and one.name.startswith((".", "~")))]
    if not found:
        raise UsageError("There is no file to look at", "name a file, or a folder with files")
    if len(found) > _MOST_FILES:
        raise UsageError(f"These are {len(found):,} files", f"name up to {_MOST_FILES}")
    return found
