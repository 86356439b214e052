"""Packages that only some formats need: imported where such a file is read, with the line that installs them."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from outcomes.errors import UsageError


def needed(package: str, what: str) -> ModuleType:
    """Import a package of the extra `formats`.

    Raises
    ------
    UsageError
        If it is not installed. It is no refusal: nothing is wrong with the file, and nothing is remembered of it.
    """
    try:
        return import_module(package)
    except ModuleNotFoundError:
        raise UsageError(
            f"To read {what} the package {package} is needed, and it is not installed",
            "pip install 'outcomes[formats]'",
        ) from None
