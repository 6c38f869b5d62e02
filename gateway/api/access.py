"""Who may call what: one table, held by one gate in front of every call."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlsplit

import anyio.to_thread
from starlette.datastructures import Headers
from starlette.requests import Request, cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.api import problems
from gateway.people import ANY, Who, wall_clock

COOKIE = "hallkeeper"
MAX_BODY = 64 * 1024
# Files that a person picks: a year of a machine's punches is some megabytes.
FILES = {
    ("POST", f"/api/v1/{path}"): 4 * 1024 * 1024
    for path in ("attendance/imports", "ratings/visits/import")
}
API = "/api/v1"

_DESK = frozenset({"duty", "facilities", "manager", "admin"})
_HOUSE = frozenset({"facilities", "manager", "admin"})
_KEEPERS = frozenset({"manager", "admin"})
_CENTRE = _KEEPERS | {"auditor"}
_OPEN: frozenset[str] = frozenset()

# (method, path): the roles that may; an empty set is open to everybody.
ACCESS: dict[tuple[str, str], frozenset[str]] = {
    ("POST", "/login"): _OPEN,
    ("POST", "/logout"): ANY,
    ("GET", "/me"): ANY,
    ("POST", "/me/password"): ANY,
    ("GET", "/devices"): ANY,
    ("GET", "/devices/{device_id}"): ANY,
    ("POST", "/devices/{device_id}/update"): frozenset({"admin"}),
    ("GET", "/firmware"): ANY - {"viewer", "counter"},
    ("GET", "/firmware/updates"): ANY - {"viewer", "counter"},
    ("POST", "/devices/{device_id}/identify"): _DESK,
    ("POST", "/devices/{device_id}/restart"): _HOUSE,
    ("GET", "/certificates"): ANY - {"viewer", "counter"},
    ("GET", "/rejects"): ANY - {"viewer", "counter"},
    ("GET", "/findings"): ANY,
    ("GET", "/findings/{finding_id}"): ANY,
    ("POST", "/findings/{finding_id}/close"): _HOUSE,
    ("GET", "/alerts"): ANY,
    ("GET", "/alerts/{alert_id}"): ANY,
    ("POST", "/alerts/{alert_id}/ack"): _DESK,
    ("POST", "/alerts/{alert_id}/shelve"): _DESK,
    ("POST", "/alerts/{alert_id}/close"): _DESK,
    ("GET", "/notifications"): ANY - {"viewer", "counter"},
    ("GET", "/commands"): ANY - {"viewer", "counter"},
    ("POST", "/commands"): _DESK,
    ("GET", "/circuits"): ANY,
    ("POST", "/circuits/{circuit_id}/reset"): _HOUSE,
    ("POST", "/circuits/{circuit_id}/check"): _HOUSE,
    ("POST", "/circuits/{circuit_id}/extend"): _DESK,
    ("GET", "/maintenance"): ANY,
    ("POST", "/maintenance"): _HOUSE,
    ("POST", "/maintenance/{maintenance_id}/end"): _HOUSE,
    ("GET", "/permits"): ANY,
    ("POST", "/permits"): _HOUSE,
    ("DELETE", "/permits/{permit_id}"): _HOUSE,
    ("GET", "/entries"): ANY - {"viewer", "counter"},
    ("POST", "/entries"): _DESK,
    ("GET", "/patrols"): ANY,
    ("POST", "/patrols/{round_id}/sign"): _DESK,
    ("GET", "/shifts"): ANY - {"viewer", "counter"},
    ("GET", "/shifts/{shift_id}"): ANY - {"viewer", "counter"},
    ("GET", "/shifts/{shift_id}/log"): ANY - {"viewer", "counter"},
    ("POST", "/shifts"): _DESK,
    ("POST", "/shifts/{shift_id}/handover"): _DESK,
    ("GET", "/closing-checks/now"): ANY - {"viewer", "counter"},
    ("GET", "/closing-checks"): ANY - {"viewer", "counter"},
    ("POST", "/closing-checks"): _DESK,
    ("GET", "/accounts"): frozenset({"admin"}),
    ("POST", "/accounts"): frozenset({"admin"}),
    ("POST", "/accounts/{name}/disable"): frozenset({"admin"}),
    ("POST", "/accounts/{name}/enable"): frozenset({"admin"}),
    ("POST", "/accounts/{name}/role"): frozenset({"admin"}),
    ("POST", "/accounts/{name}/password"): frozenset({"admin"}),
    ("GET", "/ratings/summary"): ANY - {"viewer"},
    ("GET", "/ratings/hours"): ANY - {"viewer", "counter"},
    ("GET", "/ratings/staff"): _CENTRE,
    ("GET", "/ratings/paper"): _CENTRE,
    ("POST", "/ratings/paper"): _KEEPERS,
    ("POST", "/ratings/paper/{paper_id}/strike"): _KEEPERS,
    ("POST", "/ratings/visits"): _KEEPERS,
    ("POST", "/ratings/visits/import"): _KEEPERS,
    ("POST", "/ratings/links"): _KEEPERS,
    ("GET", "/sheets"): _CENTRE | {"facilities"},
    ("GET", "/sheets/fields"): _CENTRE,
    ("POST", "/sheets/fields"): _KEEPERS,
    ("GET", "/sheets/episodes"): _CENTRE | {"facilities"},
    ("POST", "/sheets/episodes/{finding_id}"): _KEEPERS | {"facilities"},
    ("GET", "/sheets/{kind}"): _CENTRE,  # the named ones stand before it
    ("GET", "/sheets/{kind}/file"): _CENTRE,
    ("GET", "/roster"): ANY - {"viewer"},
    ("POST", "/roster"): _KEEPERS,
    ("POST", "/roster/{shift_id}/strike"): _KEEPERS,
    ("GET", "/cases"): ANY - {"viewer"},
    ("POST", "/cases"): _DESK | {"counter"},
    ("GET", "/cases/{case_id}"): ANY - {"viewer"},
    ("GET", "/cases/{case_id}/contact"): frozenset({"duty", "manager", "admin"}),
    ("POST", "/cases/{case_id}/contact"): frozenset({"duty", "manager", "admin"}),
    ("POST", "/cases/{case_id}/{action}"): ANY - {"viewer"},
    ("GET", "/duties"): ANY,
    ("GET", "/duties/table"): ANY,
    ("POST", "/duties/{item_id}/done"): _DESK,
    ("POST", "/duties/{item_id}/move"): _HOUSE,
    ("GET", "/registers/{book}"): ANY - {"viewer"},
    ("POST", "/registers/{book}"): _DESK | {"counter"},
    ("POST", "/registers/entries/{entry_id}/strike"): _HOUSE,
    ("GET", "/appointments"): ANY - {"viewer"},
    ("POST", "/appointments"): _DESK | {"counter"},
    ("POST", "/appointments/{appointment_id}/cancel"): _DESK | {"counter"},
    ("GET", "/appointments/barred"): ANY - {"viewer"},
    ("POST", "/appointments/{appointment_id}/no-show"): _DESK,
    ("POST", "/appointments/{appointment_id}/came"): _DESK,
    ("POST", "/appointments/{appointment_id}/attend"): _DESK | {"counter"},
    ("POST", "/appointments/{appointment_id}/strike"): frozenset({"manager", "admin"}),
    ("GET", "/attendance"): _CENTRE,
    ("POST", "/attendance/imports"): _KEEPERS,
    ("GET", "/series"): ANY,
    ("GET", "/energy"): ANY,
    ("GET", "/energy/report"): ANY,
    ("GET", "/audit"): frozenset({"auditor", "manager"}),
    ("GET", "/events"): ANY,
    ("GET", "/site"): ANY,
    ("GET", "/now"): ANY,
    ("GET", "/outboxes"): ANY - {"viewer", "counter"},
    ("GET", "/rules"): ANY,
}
# Pads tell when somebody pressed: nobody at a counter or before a wall screen sees that.
PAD_KIND = "rating-pad"
PADS = ANY - {"viewer", "counter"}

_LOCAL = ("/healthz", "/metrics")
_LOOPBACK = ("127.0.0.1", "::1", "::ffff:127.0.0.1")
_SAFE = ("GET", "HEAD", "OPTIONS")


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{\w+\}", "[^/]+", API + path))


_TABLE = [(method, _pattern(path), path) for method, path in ACCESS]


def call_of(method: str, path: str) -> str | None:
    """The call's path as the table has it (`/alerts/{alert_id}`), or None: no such call."""
    for known, pattern, call in _TABLE:
        if known == method and pattern.fullmatch(path):
            return call
    return None


