"""The page as a tree of blocks and spans, for a medium other than the browser.

Only elements that are named here are known: another one is refused, so that nothing is left out unseen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

from outcomes.errors import StepFailed

Node = dict[str, Any]

_SPANS_TEXT = "a abbr b br cite code dfn em i kbd mark q small span strong sub sup time u var"
_BLOCKS_TEXT = """
    html body header main footer section article aside div p blockquote h1 h2 h3 h4 h5 h6 ul ol li dl dt dd
    table caption thead tbody tfoot tr th td figure figcaption details summary hr svg
"""
SPANS, BLOCKS = frozenset(_SPANS_TEXT.split()), frozenset(_BLOCKS_TEXT.split())
LEFT_OUT = frozenset({"head", "title", "nav", "style", "script", "link", "meta", "template"})
"""Not shown on paper: contents are the outline of the document there."""

_VOID = frozenset({"br", "hr", "link", "meta"})
_ONLY_ON_SCREEN = frozenset({"narrow", "screen-only"})  # a second picture for phones, a hint on how to use the page
_HEADING = re.compile(r"h[1-6]")
_DRAWING = re.compile(r"<svg\b.*?</svg>", re.DOTALL)
_SPACE = re.compile(r"[ \t\n\r\f]+")
_NAMESPACE = 'xmlns="http://www.w3.org/2000/svg"'
_LINK = re.compile(r"#.|https?://|mailto:")
_TARGET = re.compile(r'href="#([^"]+)"')


def read_page(html: str) -> Node:
    """Read a page that we wrote.

    Parameters
    ----------
    html : str
        A whole page with balanced tags.

    Returns
    -------
    dict
        `title`, `language` and `blocks`. A block has `name`, `classes` and `children`: either all blocks, or spans and
        strings without needless white space; an `anchor` stands where a link leads. Levels of headings leave no gap. A
        table has `head` and `rows` of cells and `columns`; an `svg` has `source`, `description`, `width` and `height`
        in px.

    Raises
    ------
    StepFailed
        If an element is not known, or a tag is not closed.
    """
    reader = _Reader(html)
    blocks = _blocks(reader.root["children"])
    _close_gaps(blocks, 0)
    anchors = {node["id"] for node in nodes(blocks) if node["name"] == "anchor"}
    for node in nodes(blocks):
        if node["href"].startswith("#") and node["href"][1:] not in anchors:
            node["href"] = ""
    return {"title": reader.title.strip(), "language": reader.language, "blocks": blocks}


class _Reader(HTMLParser):
    """Builds nodes; drawings are kept as they are, because their names are case-sensitive."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.title, self.language = "", "en"
        self._targets = set(_TARGET.findall(html))
        self.root = _node("html", {})
        self._open = [self.root]
        self._left_out: list[str] = []
        end = 0
        for drawing in _DRAWING.finditer(html):
            self.feed(html[end : drawing.start()])
            if not self._left_out:
                self._open[-1]["children"].append(_drawing(drawing[0]))
            end = drawing.end()
        self.feed(html[end:])
        self.close()
        if len(self._open) > 1 or self._left_out:
            raise StepFailed(f"The page cannot be made into a PDF: <{self._open[-1]['name']}> is not closed")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "html":
            self.language = given.get("lang", "en")
        elif self._left_out or tag in LEFT_OUT or _is_hidden(given):
            if tag not in _VOID:
                self._left_out.append(tag)
        elif tag not in SPANS | BLOCKS:
            raise StepFailed(
                f"The page cannot be made into a PDF: <{tag}> is not known",
                "name it in outcomes.report.page.page_tree and say in typst_style how it looks",
            )
        else:
            if given.get("id") not in self._targets:
                given["id"] = ""
            made = _node(tag, given)
            self._open[-1]["children"].append(made)
            if tag not in _VOID:
                self._open.append(made)

    def handle_endtag(self, tag: str) -> None:
        if tag == "html" or tag in _VOID:
            return
        expected = self._left_out.pop() if self._left_out else self._open.pop()["name"]
        if expected != tag or not self._open:
            raise StepFailed(f"The page cannot be made into a PDF: </{tag}> closes <{expected}>")

    def handle_data(self, data: str) -> None:
        if not self._left_out:
            self._open[-1]["children"].append(data)
        elif self._left_out[-1] == "title":
            self.title += data


def _is_hidden(given: dict[str, str]) -> bool:
    classes = set(given.get("class", "").split())
    return "hidden" in given or given.get("aria-hidden") == "true" or bool(classes & _ONLY_ON_SCREEN)


def _node(name: str, given: dict[str, str]) -> Node:
    link = given.get("href", "")
    return {
        "name": name, "classes": given.get("class", "").split(), "id": given.get("id", ""),
        "href": link if _LINK.match(link) else "", "scope": given.get("scope", ""),
        "colspan": int(given.get("colspan", 1)), "rowspan": int(given.get("rowspan", 1)), "children": [],
    }  # fmt: skip


def _drawing(source: str) -> Node:
    opening = source[: source.index(">")]
    probe = _Attributes(opening + ">")
    width, height = (float(size) for size in probe.given["viewbox"].split()[2:])
    named = source if _NAMESPACE in opening else source.replace("<svg", f"<svg {_NAMESPACE}", 1)
    return {
        **_node("svg", {}), "source": named, "width": width, "height": height,
        "description": probe.given.get("aria-label", ""),
    }  # fmt: skip


