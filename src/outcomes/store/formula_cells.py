"""A text cell that a spreadsheet would run as a formula, and how one is disarmed; needs no table library."""

from __future__ import annotations

import re

# A text cell that begins so, and is no plain number, is run by spreadsheets (OWASP, CSV injection).
FORMULA_START = r"^[=+\-@\t\r\n＝＋－＠]"
PLAIN_NUMBER = r"^[+\-]?[0-9]+([.,][0-9]+)?([eE][+\-]?[0-9]+)?$"


def neutral_cell(cell: str) -> str:
    """Put an apostrophe before a cell that a spreadsheet would run; numbers stay as they are."""
    return "'" + cell if re.match(FORMULA_START, cell) and not re.match(PLAIN_NUMBER, cell) else cell