def through_the_gate(request: Request) -> None:
    """Of every router behind the gate: what runs is the call whose roles the gate has checked.

    The router reads addresses a little more loosely (`/audit%0A` is `/audit` to it). Problem 404
    where the two do not agree, so that nothing runs that the table has not let in."""
    running = getattr(request.scope.get("route"), "path", "").removeprefix(API)
    if getattr(request.state, "call", None) != running:
        raise problems.Problem(404, "no such call; /openapi.json names all")


class Gate:
    """ASGI middleware: signs the caller in, holds the table, bounds the body.

    `who(token, at)` is called in a worker thread. The person is in `scope["state"]["who"]`.
    """

    def __init__(self, app: ASGIApp, who: Callable[[str, int], Who | None]) -> None:
        self._app = app
        self._who = who

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope = {**scope, "query_string": _given(scope.get("query_string", b""))}
        if scope["method"] == "HEAD" and _answers_head(scope["path"]):
            scope["method"] = "GET"  # the server sends no body
        headers = Headers(scope=scope)
        refused = await self._refusal(scope, headers)
        most = FILES.get((scope["method"], scope["path"]), MAX_BODY)
        if refused is None and _length(headers) > most:
            refused = (413, f"a body has at most {most} bytes")
        if refused is not None:
            status, detail = refused
            challenge = {"WWW-Authenticate": "Bearer"} if status == 401 else None
            await problems.response(status, detail, challenge)(scope, receive, send)
            return
        await self._app(scope, _bounded(receive, most), send)

    async def _refusal(self, scope: Scope, headers: Headers) -> tuple[int, str] | None:
        method, path = scope["method"], scope["path"]
        state = scope.setdefault("state", {})
        if path in _LOCAL:
            state["call"] = path
            client = scope.get("client")
            if client is None or client[0] in _LOOPBACK:
                return None
            # how many ratings were stored is a live figure: not for a counter or a wall screen
            roles = PADS if path == "/metrics" else ANY
        else:
            asked = "GET" if method == "HEAD" else method
            call = call_of(asked, path)
            if call is None:
                return None  # no such call behind the gate: the router answers
            state["call"] = call
            roles = ACCESS[asked, call]
        token, by_cookie = _token(headers)
        if not roles:  # open to everybody; no other site signs a browser in
            return None if _same_origin(headers) else (403, "a request of another site")
        who = await anyio.to_thread.run_sync(self._who, token, wall_clock()) if token else None
        if who is None:
            return 401, "sign in first: POST /api/v1/login"
        if by_cookie and method not in _SAFE and not _same_origin(headers):
            return 403, "a request of another site"
        if who.role not in roles:
            return 403, f"not for the role {who.role}"
        state["who"] = who
        return None


def _answers_head(path: str) -> bool:
    """Whether HEAD is answered as GET is, but for its body; the stream would never end."""
    return path in _LOCAL or (path.startswith(API) and path != f"{API}/events")


def _given(query: bytes) -> bytes:
    """A query without what was left empty: `?active=&zone=hall-1f` asks for a zone only."""
    parts = query.split(b"&")
    return b"&".join(part for part in parts if part.partition(b"=")[1:] != (b"=", b""))


def _token(headers: Headers) -> tuple[str | None, bool]:
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and value.strip():
        return value.strip(), False
    return cookie_parser(headers.get("cookie", "")).get(COOKIE), True


def _same_origin(headers: Headers) -> bool:
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host")


def _length(headers: Headers) -> int:
    text = headers.get("content-length", "0")
    return int(text) if text.isascii() and text.isdigit() else 0


def _bounded(receive: Receive, most: int) -> Receive:
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        if message["type"] == "http.request":
            seen += len(message.get("body", b""))
            if seen > most:
                raise problems.Problem(413, f"a body has at most {most} bytes")
        return message

    return counted
