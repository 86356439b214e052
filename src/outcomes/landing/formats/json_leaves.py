"""The leaves of JSON text, well-formed or not: names, numbers and words between its punctuation."""

from __future__ import annotations

import json
import re

_LEAF = re.compile(r'"((?:[^"\\]|\\.)*+)"?|([^\s"{}\[\],]+(?:[ \t]+[^\s"{}\[\],]+)*)')


def leaves(text: str) -> list[str]:
    """Return the texts between the punctuation of JSON, escapes undone; works on cut-off and broken lines too.

    Keys of objects are among them: in a broken line nobody can say which text is a key.

    >>> leaves('{"client_id": {"name": "J\\\\u00f6rg"}, "n": 3, "open": "cut')
    ['client_id', 'name', 'Jörg', 'n', '3', 'open', 'cut']
    """
    texts = []
    for found in _LEAF.finditer(text):
        if found[1] is not None:
            texts.append(_unescaped(found[1]))
        else:  # without quotes a colon may end a key or stand in a link
            texts += dict.fromkeys([found[2].strip(": \t"), *(part.strip() for part in found[2].split(":"))])
    return [leaf for leaf in texts if leaf]


def _unescaped(inner: str) -> str:
    try:
        return visible_text(json.loads(f'"{inner}"', strict=False))
    except ValueError:
        return inner


def visible_text(text: str) -> str:
    """Write halves of characters, which no file can hold, as escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
