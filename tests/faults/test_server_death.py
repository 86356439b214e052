"""Prefect's server dies in the middle of a refresh: it ends in words or well, the next one goes on, nothing is lost."""

from __future__ import annotations

import pytest
from processes import HANGS_SECONDS, free_port, prefect_on
from wholeness import check_nothing_is_lost, published_is_whole

from outcomes.trust.verify import verify

from .conftest import deliver


@pytest.mark.slow  # each has a server of its own to start
@pytest.mark.parametrize("seconds", [0.3, 1.0, 2.0, 3.0, 4.0])
def test_a_refresh_whose_server_dies_ends_in_words_and_the_next_goes_on(
    published_study, start_command, tmp_path, seconds, record_property
):
    before = published_is_whole(published_study)
    deliver(published_study)
    with prefect_on(tmp_path / "home", free_port()) as (environment, server):
        run = start_command("refresh", published_study.root, **environment, PREFECT_CLIENT_MAX_RETRIES="1")
        run.wait(seconds)
        server.kill()
        exit_code = run.wait(HANGS_SECONDS)
        if exit_code is None:
            run.kill()
        assert exit_code in (0, 5), run.said
        assert exit_code == 0 or "Try: " in run.said, run.said
        assert "Traceback" not in run.said
    record_property("after", f"{seconds} s: exit code {exit_code}")
    assert published_is_whole(published_study)
    again = start_command("refresh", published_study.root)
    assert again.wait() == 0, again.said
    assert published_is_whole(published_study) != before
    check_nothing_is_lost(published_study)
    assert verify(published_study).altered == ()
