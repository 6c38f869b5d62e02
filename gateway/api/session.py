"""Signing in and out, and the person's own account."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from gateway import people
from gateway.api.access import COOKIE
from gateway.api.asked import Person, shown, written
from gateway.api.problems import Problem
from gateway.api.proof import Prover
from gateway.context import Context


class Login(BaseModel):
    user: Annotated[str, Field(min_length=1, max_length=32)]
    password: Annotated[str, Field(min_length=1, max_length=256)]


class NewPassword(BaseModel):
    old: Annotated[str, Field(max_length=256)]
    new: Annotated[str, Field(min_length=people.MIN_PASSWORD, max_length=256)]


def router(ctx: Context, prover: Prover) -> APIRouter:
    made = APIRouter(tags=["session"])

    @made.post("/login")
    def login(asked: Login, request: Request, response: Response) -> dict[str, Any]:
        """Sign in: a session cookie for browsers, and a token for `Authorization: Bearer`."""
        role = prover.prove(asked.user, asked.password, request)
        if role is None:
            raise Problem(401, "name or password is wrong", {"WWW-Authenticate": "Bearer"})
        at = people.wall_clock()
        token, until = written(ctx, lambda db, _: people.open_session(db, asked.user, role, at))
        response.set_cookie(
            COOKIE,
            token,
            max_age=(until - at) // 1000,
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        response.headers["Cache-Control"] = "no-store"
        return {
            "token": token,
            "user": asked.user,
            "role": role,
            "until": shown(until, ctx.site.timezone),
        }

    @made.post("/logout", status_code=204)
    def logout(who: Person, response: Response) -> None:
        """End this session."""
        written(ctx, lambda db, _: people.close_session(db, who.token))
        response.delete_cookie(COOKIE, httponly=True, samesite="strict")

    @made.get("/me")
    def me(who: Person) -> dict[str, Any]:
        """The signed-in person."""
        return {"user": who.name, "role": who.role, "counter": who.counter}

    @made.post("/me/password", status_code=204)
    def password(asked: NewPassword, who: Person, request: Request) -> None:
        """Change the password; the old one is asked again, other sessions end."""
        if prover.prove(who.name, asked.old, request) is None:
            raise Problem(403, "the old password is wrong")
        with prover.hashing:
            new = people.hashed(asked.new)
        written(ctx, lambda db, now: people.change_password(db, now, who, new))

    return made
