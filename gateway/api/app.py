"""The HTTP side, put together: gate, problems, routers, the dashboard's files."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio.to_thread
from fastapi import Depends, FastAPI
from fastapi.middleware.gzip import GZipMiddleware

from gateway import people
from gateway.api import (
    accounts,
    alerts,
    appointments,
    attendance,
    audit,
    cases,
    commands,
    devices,
    energy,
    findings,
    health,
    live,
    maintenance,
    notifications,
    now,
    outboxes,
    pages,
    patrols,
    permits,
    problems,
    qr,
    ratings,
    registers,
    rules,
    series,
    session,
    sheets,
    shifts,
    site,
    updates,
)
from gateway.api.access import API, Gate, through_the_gate
from gateway.api.proof import Prover
from gateway.context import Context
from gateway.people import Who

READERS = 8  # worker threads, each with its own read-only connection
NOUNS = (
    *(
        site,
        now,
        devices,
        updates,
        outboxes,
        findings,
        alerts,
        notifications,
        commands,
        maintenance,
        permits,
        ratings,
        qr,
        sheets,
        cases,
        registers,
        appointments,
        attendance,
        rules,
        series,
        energy,
        audit,
    ),
    live,
)

ASKING = (session, accounts, shifts, patrols)  # these ask for passwords


def build(
    ctx: Context, static: Path | None = None, mono: Callable[[], float] = time.monotonic
) -> FastAPI:
    """The application of one running gateway; `static` is the built dashboard's folder, `mono`
    seconds that only go forward: who guesses passwords waits by them."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = READERS
        yield

    app = FastAPI(
        title="Hallkeeper 厅守",
        version="1",
        description="What a hall's devices said, what it means by the rulebook, and who did what.",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    problems.install(app)
    prover = Prover(ctx, mono)
    gated = [Depends(through_the_gate)]
    for keeper in ASKING:
        app.include_router(keeper.router(ctx, prover), prefix=API, dependencies=gated)
    for noun in NOUNS:
        app.include_router(noun.router(ctx), prefix=API, dependencies=gated)
    app.include_router(health.router(ctx), dependencies=gated)
    app.include_router(qr.page(ctx))
    app.include_router(pages.router(static or pages.BUILT))

    def signed_in(token: str, at: int) -> Who | None:
        return people.who(ctx.reader(), token, at)

    app.add_middleware(Gate, who=signed_in)
    app.add_middleware(GZipMiddleware, minimum_size=1024, compresslevel=6)  # never the stream
    return app
