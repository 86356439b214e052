"""Tables as HTML for notebooks: spaced by themselves, because some notebooks take away all styles."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

_LEFT = "text-align:left;padding:1px 10px 1px 0;vertical-align:top"
_RIGHT = "text-align:right;padding:1px 10px 1px 0;vertical-align:top;font-variant-numeric:tabular-nums"


def as_html_table(header: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[bool] = ()) -> str:
    """Write a table; texts are escaped.

    Parameters
    ----------
    header : sequence of str
        Names of the columns; no head is written where all are empty.
    rows : sequence of sequences of str
    numbers : sequence of bool
        Which columns stand to the right; none where left out.
    """
    styles = [_RIGHT if is_number else _LEFT for is_number in (numbers or [False] * len(header))]
    head = "".join(f'<th style="{s}">{escape(name)}</th>' for name, s in zip(header, styles, strict=True))
    body = "".join(
        "<tr>" + "".join(f'<td style="{s}">{escape(cell)}</td>' for cell, s in zip(row, styles, strict=True)) + "</tr>"
        for row in rows
    )
    return f"<table>{f'<thead><tr>{head}</tr></thead>' if any(header) else ''}<tbody>{body}</tbody></table>"
