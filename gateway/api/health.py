"""Liveness with reasons, and Prometheus text. The gate keeps both to this machine."""

from __future__ import annotations

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from gateway.api.outboxes import Gauges
from gateway.context import Context


def router(ctx: Context) -> APIRouter:
    made = APIRouter(tags=["health"])
    gauges = Gauges(ctx)

    @made.get("/healthz")
    def healthz(response: Response) -> dict[str, object]:
        """200 while it does its work; 503 with {part: reason} otherwise. A changed site file that
        is refused is told of, and is no failure: the one before it is in force, and who restarted
        the gateway for it would have none. Nor is a broker's log that cannot be read."""
        reasons = ctx.health()
        ok = reasons.keys() <= {"site", "broker-log"}
        if not ok:
            response.status_code = 503
        return {"ok": ok, "reasons": reasons}

    @made.get("/metrics")
    def metrics() -> Response:
        """Prometheus text."""
        gauges.read()
        return Response(
            generate_latest(ctx.metrics) + generate_latest(gauges.registry),
            media_type=CONTENT_TYPE_LATEST,
        )

    return made
