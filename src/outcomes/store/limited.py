"""One question to a database in a process of its own, which reads that file only and is ended at its limits.

An interrupt inside DuckDB is not enough: `select repeat('x', 2000000000)` listened to none for ten seconds and took
4 GB.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb

from outcomes.errors import UsageError

_READS = duckdb.StatementType.SELECT  # with `describe`, `show`, `summarize`, `from`, `values`
_ROOM_FACTOR = 4  # address space of the process by the memory of the database: code, threads, the answer
_SIGNS_OF_ALL = 2_000_000
_DEAF_SECONDS = 5.0  # start of the process, and time to say that it was interrupted


@dataclass(frozen=True)
class Limits:
    """What one question may take.

    Attributes
    ----------
    seconds : float
        Time; the process is ended then.
    memory_mb : int
        Memory of the database; a question that needs more is refused, nothing is put on the disk.
    rows, columns : int
        Most that are returned.
    signs : int
        Of one cell; a longer text is cut.
    """

    seconds: float = 10.0
    memory_mb: int = 512
    rows: int = 500
    columns: int = 100
    signs: int = 2_000


USUAL = Limits()


@dataclass(frozen=True)
class LimitedAnswer:
    """The rows of an answer, and what was cut off.

    Attributes
    ----------
    columns : tuple of str
    rows : tuple of tuples
        Texts, numbers, truth values; None where a cell is missing.
    is_cut : bool
        Whether there are more rows, columns or signs than are here.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str | int | float | bool | None, ...], ...]
    is_cut: bool


def ask_limited(database: Path, sql: str, limits: Limits = USUAL) -> LimitedAnswer:
    """Run one statement that reads; it reaches no other file, no network, no setting and no Python object.

    Raises
    ------
    UsageError
        If it is not one statement that reads, cannot be run, or reaches a limit; DuckDB's own words are passed on.
    """
    asked = json.dumps({"database": str(database), "sql": sql, "limits": asdict(limits)})
    command = [sys.executable, "-m", __name__]
    safe = {name: value for name, value in os.environ.items() if name in ("PATH", "PYTHONPATH", "LANG", "TMPDIR")}
    try:
        done = subprocess.run(
            command, input=asked.encode(), capture_output=True, timeout=limits.seconds + _DEAF_SECONDS,
            env={**safe, "PYTHONSAFEPATH": "1"}, check=False,
        )  # fmt: skip
        told = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError):
        raise _too_much(limits) from None
    if "refused" in told:
        raise UsageError(told["refused"], told["hint"])
    return LimitedAnswer(tuple(told["columns"]), tuple(map(tuple, told["rows"])), told["is_cut"])


def _too_much(limits: Limits) -> UsageError:
    return UsageError(
        f"The question took more than {limits.seconds:g} seconds or {limits.memory_mb} MB, and was stopped",
        "ask for less, or in a terminal, where there are no limits: `outcomes query`",
    )


def _answer(database: str, sql: str, limits: Limits) -> dict:
    """In the process of its own: run it."""
    config = {
        "autoinstall_known_extensions": "false", "autoload_known_extensions": "false",
        "enable_external_access": "false",
        "python_enable_replacements": "false", "memory_limit": f"{limits.memory_mb}MB", "temp_directory": "",
        "threads": "2",
    }  # fmt: skip
    with duckdb.connect(database, read_only=True, config=config) as con:
        con.execute("set lock_configuration = true")
        kinds = [statement.type for statement in con.extract_statements(sql)]
        if kinds != [_READS]:
            raise UsageError(
                f"This is {len(kinds)} statements" if len(kinds) != 1 else "This statement does not read",
                "write one `select` (or `from`, `describe`, `show tables`, `summarize`)",
            )
        answer = con.sql(sql).limit(limits.rows + 1)
        names, found = answer.columns, answer.fetchall()
    rows, is_cut, left = [], len(found) > limits.rows or len(names) > limits.columns, _SIGNS_OF_ALL
    for row in found[: limits.rows]:
        cells = [_plain(cell) for cell in row[: limits.columns]]
        is_cut |= any(isinstance(cell, str) and len(cell) > limits.signs for cell in cells)
        rows.append([cell[: limits.signs] if isinstance(cell, str) else cell for cell in cells])
        left -= sum(len(str(cell)) for cell in rows[-1])
        if left < 0:
            is_cut = True
            break
    return {"columns": names[: limits.columns], "rows": rows, "is_cut": is_cut}


def _plain(cell: object) -> str | int | float | bool | None:
    is_plain = cell is None or isinstance(cell, str | bool) or (isinstance(cell, int) and abs(cell) < 2**53)
    is_number = isinstance(cell, float) and cell == cell and abs(cell) != float("inf")
    return cell if is_plain or is_number else str(cell)


def _set_limits(limits: Limits) -> None:
    """Have the operating system end or refuse what DuckDB does not."""
    import resource

    megabyte, seconds = 1024 * 1024, int(limits.seconds) + 1
    for what, most in (
        (resource.RLIMIT_AS, _ROOM_FACTOR * limits.memory_mb * megabyte),
        (resource.RLIMIT_CPU, 2 * seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def _main() -> None:
    import threading

    asked = json.loads(sys.stdin.buffer.read())
    limits = Limits(**asked["limits"])
    _set_limits(limits)
    end = threading.Timer(limits.seconds, os._exit, (1,))
    end.daemon = True
    end.start()
    try:
        told = _answer(asked["database"], asked["sql"], limits)
    except UsageError as refused:
        told = {"refused": refused.message, "hint": refused.hint}
    except (MemoryError, duckdb.OutOfMemoryException):
        refused = _too_much(limits)
        told = {"refused": refused.message, "hint": refused.hint}
    except duckdb.Error as wrong:
        told = {
            "refused": f"The database did not accept this: {wrong}",
            "hint": "`select * from codebook` lists tables and columns",
        }
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    _main()
