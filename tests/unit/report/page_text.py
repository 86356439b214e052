"""Reading a report as a person and as an attacker would."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_ASIDE = ("style", "nav", "caption")


class _Text(HTMLParser):
    """Visible text, the labels inside pictures and their descriptions too.

    Style sheets are left out, and what repeats the page for those who do not see it or move in it: contents, captions
    of tables, links to data.
    """

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self._hidden = 0
        self._links: list[bool] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        self._hidden += tag in _ASIDE or self._is_aside(tag, attrs)
        self.parts += [value for name, value in attrs if name == "aria-label" and value]

    def _is_aside(self, tag, attrs) -> bool:
        if tag != "a":
            return False
        self._links.append(dict(attrs).get("class") in ("skip", "data"))
        return self._links[-1]

    def handle_endtag(self, tag):
        self._hidden -= tag in _ASIDE or (tag == "a" and self._links.pop())
        self.parts.append(" ")

    def handle_data(self, data):
        if not self._hidden:
            self.parts.append(data)


def parsed(html: str) -> _Text:
    """The page taken apart."""
    reader = _Text()
    reader.feed(html)
    reader.close()
    return reader


def visible_text(html: str) -> str:
    """What a reader sees, in one line."""
    return " ".join(" ".join(parsed(html).parts).split())


def whole_numbers(html: str) -> set[int]:
    """Every whole number that a reader sees, but percentages and parts of decimals."""
    found = re.findall(r"(?<![\d.,\w])(\d{1,3}(?:,\d{3})+|\d+)(?![\d%\w]|[.,]\d)", visible_text(html))
    return {int(number.replace(",", "")) for number in found}
