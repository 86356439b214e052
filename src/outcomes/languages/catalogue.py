"""Catalogues of sentences as files: gettext's `.po`, read as translators leave them; nothing is compiled.

German lies beside this module. A study has its own in the folder `languages`; there it also stands in for ours.
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from io import BytesIO
from pathlib import Path

from babel import Locale, UnknownLocaleError
from babel.messages.catalog import Catalog
from babel.messages.pofile import PoFileError, read_po

from outcomes.errors import UsageError
from outcomes.languages.speaking import ENGLISH, Language

FOLDER = "languages"
"""In a study: where catalogues of its own are."""
COMPLETE = "de"
"""The catalogue that tests hold to be complete: another one needs the messages that it has."""
_SLOT = re.compile(r"\{(\w+)\}")
_DIGIT = re.compile(r"\d")
_SHOWN = 3  # messages that an error quotes


def own_catalogue(code: str, folder: Path) -> Path:
    """Where a study keeps a catalogue of its own."""
    return folder / FOLDER / f"{code}.po"


def read_language(code: str, folder: Path | None = None) -> Language:
    """Return a language with its catalogue: the study's own where it has one, else ours.

    Parameters
    ----------
    code : str
        As in `[report] language`.
    folder : Path, optional
        Of the study.

    Raises
    ------
    UsageError
        If nobody knows the language, there is no catalogue, or it is not fit to be used: messages lack or are marked
        as fuzzy, their named places differ from the English ones, or there are digits in them (a number comes from
        the data).
    """
    try:
        Locale.parse(code)
    except (UnknownLocaleError, ValueError):
        raise UsageError(f"There is no language {code!r}", 'write its ISO 639 code: "de", "nl", "pt_BR"') from None
    if code == ENGLISH.code:
        return ENGLISH
    own = own_catalogue(code, folder) if folder else None
    if own and own.is_file():
        return _checked(code, own.read_bytes(), f"{FOLDER}/{own.name}")
    ours = _shipped(code)
    if not ours.is_file():
        raise UsageError(
            f"There is no catalogue for the language {code!r}",
            f"write {FOLDER}/{code}.po in the study's folder (docs/report.md), or take one of: {', '.join(known())}",
        )
    return _checked(code, ours.read_bytes(), f"our {code}.po")


def known() -> tuple[str, ...]:
    """Return the languages that need no file of the study."""
    shipped = (one.name.removesuffix(".po") for one in files(__package__).iterdir() if one.name.endswith(".po"))
    return (ENGLISH.code, *sorted(shipped))


def _shipped(code: str) -> Traversable:
    return files(__package__) / f"{code}.po"


@lru_cache(maxsize=8)
def _checked(code: str, content: bytes, name: str) -> Language:
    """The catalogue in some bytes; the same bytes are read once."""
    found = _messages(content, name)
    ours = _shipped(COMPLETE).read_bytes()
    wanted = found if content == ours else _messages(ours, COMPLETE)
    lacking = [one for one in wanted if not found.get(one)]
    _refuse(lacking, f"{name} lacks {len(lacking):,} of {len(wanted):,} messages", "translate them")
    odd = [one for one, said in found.items() if said and set(_SLOT.findall(one)) != set(_SLOT.findall(said))]
    _refuse(odd, f"{name} has {len(odd):,} messages with other {{places}} than the English ones", "keep every {place}")
    numbers = [one for one, said in found.items() if said and _DIGIT.search(_SLOT.sub("", said))]
    _refuse(numbers, f"{name} has digits in {len(numbers):,} messages", "numbers come from the data: use words")
    return Language(code, {one: said for one, said in found.items() if said})


def _messages(content: bytes, name: str) -> dict[str, str]:
    """Translations by message; empty where there is none yet or it is only guessed."""
    try:
        catalogue: Catalog = read_po(BytesIO(content), abort_invalid=True)
    except (PoFileError, UnicodeDecodeError, ValueError, LookupError) as broken:
        raise UsageError(f"{name} is no gettext catalogue in UTF-8: {broken}", "mend it, or `msgfmt -c` it") from None
    return {one.id: "" if one.fuzzy else one.string for one in catalogue if isinstance(one.id, str) and one.id}


def _refuse(messages: list[str], what: str, hint: str) -> None:
    if messages:
        shown = "; ".join(repr(one) for one in messages[:_SHOWN])
        raise UsageError(f"{what}, such as {shown}", hint)
