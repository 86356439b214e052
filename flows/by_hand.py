"""A job that a person starts: with a Prefect server as its flow, without one as it is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from outcomes.flows import OURS

_SETTING = "PREFECT_API_URL"
_CONSOLE = "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL"
_FILES = ("prefect.toml", "pyproject.toml", ".env")  # of the working directory, where Prefect looks for settings


def run_by_hand(job: str, study: str, wait_seconds: float, **more: Any) -> Any:
    """Run a job of `outcomes.flows.jobs` by its name, on the server if one is set; `more` is what this job alone takes.

    Without one Prefect is not loaded: a temporary server of its own would cost 15 seconds a command, and what it
    shows would be gone with it.

    Raises
    ------
    UsageError
        If a server is set and does not answer.
    """
    if has_server():
        if _CONSOLE in OURS:
            os.environ[_CONSOLE] = "CRITICAL"  # the command line says it itself, once
        return _on_server(job, study, wait_seconds, **more)
    from outcomes.flows import jobs

    return getattr(jobs, job)(study, wait_seconds, **more)


def _on_server(job: str, study: str, wait_seconds: float, **more: Any) -> Any:
    """Run it as a flow. Prefect itself tries again for a while; then it is asked whether the server is there at all."""
    from outcomes.flows import refresh as jobs
    from outcomes.flows.server import refuse_silent_server

    try:
        return getattr(jobs, job)(study, wait_seconds, **more)
    except RuntimeError:  # "Failed to reach API", which says nothing of which and of what to do
        refuse_silent_server()
        raise


def has_server() -> bool:
    """Whether a Prefect server is set: in the environment, in Prefect's profile, or in a file of settings here."""
    if _SETTING in os.environ:
        return bool(os.environ[_SETTING])
    home = Path(os.environ.get("PREFECT_HOME") or "~/.prefect").expanduser()
    profiles = Path(os.environ.get("PREFECT_PROFILES_PATH") or home / "profiles.toml").expanduser()
    if not any(_may_name_one(path) for path in (profiles, *map(Path, _FILES))):
        return False
    from prefect.settings import PREFECT_API_URL

    return bool(PREFECT_API_URL.value())


def _may_name_one(path: Path) -> bool:
    """Whether a file may set a server's address; Prefect itself is then asked whether it does."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace").lower()
    except OSError:
        return False
    return "url" in text and ("prefect" in text or path.name == "prefect.toml")
