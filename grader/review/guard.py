"""Who may talk to the page: the person with the link, from a page of ours, by this machine's name.

A browser sends requests for every site that is open in it. So each request must carry a marker's token (in a
cookie that no other site's request carries), name a host that is ours (a name that an attacker points to this
machine is none), and, if it changes something, come from a page that we served.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

import msgspec
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
MOST_BODY = 256 * 1024
"""Bytes of a request: the longest is a save of a large class's identical answers."""
ENTRANCE = "/enter"

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "no-store",
}


class Keys(msgspec.Struct, frozen=True):
    """The markers' tokens. ``public`` is the address of a reverse proxy in front, empty without one."""

    tokens: Mapping[str, str]
    cookie: str
    public: str = ""

    @classmethod
    def cut(cls, markers: Sequence[str], *, port: int, public: str = "") -> Keys:
        """A new token for each marker. The cookie's name has the port: browsers do not tell ports apart."""
        tokens = {marker: secrets.token_urlsafe(32) for marker in dict.fromkeys(markers)}
        return cls(tokens, f"chainrule_{port}", public.rstrip("/"))

    def marker(self, token: str) -> str | None:
        """Whose token it is. Every token is compared, each in a time that says nothing about it."""
        found = None
        for marker, own in self.tokens.items():
            if hmac.compare_digest(own.encode(), token.encode("utf-8", "replace")):
                found = marker
        return found

    def origin_of(self, host: str) -> str | None:
        """The origin of our pages under this Host header; None for a host that is not ours."""
        if self.public and host.lower() == urlsplit(self.public).netloc.lower():
            return self.public.lower()
        name, _, port = host.lower().rpartition(":") if host[-1:] != "]" else (host.lower(), "", "")
        if not name:
            name, port = port, ""
        is_ours = name in LOOPBACK and (not port or port.isdecimal())
        return f"http://{host.lower()}" if is_ours else None


class Guard:
    """ASGI middleware: refuses what is not a marker's, names the marker, adds the headers to every answer."""

    def __init__(self, app: ASGIApp, keys: Keys) -> None:
        self._app = app
        self._keys = keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return  # websockets and whatever else: nobody asked for them

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
                message = {**message, "headers": [*message["headers"], *own]}
            await send(message)

        refusal = self._refusal(scope)
        app = refusal or self._app
        await app(scope, receive, with_headers)

    def _refusal(self, scope: Scope) -> Response | None:
        request = HTTPConnection(scope)
        hosts = request.headers.getlist("host")
        origin = self._keys.origin_of(hosts[0]) if len(hosts) == 1 else None
        if origin is None:
            return _no(421, "This page has no such name. Use the link of `grade review`.")
        if scope["method"] not in {"GET", "HEAD", "POST"}:
            return _no(405, "GET and POST only.")
        entering = scope["path"] == ENTRANCE and scope["method"] == "GET"
        if not entering and not _is_own(request, origin, changes=scope["method"] == "POST"):
            return _no(403, "This request came from another site.")
        if scope["method"] == "POST" and not _is_small_json(request):
            return _no(415, "Only JSON of a moderate size is read.")
        if not entering:
            marker = self._keys.marker(request.cookies.get(self._keys.cookie, ""))
            if marker is None:
                return _no(403, "No valid token. Open the link that `grade review` printed.")
            scope.setdefault("state", {})["marker"] = marker
        return None


def _is_own(request: HTTPConnection, origin: str, *, changes: bool) -> bool:
    """Whether a request is of our own page, or a link that a person opened."""
    origins = request.headers.getlist("origin")
    if origins and origins != [origin] and [one.lower() for one in origins] != [origin]:
        return False
    if changes and not origins:
        return False
    site = request.headers.get("sec-fetch-site")  # every browser of these years sends it; others need not
    if site in {None, "same-origin", "none"}:
        return True
    return not changes and request.headers.get("sec-fetch-mode") == "navigate"


def _is_small_json(request: HTTPConnection) -> bool:
    length = request.headers.get("content-length", "")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == "application/json" and length.isdecimal() and int(length) <= MOST_BODY


def _no(status: int, words: str) -> Response:
    return PlainTextResponse(words + "\n", status_code=status)
