"""Files to look at, and the command line in this process."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from outcomes.cli import main


class Desk:
    """A folder of foreign files and the commands that look at them."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def file(self, name: str, content: str | bytes) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def run(self, *arguments: object):
        return CliRunner().invoke(main, [str(one) for one in arguments])


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)
