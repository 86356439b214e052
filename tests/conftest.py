"""Settings of all tests."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import hypothesis
import pytest

pytest_plugins = ["axe", "processes", "studies"]

# Set before NumPy loads: each worker of a parallel run would start threads of its own, and waiting threads cost
# more than they bring at these sizes.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# Ordinary runs try the same examples every time: a run that fails fails again. The slow ones look for new examples.
hypothesis.settings.register_profile("ordinary", derandomize=True, deadline=None)
hypothesis.settings.register_profile("slow", deadline=None)

# Fixtures of a whole run that are dear and cannot be shared between workers: who needs them runs in one worker.
IN_ONE_WORKER = ("prefect_server", "large_cohort")


def pytest_configure(config: pytest.Config) -> None:
    if not config.getoption("--hypothesis-profile"):
        hypothesis.settings.load_profile("slow" if config.option.markexpr == "slow" else "ordinary")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep together, in a parallel run, the tests that share what is dear: every worker would make its own."""
    sharing = {item.path for item in items if _has_module_fixture(item)}
    for item in items:
        if item.get_closest_marker("xdist_group"):
            continue
        shared = next((name for name in IN_ONE_WORKER if name in item.fixturenames), None)
        if shared or item.path in sharing:
            item.add_marker(pytest.mark.xdist_group(shared or str(item.path.relative_to(item.config.rootpath))))


def _has_module_fixture(item: pytest.Item) -> bool:
    made = item._fixtureinfo.name2fixturedefs.values() if isinstance(item, pytest.Function) else ()
    return any(definitions[-1].scope in ("module", "class") for definitions in made)


@pytest.fixture(scope="session")
def ask_only() -> Callable[..., None]:
    """Have a study leave out all analyses but those named: tests of the pipeline need not wait for every answer."""
    from outcomes.study.settings import AnalysisName

    def ask(root: Path, *kept: str) -> None:
        path = root / "study.toml"
        declared = path.read_text(encoding="utf-8")
        assert "leave_out = []" in declared
        left_out = json.dumps([analysis for analysis in AnalysisName if analysis not in kept])
        path.write_text(declared.replace("leave_out = []", f"leave_out = {left_out}"), encoding="utf-8")

    return ask
