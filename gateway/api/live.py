"""Server-sent events: what changes, to those who may read it.

The feed's changes carry what the pipeline published after its commit; a watcher who fell behind
gets `resync` and reads the state afresh, as after a reconnect.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import anyio.to_thread
from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from gateway import people
from gateway.api.access import PAD_KIND, PADS
from gateway.api.asked import Person
from gateway.context import Context
from gateway.people import Who
from gateway.ratings import FEW

HEARTBEAT_S = 15
KINDS = (
    "channel",
    "device",
    "finding",
    "alert",
    "rating",
    "circuit",
    "command",
    "case",
    "register",
    "shift",
    "now",
    "resync",
)


def router(ctx: Context) -> APIRouter:
    made = APIRouter(tags=["live"])
    pads = frozenset(d.id for d in ctx.site.devices if d.kind == PAD_KIND)

    @made.get("/events", response_class=StreamingResponse)
    async def events(who: Person) -> StreamingResponse:
        """`event: channel|device|finding|alert|rating|circuit|command|case|register|shift|now|
        resync`.

        Data is JSON. A comment comes every 15 s; after `resync` or a reconnect read all afresh.
        """
        return StreamingResponse(
            _stream(ctx, who, pads),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )

    return made


async def _stream(ctx: Context, who: Who, pads: frozenset[str]) -> AsyncIterator[str]:
    clock = asyncio.get_running_loop().time
    with ctx.live.subscribe() as watcher:
        yield "retry: 2000\n\n"
        look = clock() + HEARTBEAT_S
        while True:
            change = None
            with suppress(TimeoutError):
                async with asyncio.timeout_at(look):
                    change = await watcher.get()
            if (
                clock() >= look
            ):  # also in a hall that is never quiet: who is signed out hears no more
                if not await anyio.to_thread.run_sync(_still, ctx, who):
                    return
                look = clock() + HEARTBEAT_S
                yield ": still here\n\n"
            if change is None:
                continue
            data = visible(change.kind, change.data, who.role, pads)
            if data is not None:
                yield f"event: {change.kind}\nid: {change.id}\ndata: {_json(data)}\n\n"


def _still(ctx: Context, who: Who) -> bool:
    return people.still(ctx.reader(), who, people.wall_clock())


def _json(data: dict[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def visible(
    kind: str, data: dict[str, Any], role: str, pads: frozenset[str]
) -> dict[str, Any] | None:
    """What of a change somebody of this role may see, or None."""
    if kind not in KINDS:
        return None
    if kind == "device" and data.get("id") in pads and role not in PADS:
        return None
    if kind == "command" and role in ("viewer", "counter"):
        return None
    if kind in ("case", "register") and role == "viewer":
        return None
    if kind == "case" and role == "counter" and data.get("kind") == "bad-rating":
        return None  # it would tell to the minute when somebody pressed
    if kind == "rating":
        if role == "viewer":
            return None
        n = int(data.get("n", 0))
        if n % FEW:  # a single press is nobody's business: live figures move in steps
            return None
        return {"counter": data.get("counter"), "n": n}
    return data
