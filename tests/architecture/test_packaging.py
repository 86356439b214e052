"""The wheel holds every package and resource that the source tree has."""

import tomllib
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
    names = {requirement.split("<")[0].split(">")[0].split("=")[0].lower().replace("_", "-") for requirement in wanted}
    assert names - pinned == set()
    assert "://" not in (ROOT / "constraints.txt").read_text()