class _Attributes(HTMLParser):
    def __init__(self, tag: str) -> None:
        super().__init__()
        self.given: dict[str, str] = {}
        self.feed(tag)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.given = {name: value or "" for name, value in attrs}


def _blocks(children: list[Node | str]) -> list[Node]:
    """Return blocks only: a run of text and spans between blocks becomes one of its own (`run`)."""
    made: list[Node] = []
    run: list[Node | str] = []
    for child in [*children, None]:
        if child is not None and not _is_block(child):
            run.append(child)
            continue
        if spans := _tidied(run):
            made.append({**_node("run", {}), "children": spans})
        run = []
        if child is not None:
            made += _anchored(_finished(child))
    return made


def _anchored(block: Node) -> list[Node]:
    """Put the place that a link leads to into the first words of a block, so that they stay on one page."""
    if not block["id"]:
        return [block]
    anchor = {**_node("anchor", {}), "id": block["id"]}
    first = block
    while first["children"] and _has_blocks(first):
        first = first["children"][0]
    if first["children"]:
        first["children"].insert(0, anchor)
        return [block]
    return [anchor, block]


def _is_block(child: Node | str) -> bool:
    return not isinstance(child, str) and child["name"] in BLOCKS


def _finished(block: Node) -> Node:
    """Return a block whose children are blocks, or else tidy spans; tables and definitions in their own form."""
    if block["name"] == "table":
        return _table(block)
    if block["name"] == "dl":
        return {**block, "children": [], "items": _definitions(block)}
    if any(map(_is_block, block["children"])):
        return {**block, "children": _blocks(block["children"])}
    return {**block, "children": _tidied(block["children"])}


def _tidied(run: list[Node | str]) -> list[Node | str]:
    """Collapse white space as a browser does: one space between words, none at the ends."""
    texts: list[str] = []

    def collapse(children: list[Node | str]) -> list[Node | str]:
        made = []
        for child in children:
            if isinstance(child, str):
                text = _SPACE.sub(" ", child)
                if not texts or texts[-1].endswith((" ", "\n")):
                    text = text.removeprefix(" ")
                if text:
                    texts.append(text)
                    made.append(text)
            elif child["name"] == "br":
                texts.append("\n")
                made.append(child)
            elif _is_block(child):
                raise StepFailed(f"The page cannot be made into a PDF: <{child['name']}> is inside a span")
            else:
                made.append({**child, "children": collapse(child["children"])})
        return made

    made = collapse(run)
    _strip_end(made)
    return [child for child in made if isinstance(child, str) or child["children"] or child["name"] == "br"]


def _strip_end(children: list[Node | str]) -> None:
    while children:
        if not isinstance(children[-1], str):
            return _strip_end(children[-1]["children"])
        children[-1] = children[-1].removesuffix(" ")
        if children[-1]:
            return None
        children.pop()
    return None


def _table(block: Node) -> Node:
    rows = {"thead": [], "tbody": [], "tfoot": []}
    caption: list[Node] = []
    for part in filter(_is_block, block["children"]):
        if part["name"] == "caption":
            caption = _finished(part)["children"]
        elif part["name"] == "tr":
            rows["tbody"].append(_row(part))
        else:
            rows[part["name"]] += [_row(row) for row in part["children"] if _is_block(row)]
    body = rows["tbody"] + rows["tfoot"]
    widest = max((sum(cell["colspan"] for cell in row["cells"]) for row in rows["thead"] + body), default=1)
    caption_spans = caption and not _is_block(caption[0])
    title = [{**_node("caption", {}), "children": caption}] if caption_spans else caption
    return {**block, "children": title, "head": rows["thead"], "rows": body, "columns": widest}


def _row(row: Node) -> Node:
    return {"classes": row["classes"], "cells": [_finished(cell) for cell in row["children"] if _is_block(cell)]}


def _definitions(block: Node) -> list[Node]:
    """Return terms with all that defines each; a <div> around a pair is looked through."""
    items: list[Node] = []
    parts = [part for part in block["children"] if _is_block(part)]
    parts = [inner for part in parts for inner in (part["children"] if part["name"] == "div" else [part])]
    for part in filter(_is_block, parts):
        done = _finished(part)
        if part["name"] == "dt":
            items.append({"term": done["children"], "blocks": []})
        else:
            items[-1]["blocks"].append(done)
    return items


def _close_gaps(blocks: list[Node], level: int) -> int:
    """Give every heading a level: at most one deeper than the one before."""
    for block in blocks:
        if _HEADING.fullmatch(block["name"]):
            level = min(int(block["name"][1]), level + 1)
            block["level"] = level
        elif block["children"] and _has_blocks(block):
            level = _close_gaps(block["children"], level)
    return level


def _has_blocks(block: Node) -> bool:
    return not isinstance(block["children"][0], str) and block["children"][0]["name"] in BLOCKS | {"run"}


def nodes(children: list[Node | str]) -> Iterator[Node]:
    """All nodes of a tree, those in cells and definitions too."""
    for child in children:
        if isinstance(child, str):
            continue
        yield child
        yield from nodes(child["children"])
        for row in (*child.get("head", ()), *child.get("rows", ())):
            yield from nodes(row["cells"])
        for item in child.get("items", ()):
            yield from nodes([*item["term"], *item["blocks"]])
