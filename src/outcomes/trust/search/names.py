"""Names of files, folders and links, and what is attached to them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from outcomes.trust.search.content import Inspection, text_holds
from outcomes.trust.words import Needles

_WITHHELD = "[a name with an id]"


def entries(root: Path) -> Iterator[tuple[Path, bool]]:
    """Yield all that is below a folder, sorted, links not followed; and whether it is a folder that is not readable."""
    closed: set[str] = set()
    for folder, folders, files in os.walk(root, onerror=lambda refused: closed.add(str(refused.filename))):
        folders.sort()
        yield from ((Path(folder, name), False) for name in sorted([*folders, *files]))
    yield from ((Path(folder), True) for folder in sorted(closed))


def name_holds(path: Path, seen: Inspection) -> bool:
    """Say whether an entry's own name, the target of a link or an extended attribute holds one of the ids."""
    said = [os.fsencode(path.name)]
    if path.is_symlink():
        said.append(os.fsencode(os.readlink(path)))
    elif hasattr(os, "listxattr"):
        for attribute in os.listxattr(path):
            said += [attribute.encode(), os.getxattr(path, attribute)]
    return any(text_holds(one, seen, 0) for one in said)


def shown_name(path: Path, root: Path, needles: Needles, seen: Inspection) -> str:
    """Return a path below the study without any id in it."""
    parts = [needles.masked(part) for part in path.relative_to(root).parts]
    return "/".join(_WITHHELD if text_holds(os.fsencode(part), seen, 0) else part for part in parts)
