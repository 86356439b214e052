"""Refused files in words: each by itself where they are few, summed up by kind where they are many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from outcomes.contract import REFUSAL_REASONS
from outcomes.errors import DataRefused
from outcomes.landing import Refused, n_files
from outcomes.landing.files import part_hashes
from outcomes.store.files import file_sha256, read_json
from outcomes.study import StudyFolder

RECORD = ".refused.json"
"""How the names of records of refused files end, in `quarantine/`."""

MOST_TOLD = 5
"""Refused files that are told of one by one."""


def refusal_lines(refused: Sequence[Refused]) -> tuple[str, ...]:
    """Say what was refused and what to try.

    Many files are summed up by the kind of refusal, with the first file of each kind as the example; the records in
    `quarantine/` have all.
    """
    if len(refused) <= MOST_TOLD:
        names = [one.file_name for one in refused]
        return tuple(
            f"{one.file_name} was refused{f' as {one.kind}' if names.count(one.file_name) > 1 else ''}: "
            f"{one.message}. Try: {one.hint}"
            for one in refused
        )
    lines = []
    for kind in dict.fromkeys(one.refusal for one in refused):
        of_kind = [one for one in refused if one.refusal is kind]
        first = of_kind[0]
        lines.append(
            f"{n_files(of_kind):,} file(s) were refused ({kind}): {REFUSAL_REASONS[kind]}. "
            f"The first, {first.file_name}: {first.message}. Try: {first.hint}"
        )
    return (*lines, "each refused file has its record in quarantine/ (*.refused.json); `outcomes status` lists them")


def read_refusals(study: StudyFolder) -> tuple[Mapping[str, Any], ...]:
    """Return the records of all refused files: name, hash, reason, message, hint; no value of a file."""
    return tuple(read_json(path) for path in sorted(study.quarantine.glob(f"*{RECORD}")))


def hashes_in_inbox(study: StudyFolder) -> dict[Path, tuple[str, frozenset[str]]]:
    """Return each file of the inbox with its hash, and with the hashes of all that it holds for one kind or more."""
    hashes = {path: file_sha256(path) for path in sorted(study.inbox.glob("[!.~]*")) if path.is_file()}
    return {
        path: (sha256, frozenset({sha256, *part_hashes(path.name, sha256, study.settings)}))
        for path, sha256 in hashes.items()
    }


def lying_refusals(study: StudyFolder) -> tuple[Mapping[str, Any], ...]:
    """Return the records of refused files whose content still lies in the inbox, in the order of names."""
    lying = frozenset().union(*(parts for _, parts in hashes_in_inbox(study).values()))
    return tuple(sorted((one for one in read_refusals(study) if one["sha256"] in lying), key=_name))


def refuse_nothing_but_refused(study: StudyFolder) -> None:
    """Say of a study without landed sessions that its files are refused, where they are.

    Raises
    ------
    DataRefused
        If files of the inbox are refused.
    """
    if n_refused := _n_files(lying_refusals(study)):
        raise DataRefused(
            f"No sessions are landed: {n_refused:,} file(s) of the inbox are refused",
            "read the reasons in `outcomes status` or quarantine/ (*.refused.json), mend the files or study.toml, and "
            "refresh again",
        )


def refusal_summary(refused: Sequence[Mapping[str, Any]]) -> str:
    """Sum up refused files in one paragraph: how many of each kind, why, and which.

    Parameters
    ----------
    refused : sequence of mappings
        Records, as `lying_refusals` gives them.
    """
    lines = [f"{_n_files(refused):,} file(s) of the inbox are refused and left out:"]
    for kind in dict.fromkeys(one["refusal"] for one in refused):
        names = list(dict.fromkeys(one["file_name"] for one in refused if one["refusal"] == kind))
        more = f" and {len(names) - MOST_TOLD:,} more" if len(names) > MOST_TOLD else ""
        lines.append(f"  {len(names):,} x {kind}: {', '.join(names[:MOST_TOLD])}{more}")
    return "\n".join([*lines, "  Each has its reason and its remedy in quarantine/ and above."])


def _n_files(records: Sequence[Mapping[str, Any]]) -> int:
    """Count files: one that feeds several kinds may have a record for each."""
    return len({one["file_name"] for one in records})


def _name(record: Mapping[str, Any]) -> str:
    return record["file_name"]
