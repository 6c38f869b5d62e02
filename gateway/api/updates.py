"""Firmware: the images that are kept, what was sent to whom and how it ended, sending one."""

from __future__ import annotations

import sqlite3
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from gateway import images, updating
from gateway.api.asked import After, Limit, Person, cursor, page, shown, written
from gateway.api.problems import Problem
from gateway.context import Context
from gateway.errors import InputFault


class Send(BaseModel):
    """`image`: the digest of one that is kept."""

    image: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


def router(ctx: Context) -> APIRouter:
    made = APIRouter(tags=["firmware"])
    site, tz = ctx.site, ctx.site.timezone

    @made.get("/firmware")
    def kept() -> dict[str, Any]:
        """The images that `hallkeeper firmware pack` has left with the gateway's data."""
        found = [
            {"image": i.digest, "version": i.version, "board": i.board, "bytes": len(i.raw)}
            for i in images.kept(ctx.data)
        ]
        return {"items": found, "next": None}

    @made.get("/firmware/updates")
    def updates(
        device: str | None = None, limit: Limit = 100, after: After = None
    ) -> dict[str, Any]:
        """What was sent, newest first: `at` of `size` bytes, and how it ended."""
        at, following = cursor(after) or (2**62, "")
        rows = ctx.reader().execute(
            "SELECT * FROM firmware_update WHERE (made_at, id) < (?1, ?2)"
            " AND (?3 IS NULL OR device = ?3) ORDER BY made_at DESC, id DESC LIMIT ?4",
            (at, following, device, limit + 1),
        )
        return page(
            rows.fetchall(),
            limit,
            key=lambda row: (row["made_at"], row["id"]),
            item=lambda row: told(row, tz),
        )

    @made.post("/devices/{device_id}/update", status_code=201)
    def send(device_id: str, asked: Send, who: Person) -> dict[str, Any]:
        """Send an image to a device: it checks it, restarts into it and tests itself."""
        if all(one.id != device_id for one in site.devices):
            raise Problem(404, f"no device {device_id} in the site file")
        try:
            raw = images.kept_at(ctx.data, asked.image).read_bytes()
            image = images.parsed(raw, "the image")
        except (OSError, InputFault):
            raise Problem(422, "image: none is kept under this digest") from None

        def work(db: sqlite3.Connection, now: int) -> str:
            return updating.book(db, now, device_id, image, who.name)

        try:
            number = written(ctx, work)
        except InputFault as fault:
            raise Problem(409, str(fault)) from None
        row = ctx.reader().execute("SELECT * FROM firmware_update WHERE id=?", (number,))
        return told(row.fetchone(), tz)

    return made


def told(row: sqlite3.Row, tz: str) -> dict[str, Any]:
    """An update as the API shows it."""
    names = ("id", "device", "image", "version", "board", "was", "state", "at", "size")
    made = {name: row[name] for name in (*names, "person", "why")}
    return made | {name: shown(row[name], tz) for name in ("made_at", "changed_at")}
