"""One running page for the tests of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browsing import Page, opened_page
from studies import copied


@pytest.fixture(scope="module")
def page(_researched, tmp_path_factory) -> Iterator[Page]:
    """The page of a study with two releases."""
    study = copied(_researched, tmp_path_factory.mktemp("ui"))
    with opened_page(study.root, tmp_path_factory.mktemp("ui-home")) as opened:
        yield opened
