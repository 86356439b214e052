"""The Prefect server that schedules: where it answers, which runs it has, and what they are called."""

from __future__ import annotations

import hashlib
import re
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from prefect.client.schemas import filters
from prefect.client.schemas.objects import StateType
from prefect.settings import PREFECT_API_URL

from outcomes.errors import UsageError
from outcomes.study import StudyFolder

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient

LOCAL_SERVER = "http://127.0.0.1:4200/api"


def require_server() -> str:
    """Return the address of the Prefect server that is set; none is guessed.

    Whatever answers on this machine's usual port may be another user's, and would be told the study's path and
    could start its runs.

    Raises
    ------
    UsageError
        If no address is set, or nothing answers there.
    """
    url = PREFECT_API_URL.value()
    if not url:
        raise UsageError(
            "No address of a Prefect server is set, and no server is joined unasked: it could be anybody's",
            f"start your own in another terminal (prefect server start), then set PREFECT_API_URL={LOCAL_SERVER}; "
            "or set it to your team's",
        )
    if not _answers(url):
        raise UsageError(
            f"No Prefect server answers at {url}",
            "start one in another terminal: prefect server start; or set PREFECT_API_URL to your team's",
        )
    return url


def refuse_silent_server() -> None:
    """Say so where the server that is set does not answer.

    Raises
    ------
    UsageError
        If nothing answers there.
    """
    url = PREFECT_API_URL.value()
    if not _answers(url):
        raise UsageError(
            f"The Prefect server at {url} does not answer; what was finished stays",
            "start it in another terminal (prefect server start), or work without one: unset PREFECT_API_URL",
        ) from None


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=5) as answer:
            return answer.status == 200
    except (OSError, ValueError):
        return False


def runs_by_now(client: SyncPrefectClient, deployment_id: UUID, *states: StateType) -> list[UUID]:
    """Return the ids of a deployment's runs in these states that should have started by now."""
    due = filters.FlowRunFilterExpectedStartTime(before_=datetime.now(UTC))
    found = client.read_flow_runs(
        deployment_filter=filters.DeploymentFilter(id=filters.DeploymentFilterId(any_=[deployment_id])),
        flow_run_filter=filters.FlowRunFilter(
            state=filters.FlowRunFilterState(type=filters.FlowRunFilterStateType(any_=list(states))),
            expected_start_time=due,
        ),
    )
    return [run.id for run in found]


def study_slug(study: StudyFolder) -> str:
    """Return the name under which Prefect knows the study: its folder's, and a hash that tells two paths apart."""
    slug = re.sub(r"[^a-z0-9]+", "-", study.root.name.lower()).strip("-") or "study"
    return f"{slug}-{hashlib.sha256(str(study.root).encode()).hexdigest()[:6]}"


def run_name(study: str, job: str, release_id: str = "") -> str:
    """Return what a run is called: the study's folder, the job, and the release once it is known.

    It asks nothing of the folder: a study that cannot be opened is for the job to say.
    """
    return " ".join(filter(None, (Path(study).name, job, release_id)))
