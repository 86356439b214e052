"""No module needs itself, however indirectly: imports inside functions and for type checkers count as well."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "outcomes"


def modules(root: Path, package: str) -> dict[str, ast.Module]:
    """Every module below a folder by its dotted name, parsed."""
    named = {}
    for path in root.rglob("*.py"):
        parts = [package, *path.relative_to(root).with_suffix("").parts]
        named[".".join(parts).removesuffix(".__init__")] = ast.parse(path.read_text(encoding="utf-8"))
    return named


def imported(tree: ast.Module, known: set[str]) -> set[str]:
    """Modules among `known` that a module imports anywhere in its text."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                found.add(whole if whole in known else node.module)
    return found & known


def first_circle(named: dict[str, ast.Module]) -> list[str]:
    """One circle of imports, or nothing."""
    known = set(named)
    try:
        TopologicalSorter({name: imported(tree, known) for name, tree in named.items()}).prepare()
    except CycleError as circle:
        return circle.args[1]
    return []


def test_no_module_imports_itself_by_way_of_others():
    assert first_circle(modules(SOURCE, "outcomes")) == []


@pytest.mark.parametrize(
    "back",
    [
        "from house.results import Fit",
        "def as_text():\n    from house.results import Fit",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from house import results",
        "import house.results",
    ],
)
def test_a_circle_is_found_however_it_is_hidden(tmp_path, back):
    (tmp_path / "__init__.py").write_text("")
    (tmp_path / "results.py").write_text("from house.summary import as_text")
    (tmp_path / "summary.py").write_text(back)
    assert set(first_circle(modules(tmp_path, "house"))) == {"house.results", "house.summary"}
