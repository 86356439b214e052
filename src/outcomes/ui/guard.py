"""Who may ask: the holder of the token, from this machine, at this address, by our own pages. All else is refused.

What each rule is against: a page elsewhere that makes the browser ask us (cookie of the same site, `Origin`), a name
elsewhere that is made to point at this machine (`Host`), other users of the machine (token), text from the data that
would be run in the browser (content security policy without any script), and pages that frame ours.
"""

from __future__ import annotations

import hmac
import secrets
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

TOKEN = "token"  # of the link's query
ANSWERING = "POST"  # what a form of ours sends
METHODS = ("GET", "HEAD", ANSWERING)
MOST_BYTES = 100_000  # of a request's body
_MOST_FIELDS = 10  # of a query
_FROM_US = ("same-origin", "none")  # Sec-Fetch-Site: our pages, or typed and clicked outside of the browser

PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
DOCUMENT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
"""Documents of a release are one file each, with their style inside; they have no script either."""

_HEADERS = {
    "Content-Security-Policy": PAGE_POLICY,
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # with none, browsers leave out which page sent a form
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}


class Guard:
    """Stand before an application and let in only what may be there.

    Parameters
    ----------
    app : ASGI application
    port : int
        Where it listens, on the loopback address.
    token : str
        Whoever has it may read; the link that holds it becomes a cookie and goes away.
    """

    def __init__(self, app: ASGIApp, port: int, token: str) -> None:
        self._app = app
        self._hosts = (f"127.0.0.1:{port}", f"localhost:{port}")
        self._token = token.encode()
        self._session = secrets.token_urlsafe(32)
        self._cookie = f"outcomes-{port}"  # cookies are shared by all ports of a machine

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # nothing of ours is a web socket
        refused = self._refusal(scope)
        answer = refused or self._welcome(scope) or self._app

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await answer(scope, receive, guarded)

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if len(hosts) != 1 or hosts[0].decode("latin-1").lower() not in self._hosts:
            return _refused(421, "This page is asked for by its own address only: the one that `outcomes ui` printed.")
        if scope["method"] not in METHODS:
            return _refused(405, "This page is read-only.", {"Allow": ", ".join(METHODS)})
        if headers.get(b"origin", _origin(hosts[0])) != _origin(hosts[0]):
            return _refused(403, "This was asked by another page.")
        is_ours = headers.get(b"sec-fetch-site", _FROM_US[0]) in _FROM_US
        if scope["method"] == ANSWERING and not is_ours:
            return _refused(403, "This was asked by another page.")
        if not _is_small(headers):
            return _refused(413, f"At most {MOST_BYTES:,} bytes are read, and their number must be said before.")
        if not (self._has_token(scope) or self._has_cookie(headers)):
            return _refused(401, "The token is missing or wrong. Use the link that `outcomes ui` printed.")
        return None

    def _has_token(self, scope: Scope) -> bool:
        try:
            given = parse_qs(scope["query_string"].decode("latin-1"), max_num_fields=_MOST_FIELDS).get(TOKEN, [])
        except ValueError:
            return False
        return len(given) == 1 and hmac.compare_digest(given[0].encode(), self._token)

    def _has_cookie(self, headers: dict[bytes, str]) -> bool:
        try:
            found = SimpleCookie(headers.get(b"cookie", "")).get(self._cookie)
        except CookieError:
            return False
        return found is not None and hmac.compare_digest(found.value.encode(), self._session.encode())

    def _welcome(self, scope: Scope) -> RedirectResponse | None:
        """For the link with the token: keep it as a cookie and leave it out of the address."""
        if scope["method"] == ANSWERING or not self._has_token(scope):
            return None
        answer = RedirectResponse("/", status_code=303)
        answer.set_cookie(self._cookie, self._session, httponly=True, samesite="strict", path="/")
        return answer


def _origin(host: bytes) -> str:
    return f"http://{host.decode('latin-1').lower()}"


def _is_small(headers: dict[bytes, str]) -> bool:
    length = headers.get(b"content-length", "0")
    return b"transfer-encoding" not in headers and length.isdecimal() and int(length) <= MOST_BYTES


def _refused(status: int, sentence: str, headers: dict[str, str] | None = None) -> PlainTextResponse:
    return PlainTextResponse(f"{sentence}\n", status_code=status, headers=headers)
