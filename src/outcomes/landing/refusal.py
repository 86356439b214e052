"""The refusal of a whole file, on its way from where it is noticed to where it is recorded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from outcomes.contract import Refusal, Rule
from outcomes.errors import DataRefused, OutcomesError, place_of
from outcomes.store.warehouse import DATABASE_FAULTS

_LONGEST = 60  # signs of a name in a sentence; a question of a survey may be one
_PANIC = "PanicException"  # of libraries in Rust: no `Exception`, and each has a class of its own


class FileRefused(DataRefused):
    """A whole file is refused; `refusal` says why in the contract's words."""

    def __init__(self, refusal: Refusal, message: str, hint: str) -> None:
        super().__init__(message, hint)
        self.refusal = refusal
        self.rows_read = 0
        self.quarantined_by_rule: dict[Rule, int] = {}

    def __reduce__(self):
        return type(self), (self.refusal, self.message, self.hint)


@contextmanager
def refusing_the_unforeseen() -> Iterator[None]:
    """Make an error that nobody foresaw while one file is read the refusal of that file.

    Its kind and its place in our code are told, its text is not: it may quote the file. Errors of ours, of the system,
    of a database that cannot be written, of too little memory, and an interrupt pass: they are not the file's.

    Raises
    ------
    FileRefused
        In place of any other error.
    """
    try:
        yield
    except (OutcomesError, OSError, MemoryError, *DATABASE_FAULTS):
        raise
    except BaseException as failed:
        if not _is_unforeseen(failed):
            raise
        raise FileRefused(
            Refusal.UNFORESEEN, f"reading the file failed unexpectedly: {place_of(failed)}",
            "report this line with the version of the program, and export the file in another format meanwhile",
        ) from None  # fmt: skip


def _is_unforeseen(failed: BaseException) -> bool:
    if isinstance(failed, duckdb.InterruptException) or (type(failed) is RuntimeError and "interrupted" in str(failed)):
        return False  # DuckDB turns Ctrl-C into an error of its own
    return isinstance(failed, Exception) or type(failed).__name__ == _PANIC


def counted(number: int, one: str, many: str = "") -> str:
    """Write a number with its noun: `1 row`, `2,000 rows`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def listed(names: tuple[str, ...] | list[str], most: int = 12) -> str:
    """Write names for a sentence, at most `most`, long ones cut, each so that invisible characters are seen."""
    cut = [name if len(name) <= _LONGEST else f"{name[:_LONGEST]}..." for name in names[:most]]
    shown = ", ".join(ascii(name) if not name.isprintable() else f"'{name}'" for name in cut)
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
