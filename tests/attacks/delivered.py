"""What leaves a study, as somebody who keeps it all has it: pages, PDFs, mails. Nothing else is opened."""

from __future__ import annotations

import email
import email.policy
import io
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import pypdf


@dataclass
class Table:
    """A table: texts of its head and of its rows."""

    head: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)


@dataclass
class Part:
    """One section of a page: its sentences, its tables, the texts in its pictures and the places of their marks."""

    name: str
    sentences: list[str] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    places: list[str] = field(default_factory=list)

    def table(self, head: str) -> Table | None:
        """The first table whose first heading starts so."""
        return next((one for one in self.tables if one.head and one.head[0].startswith(head)), None)


class _Page(HTMLParser):
    """Takes a page apart."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[Part] = [Part("page")]
        self._text: list[str] = []
        self._row: list[str] | None = None
        self._is_drawing = 0
        self._is_hidden = 0

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "section":
            self.parts.append(Part(given.get("id", "")))
        elif tag == "svg":
            self._is_drawing += 1
        elif tag == "style":
            self._is_hidden += 1
        elif tag == "table":
            self.parts[-1].tables.append(Table())
        elif tag == "tr":
            self._row = []
        if tag in ("td", "th", "p", "li", "h1", "h2", "h3", "figcaption", "summary", "text"):
            self._text = []
        if given.get("aria-label"):
            self.parts[-1].labels.append(given["aria-label"])
        if self._is_drawing:
            self.parts[-1].places += [given[name] for name in ("d", "transform") if given.get(name)]

    def handle_endtag(self, tag):
        said = " ".join("".join(self._text).split())
        if tag == "svg":
            self._is_drawing -= 1
        elif tag == "style":
            self._is_hidden -= 1
        elif tag in ("td", "th") and self._row is not None:
            self._row.append(said)
        elif tag == "tr" and self._row is not None:
            table = self.parts[-1].tables[-1]
            if table.head:
                table.rows.append(self._row)
            else:
                table.head = self._row
            self._row = None
        elif tag == "text":
            self.parts[-1].labels.append(said)
        elif tag in ("p", "li", "h1", "h2", "h3", "figcaption", "summary"):
            self.parts[-1].sentences.append(said)

    def handle_data(self, data):
        if not self._is_hidden:
            self._text.append(data)


@dataclass(frozen=True)
class Delivered:
    """All that one release handed out.

    Attributes
    ----------
    parts : dict of str to Part
        Sections of the page by name.
    pdf, mail : str
        Texts; empty where there was none.
    """

    parts: dict[str, Part]
    pdf: str = ""
    mail: str = ""


def page(html: str) -> dict[str, Part]:
    """Take a page apart."""
    reader = _Page()
    reader.feed(html)
    reader.close()
    return {part.name: part for part in reader.parts}


def pages(*htmls: str) -> dict[str, Part]:
    """Take all pages of one release apart; sections of the same name are read as one."""
    found: dict[str, Part] = {}
    for html in htmls:
        for name, part in page(html).items():
            one = found.setdefault(name, Part(name))
            for kind in ("sentences", "tables", "labels", "places"):
                getattr(one, kind).extend(getattr(part, kind))
    return found


def of_folder(folder: Path) -> list[Delivered]:
    """Read a folder that documents were delivered into, a folder a release, oldest first."""
    own = sorted((path for path in folder.iterdir() if path.is_dir()), key=lambda path: path.stat().st_mtime_ns)
    return [
        Delivered(
            pages(*(path.read_text(encoding="utf-8") for path in sorted(one.glob("*.html")))),
            "\n".join(pdf_text(path) for path in sorted(one.glob("*.pdf"))),
        )
        for one in own
    ]


def of_mails(paths: list[Path]) -> list[Delivered]:
    """Read mails with reports attached, in the order given."""
    return [_of_mail(path) for path in paths]


def _of_mail(path: Path) -> Delivered:
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    files = {part.get_filename(): part.get_payload(decode=True) for part in message.iter_attachments()}
    read = [files[name].decode() for name in sorted(files) if name.endswith(".html") and name != "checks.html"]
    pdfs = [pdf_text(io.BytesIO(files[name])) for name in sorted(files) if name.endswith(".pdf")]
    body = message.get_body(("plain",)).get_content()
    return Delivered(pages(*read), "\n".join(pdfs), f"{message['Subject']}\n{body}")


def pdf_text(pdf) -> str:
    """Return the text of a PDF, a path or a stream; empty where there is no file."""
    if isinstance(pdf, Path) and not pdf.is_file():
        return ""
    return "\n".join(sheet.extract_text() for sheet in pypdf.PdfReader(pdf).pages)


def numbers(text: str) -> set[str]:
    """Every number in a text, as it is written."""
    return set(re.findall(r"\d[\d,]*(?:\.\d+)?", text))
