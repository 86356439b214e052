"""The page's own small server: on the loopback address, for who has the token, until it is stopped."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable

import uvicorn

from outcomes.errors import UsageError
from outcomes.stopping import until_stopped
from outcomes.store.limited import USUAL, Limits
from outcomes.study import StudyFolder
from outcomes.ui.guard import TOKEN, Guard
from outcomes.ui.pages import Pages

LOOPBACK = "127.0.0.1"
_MOST_AT_ONCE = 20  # connections
_IDLE_SECONDS = 5


def serve_pages(study: StudyFolder, announce: Callable[[str], None], port: int = 0, limits: Limits = USUAL) -> None:
    """Serve the pages of a study on this machine until the process is stopped.

    Parameters
    ----------
    study : StudyFolder
    announce : callable
        Gets the link, which has the token in it, and a line about what the page is.
    port : int
        Where; any free one where 0.
    limits : Limits
        What a question in SQL may take.

    Raises
    ------
    UsageError
        If the port is taken.
    """
    token = secrets.token_urlsafe(32)
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # at once after the one before has ended
        try:
            listener.bind((LOOPBACK, port))
        except OSError as taken:
            raise UsageError(
                f"Port {port} of this machine cannot be used: {taken.strerror}",
                "leave --port out: any free one is taken",
            ) from None
        own = listener.getsockname()[1]
        config = uvicorn.Config(
            Guard(Pages(study, limits).app, own, token),
            log_level="critical",
            access_log=False,  # it would hold the token
            server_header=False,
            proxy_headers=False,
            lifespan="off",
            ws="none",
            limit_concurrency=_MOST_AT_ONCE,
            timeout_keep_alive=_IDLE_SECONDS,
            timeout_graceful_shutdown=_IDLE_SECONDS,
        )
        listener.listen()
        announce(f"The page of {study.root}, for this machine and who has this link:")
        announce(f"  http://{LOOPBACK}:{own}/?{TOKEN}={token}")
        announce(
            "Numbers there are neither suppressed nor rounded: it is the researcher's door. It changes nothing; "
            "Ctrl-C ends it."
        )
        with until_stopped():
            uvicorn.Server(config).run(sockets=[listener])
