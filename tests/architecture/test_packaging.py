"""The wheel holds every package and resource that the source tree has."""

import ast
import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = {
    "outcomes": "src/outcomes",
    "outcomes/flows": "flows",
    "outcomes/sql": "sql",
    "outcomes/expectations": "expectations",
    "outcomes/notebooks": "notebooks",
}


def test_the_wheel_holds_every_module_and_resource(unpacked_wheel):
    suffixes = {".py", ".sql", ".json", ".toml", ".html", ".css"}
    expected = {
        f"{package}/{path.relative_to(ROOT / folder).as_posix()}"
        for package, folder in FOLDERS.items()
        for path in (ROOT / folder).rglob("*")
        if path.suffix in suffixes and "__pycache__" not in path.parts
    }
    held = {path.relative_to(unpacked_wheel).as_posix() for path in unpacked_wheel.rglob("*")}
    assert expected - held == set()
    assert "outcomes/py.typed" in held


def test_every_package_is_declared():
    declared = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"])
    found = {
        ".".join([package.replace("/", "."), *path.parent.relative_to(ROOT / folder).parts])
        for package, folder in FOLDERS.items()
        for path in (ROOT / folder).rglob("__init__.py")
    }
    assert found == declared


def test_constraints_pin_every_direct_dependency_and_name_no_host():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    pinned = {
        line.split("==")[0].lower().replace("_", "-") for line in (ROOT / "constraints.txt").read_text().splitlines()
    }
    names = {re.split(r"[<>=\[]", requirement)[0].lower().replace("_", "-") for requirement in wanted}
    assert names - pinned == set()
    assert "://" not in (ROOT / "constraints.txt").read_text()


SHIPPED_WITH = {"dask": "distributed", "markupsafe": "jinja2", "httpx": "prefect", "packaging": "prefect"}
"""Packages that one of our dependencies is built on, and which."""
WHERE_THEY_ARE = {"gpboost", "mixedlm", "acro"}
"""Peers that a benchmark compares with where somebody has installed them."""


def test_every_package_that_is_imported_is_asked_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    asked = {re.split(r"[<>=\[]", line)[0].lower().replace("-", "_") for line in wanted} | WHERE_THEY_ARE
    ours = {path.stem for folder in ("tests", "benchmarks") for path in (ROOT / folder).rglob("*.py")} | {"outcomes"}
    providers = metadata.packages_distributions()
    missing = {}
    for folder in ("src", "flows", "notebooks", "tests", "benchmarks"):
        for path in (ROOT / folder).rglob("*.py"):
            for name in imported(path) - ours - set(sys.stdlib_module_names):
                sources = {it.lower().replace("-", "_") for it in providers.get(name, [name])}
                sources |= {SHIPPED_WITH.get(name, name)}
                if not sources & asked:
                    missing.setdefault(name, path.relative_to(ROOT).as_posix())
    assert missing == {}


def imported(path: Path) -> set[str]:
    """Top names of what a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module.split(".")[0])
    return found


MOST_LINES, MOST_MODULES = 350, 16


def test_modules_and_folders_stay_small_enough_to_be_read():
    long, full = {}, {}
    for package in FOLDERS.values():
        for folder in {ROOT / package, *(path.parent for path in (ROOT / package).rglob("*.py"))}:
            modules = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
            if len(modules) > MOST_MODULES:
                full[folder.relative_to(ROOT).as_posix()] = len(modules)
            for path in modules:
                n_lines = len(path.read_text(encoding="utf-8").splitlines())
                if n_lines > MOST_LINES:
                    long[path.relative_to(ROOT).as_posix()] = n_lines
    assert (long, full) == ({}, {})


def test_no_two_test_modules_share_a_name():
    """pytest imports a test module by its bare name, so that a second one of that name stops the whole run."""
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py") if not (path.parent / "__init__.py").exists()]
    assert sorted({name for name in names if names.count(name) > 1}) == []
