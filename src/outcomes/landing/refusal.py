"""The refusal of a whole file, on its way from where it is noticed to where it is recorded."""

from __future__ import annotations

from outcomes.contract import Refusal, Rule
from outcomes.errors import DataRefused


class FileRefused(DataRefused):
    """A whole file is refused; `refusal` says why in the contract's words."""

    def __init__(self, refusal: Refusal, message: str, hint: str) -> None:
        super().__init__(message, hint)
        self.refusal = refusal
        self.rows_read = 0
        self.quarantined_by_rule: dict[Rule, int] = {}

    def __reduce__(self):
        return type(self), (self.refusal, self.message, self.hint)


def counted(number: int, one: str, many: str = "") -> str:
    """Write a number with its noun: `1 row`, `2,000 rows`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def listed(names: tuple[str, ...] | list[str], most: int = 12) -> str:
    """Write names for a sentence, each shown so that invisible characters are seen, at most `most` of them."""
    shown = ", ".join(ascii(name) if not name.isprintable() else f"'{name}'" for name in names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
