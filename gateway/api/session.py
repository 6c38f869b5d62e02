"""Signing in and out, and the person's own account."""

from __future__ import annotations

from threading import BoundedSemaphore
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from pydantic import BaseModel, Field

from gateway import audit, people
from gateway.api.access import COOKIE
from gateway.api.asked import Person, shown, written
from gateway.api.problems import Problem
from gateway.context import Context

# Only failures count: ten a minute for a name from one address, thirty for an address.
_NAME = RateLimitItemPerMinute(10)
_ADDRESS = RateLimitItemPerMinute(30)


class Login(BaseModel):
    user: Annotated[str, Field(min_length=1, max_length=32)]
    password: Annotated[str, Field(min_length=1, max_length=256)]


class NewPassword(BaseModel):
    old: Annotated[str, Field(max_length=256)]
    new: Annotated[str, Field(min_length=people.MIN_PASSWORD, max_length=256)]


class Attempts:
    """How often somebody has tried in vain; in memory, by moving windows."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def allowed(self, name: str, address: str) -> bool:
        return self._limiter.test(_NAME, name, address) and self._limiter.test(_ADDRESS, address)

    def failed(self, name: str, address: str) -> None:
        self._limiter.hit(_NAME, name, address)
        self._limiter.hit(_ADDRESS, address)


def router(ctx: Context) -> APIRouter:
    made = APIRouter(tags=["session"])
    attempts = Attempts()
    hashing = BoundedSemaphore(2)  # argon2 is dear: a flood of log-ins must not take every core

    def proven(name: str, password: str, address: str) -> str | None:
        if not attempts.allowed(name, address):
            raise Problem(429, "too many attempts; wait a minute", {"Retry-After": "60"})
        with hashing:
            role = people.verify(ctx.reader(), name, password)
        if role is None:
            attempts.failed(name, address)
            written(
                ctx,
                lambda db, now: audit.append(db, now, name, "login.refused", {"from": address}),
            )
        return role

    @made.post("/login")
    def login(asked: Login, request: Request, response: Response) -> dict[str, Any]:
        """Sign in: a session cookie for browsers, and a token for `Authorization: Bearer`."""
        address = request.client.host if request.client else ""
        role = proven(asked.user, asked.password, address)
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
        address = request.client.host if request.client else ""
        if proven(who.name, asked.old, address) is None:
            raise Problem(403, "the old password is wrong")
        with hashing:
            new = people.hashed(asked.new)
        written(ctx, lambda db, now: people.change_password(db, now, who, new))

    return made
