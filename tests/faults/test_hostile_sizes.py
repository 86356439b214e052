"""Files that are far too large in one way or another are refused in words, within little memory."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from processes import HANGS_SECONDS

from outcomes.study import StudyFolder

from .deliveries import HEADER

MOST_MEGABYTES = 250  # that landing one file may add to the program's own
ROW = "t1,c1x,1,5,5\n"
# Landing in a process of its own, which says what it needed.
LAND = """
import json, sys
from pathlib import Path
from outcomes.landing import land_inbox
from outcomes.study import StudyFolder
def megabytes():
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1024
study, before = StudyFolder.open(sys.argv[1]), megabytes()
(refused,) = land_inbox(study).refused
print(json.dumps([refused.refusal, refused.message, refused.hint, megabytes() - before]))
"""


def sparse(path: Path) -> None:
    with path.open("wb") as stream:
        stream.truncate(5_000_000_000)


def preallocated(path: Path) -> None:
    """A download that was given all its room and got only its beginning."""
    path.write_text(f"{HEADER}\n{ROW}")
    with path.open("r+b") as stream:
        stream.truncate(5_000_000_000)


def bomb(path: Path) -> None:
    """Ten gigabytes packed a thousandfold, under the study's limit of 20."""
    block = b"t1,c1x,1,5,5\n" * 800_000
    with gzip.open(path, "wb", compresslevel=9) as stream:
        stream.write(f"{HEADER}\n".encode())
    packed = gzip.compress(block, compresslevel=9)
    with path.open("ab") as stream:  # a gzip file may have many members
        for _ in range(960):
            stream.write(packed)


def one_line(path: Path) -> None:
    path.write_text(f"{HEADER}\nt1,{'c' * 100_000_000},1,5,5\n")


def one_quoted_cell(path: Path) -> None:
    lines = ("c" * 99 + "\n") * 1_000_000
    path.write_text(f'{HEADER}\nt1,"{lines}",1,5,5\n')


def one_header(path: Path) -> None:
    path.write_text(f"{HEADER},{'c' * 100_000_000}\n{ROW}")


def many_columns(path: Path) -> None:
    path.write_text(f"{HEADER},{','.join(f'x{number}' for number in range(120_000))}\n{ROW}")


def one_json_line(path: Path) -> None:
    path.write_text(json.dumps({"client_id": "c" * 100_000_000}) + "\n")


def many_keys(path: Path) -> None:
    path.write_text(json.dumps({f"x{number}": number for number in range(60_000)}) + "\n")


def deep_json(path: Path) -> None:
    path.write_text('{"client_id":' + "[" * 400_000 + "]" * 400_000 + "}\n")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of memory is read from /proc")
@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("sessions.csv", sparse),
        ("sessions.csv", preallocated),
        ("sessions.csv.gz", bomb),
        ("sessions.csv", one_line),
        ("sessions.csv", one_quoted_cell),
        ("sessions.csv", one_header),
        ("sessions.csv", many_columns),
        ("sessions.ndjson", one_json_line),
        ("sessions.ndjson", many_keys),
        ("sessions.ndjson", deep_json),
        ("sessions.parquet", sparse),
    ],
)
def test_a_file_of_hostile_size_is_refused_within_little_memory(
    name: str, make: Callable[[Path], None], empty_study: StudyFolder, record_property
):
    make(empty_study.inbox / name)
    landed = subprocess.run(
        [sys.executable, "-c", LAND, str(empty_study.root)], capture_output=True, text=True, timeout=HANGS_SECONDS
    )
    assert landed.returncode == 0, landed.stderr
    refusal, message, hint, megabytes = json.loads(landed.stdout)
    record_property("refused", f"{refusal}: {message}; {megabytes:.0f} MB")
    assert message
    assert hint
    assert len(message) < 1000
    assert megabytes < MOST_MEGABYTES
    assert not list(empty_study.quarantine.glob(".aside-*"))
