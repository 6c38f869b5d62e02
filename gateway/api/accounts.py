"""Accounts: an administrator adds people, disables them, gives a new role or password."""

from __future__ import annotations

import sqlite3
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from gateway import people
from gateway.api.asked import Person, shown, written
from gateway.api.problems import Problem
from gateway.api.proof import Prover
from gateway.context import Context
from gateway.errors import InputFault

Role = Annotated[str, Field(max_length=16)]
Counter = Annotated[str | None, Field(max_length=64)]
Password = Annotated[str, Field(min_length=people.MIN_PASSWORD, max_length=256)]


class NewAccount(BaseModel):
    name: Annotated[str, Field(min_length=1, max_length=32)]
    role: Role
    counter: Counter = None
    password: Password


class Appointed(BaseModel):
    """`counter`: the one that a `counter` account leads."""

    role: Role
    counter: Counter = None


class Given(BaseModel):
    password: Password


def router(ctx: Context, prover: Prover) -> APIRouter:
    made = APIRouter(tags=["accounts"])
    tz = ctx.site.timezone

    @made.get("/accounts")
    def accounts() -> dict[str, Any]:
        """Everybody who may sign in, or might once."""
        rows = ctx.reader().execute(
            "SELECT name, role, disabled, counter, made_at FROM account ORDER BY name"
        )
        items = [
            dict(row) | {"disabled": bool(row["disabled"]), "made_at": shown(row["made_at"], tz)}
            for row in rows
        ]
        return {"items": items, "next": None}

    @made.post("/accounts", status_code=201)
    def add(asked: NewAccount, who: Person) -> dict[str, Any]:
        """Add a person; `counter` is the one that a `counter` account leads."""
        known(asked.counter)
        hashed = made_hash(asked.password)

        def work(db: sqlite3.Connection, now: int) -> None:
            people.create(db, now, asked.name, asked.role, hashed, who.name, asked.counter)

        try:
            written(ctx, work)
        except people.Taken as fault:
            raise Problem(409, str(fault), why="taken") from None
        except InputFault as fault:
            raise Problem(422, str(fault), why="account") from None
        return {"name": asked.name, "role": asked.role, "counter": asked.counter}

    @made.post("/accounts/{name}/disable", status_code=204)
    def disable(name: str, who: Person) -> None:
        """No more signing in; sessions end at once."""
        if name == who.name:
            raise Problem(409, "nobody disables the account they are signed in with")
        change(name, lambda db, now: people.switch(db, now, name, False, who.name))

    @made.post("/accounts/{name}/enable", status_code=204)
    def enable(name: str, who: Person) -> None:
        """Signing in is possible again."""
        change(name, lambda db, now: people.switch(db, now, name, True, who.name))

    @made.post("/accounts/{name}/role", status_code=204)
    def appoint(name: str, asked: Appointed, who: Person) -> None:
        """Another role; sessions end. The last administrator stays one."""
        known(asked.counter)
        role, counter = asked.role, asked.counter
        change(name, lambda db, now: people.appoint(db, now, name, role, counter, who.name))

    @made.post("/accounts/{name}/password", status_code=204)
    def reset(name: str, asked: Given, who: Person) -> None:
        """A new password for somebody who lost theirs; their sessions end."""
        hashed = made_hash(asked.password)
        change(name, lambda db, now: people.reset(db, now, name, hashed, who.name))

    def change(name: str, work: Any) -> None:
        try:
            if not written(ctx, work):
                raise Problem(404, f"no account {name}")
        except people.LastAdmin as fault:
            raise Problem(409, str(fault), why="last-admin") from None

    def known(counter: str | None) -> None:
        if counter is not None and all(one.id != counter for one in ctx.site.counters):
            raise Problem(422, f"counter: {counter} is not in the site file", why="counter")

    def made_hash(password: str) -> str:
        with prover.hashing:
            return people.hashed(password)

    return made
