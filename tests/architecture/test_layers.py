"""The layers of docs/architecture.md hold: import-linter reads them from pyproject.toml."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_modules_import_only_from_layers_below(unpacked_wheel):
    """On the wheel: only there do all the packages lie in one folder, as import-linter wants them."""
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]
    run = subprocess.run(
        [*command, "--no-cache", "--config", str(ROOT / "pyproject.toml")],
        cwd=unpacked_wheel, env={**os.environ, "PYTHONPATH": str(unpacked_wheel)}, capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    assert "0 broken" in run.stdout
