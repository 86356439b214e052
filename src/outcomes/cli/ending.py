"""How a refresh ended, as one JSON object for machines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from outcomes.cli.group import in_words

if TYPE_CHECKING:
    from outcomes.study import StudyFolder


def ended(study: StudyFolder, result: Any, exit_code: int) -> str:
    """Return how a refresh ended: release, findings, refused files, seconds by step, where what is.

    Parameters
    ----------
    study : StudyFolder
    result : outcomes.flows.jobs.Refreshed
    exit_code : int
        As the command ends.
    """
    from outcomes.operate import read_status
    from outcomes.operate.refusals import lying_refusals

    found = read_status(study).findings
    findings = {name: list(getattr(found, name)) for name in ("new", "persisting", "resolved")} if found else {}
    told = ("file_name", "refusal", "message", "hint")
    return _written(
        end="published" if result.is_new else "nothing new",
        exit_code=exit_code,
        study=study.settings.study.name,
        release_id=result.release_id,
        findings=findings,
        n_refused=result.n_refused,
        refused=[{name: one[name] for name in told} for one in lying_refusals(study)],
        seconds=result.seconds,
        release=str(study.current),
        database=str(study.database),
    )


@contextmanager
def failed(as_json: bool) -> Iterator[None]:
    """Where a block fails, print how as JSON, too; the message on stderr and the exit code stay as they are."""
    try:
        yield
    except Exception as unforeseen:
        if as_json:
            said = in_words(unforeseen)
            click.echo(
                _written(
                    end="failed", exit_code=said.exit_code, error=type(said).__name__, message=said.message,
                    hint=said.hint,
                )
            )  # fmt: skip
        raise


def _written(**facts: Any) -> str:
    return json.dumps(facts, indent=2, ensure_ascii=True)
