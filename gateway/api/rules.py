"""The rulebook as it runs here: every rule, its articles, its settings as law or proposed."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from gateway.context import Context


def router(ctx: Context) -> APIRouter:  # noqa: ARG001
    made = APIRouter(tags=["rules"])

    @made.get("/rules")
    def rules() -> dict[str, Any]:
        """Every rule, in the rulebook's order."""
        return {"items": listed(ctx), "next": None}

    return made


def listed(ctx: Context) -> list[dict[str, Any]]:
    """The rules with today's values."""
    return []
