"""Names of a package that are imported only when they are asked for: looking at a study loads no pipeline."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def on_demand(package: str, places: Mapping[str, tuple[str, str]]) -> tuple[Callable[[str], Any], Callable[[], list]]:
    """Return a package's `__getattr__` and `__dir__`; `places` gives module and attribute of each name."""

    def get(name: str) -> Any:
        if name not in places:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module, attribute = places[name]
        return getattr(import_module(module), attribute)

    return get, lambda: sorted(places)
