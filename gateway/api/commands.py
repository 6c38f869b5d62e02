"""Commands and circuits: what was asked of devices, how each circuit stands, switching by hand.

A person's switching goes through the same checks as a rule's (X9): protected circuits never,
lighting only while its zone is known vacant, no "on" after a hazard that no electrician has
checked, nothing that is manual, and a warning of five minutes before anything but lighting goes
off.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from gateway import audit, control, hardware
from gateway.api.asked import After, Limit, Person, cursor, page, shown, written
from gateway.api.findings import Reason
from gateway.api.problems import Problem
from gateway.context import Context
from gateway.hardware import AIRCON, Thing
from gateway.notices import names
from gateway.switching import (
    COMMAND_TTL_MS,
    WARNING_MS,
    announce,
    extend,
    in_use,
    panels,
    warn,
)

State = Literal["queued", "sent", "done", "refused", "expired", "failed"]
_FORBIDDEN = {
    "hazard": "no electrician's check is on record since the hazard",
    "manual": "it did not obey and is manual: reset it first",
    "occupied": "its zone is not known to be vacant: lighting is switched off only then",
    "working": "it shows work in progress (above 30 W)",
}


class Switch(Reason):
    """`args` only with `set`: {"set": °C}."""

    subject: Annotated[str, Field(max_length=32)]
    do: Literal["on", "off", "set"]
    args: dict[str, float] = Field(default_factory=dict)


class Check(BaseModel):
    electrician: Annotated[str, Field(min_length=1, max_length=80, pattern=r"\S")]
    note: Annotated[str, Field(min_length=1, max_length=500, pattern=r"\S")]


def router(ctx: Context) -> APIRouter:
    made = APIRouter(tags=["commands"])
    site, tz = ctx.site, ctx.site.timezone
    things, called = hardware.things(site), names(site)
    ttl_ms = int(COMMAND_TTL_MS * ctx.speed)

    @made.get("/commands")
    def commands(
        state: State | None = None,
        device: str | None = None,
        cause: str | None = None,
        everything: bool = False,
        limit: Limit = 100,
        after: After = None,
    ) -> dict[str, Any]:
        """Newest first: what was switched; `everything` also shows sounds and displays. `cause`:
        because of one finding."""
        at, following = cursor(after) or (2**62, "")
        rows = ctx.reader().execute(
            "SELECT * FROM command WHERE (made_at, id) < (?1, ?2)"
            " AND (?3 IS NULL OR state = ?3) AND (?4 IS NULL OR device = ?4)"
            " AND (?5 OR do IN ('on', 'off', 'set')) AND (?6 IS NULL OR cause = ?6)"
            " ORDER BY made_at DESC, id DESC LIMIT ?7",
            (at, following, state, device, everything, cause, limit + 1),
        )
        return page(
            rows.fetchall(),
            limit,
            key=lambda row: (row["made_at"], row["id"]),
            item=lambda row: told(row, tz),
        )

    @made.get("/circuits")
    def circuits() -> dict[str, Any]:
        """Every circuit and air conditioner: wanted, reported, borne out, and what forbids it."""
        db = ctx.reader()
        every = [x.id for many in (site.circuits, site.acs) for x in many]
        return {"items": [stands(db, subject) for subject in every], "next": None}

    def stands(db: sqlite3.Connection, subject: str) -> dict[str, Any]:
        why = hardware.why_not(site, subject)
        thing = things.get(subject)
        return {
            "id": subject,
            "name": called.get(subject, subject),
            "switchable": why is None,
            "why_not": why,
            **standing(db, subject, tz),
            **(_reported(db, thing, tz) if thing else {"zone": None, "use": None}),
        }

    @made.post("/commands", status_code=201)
    def switch(asked: Switch, who: Person) -> dict[str, Any]:
        """Switch a circuit or an air conditioner: at once, or after the warning of five minutes."""
        try:
            why = hardware.why_not(site, asked.subject)
        except StopIteration:
            raise Problem(404, f"no circuit or air conditioner {asked.subject}") from None
        if why is not None:
            raise Problem(409, why, why="protected" if "protected" in why else "unswitchable")
        thing = things[asked.subject]
        args = _args(asked, thing)

        def work(db: sqlite3.Connection, now: int) -> dict[str, Any]:
            found = control.forbids(
                control.standing(db, thing.subject), asked.do, now, hazard=False, person=True
            )
            if found is None and asked.do == "off":
                found = in_use(db, site, thing, now)
            if found is not None:
                raise Problem(409, _FORBIDDEN[found], why=found)
            about = {"subject": thing.subject, "do": asked.do, "args": args}
            audit.append(db, now, who.name, "circuit.switch", about | {"reason": asked.reason})
            if asked.do == "off" and thing.use != "lighting":
                key, due = "w-" + secrets.token_hex(6), now + WARNING_MS
                _replace_waiting(db, thing.subject)
                warn(db, now, key, thing, "off", args, due, person=who.name, cause=asked.reason)
                name = called.get(thing.subject, thing.subject)
                announce(db, now, panels(site), key, name, "off", due, ttl_ms=ttl_ms)
                return {"command": None, "waiting": True, "due": shown(due, tz)}
            _replace_waiting(db, thing.subject)
            command = control.ask(
                *(db, now, thing, asked.do, args),
                cause=asked.reason,
                person=who.name,
                ttl_ms=ttl_ms,
            )
            return {"command": command, "waiting": False, "due": None}

        answer = written(ctx, work)
        ctx.live.publish("circuit", {"id": thing.subject})
        return {"subject": thing.subject, "do": asked.do, **answer}

    def changed(circuit: str, what: str, about: dict[str, Any], who: str, work: Any) -> Any:
        if all(x.id != circuit for many in (site.circuits, site.acs) for x in many):
            raise Problem(404, f"no circuit or air conditioner {circuit}")

        def inside(db: sqlite3.Connection, now: int) -> None:
            work(db, now)
            audit.append(db, now, who, what, {"subject": circuit} | about)

        written(ctx, inside)
        ctx.live.publish("circuit", {"id": circuit})
        return stands(ctx.reader(), circuit)

    @made.post("/circuits/{circuit_id}/reset")
    def reset(circuit_id: str, asked: Reason, who: Person) -> Any:
        """What did not obey has been put right: the gateway may switch it again."""

        def work(db: sqlite3.Connection, now: int) -> None:  # noqa: ARG001
            if not control.reset(db, circuit_id):
                raise Problem(409, "it is not manual")

        about = {"reason": asked.reason}
        return changed(circuit_id, "circuit.reset", about, who.name, work)

    @made.post("/circuits/{circuit_id}/check")
    def check(circuit_id: str, asked: Check, who: Person) -> Any:
        """Record the electrician's check after a hazard: "on" is allowed from then (安全 一.7)."""

        def work(db: sqlite3.Connection, now: int) -> None:
            lasting = db.execute(
                "SELECT 1 FROM control c JOIN finding f ON f.id = c.hazard"
                " WHERE c.subject = ? AND f.state = 'open'",
                (circuit_id,),
            ).fetchone()
            if lasting:
                raise Problem(
                    409, "the hazard still lasts; close the finding of a sensor that is gone"
                )
            if not control.check(db, now, circuit_id, asked.electrician, asked.note, who.name):
                raise Problem(409, "no hazard waits for a check")

        return changed(circuit_id, "circuit.check", asked.model_dump(), who.name, work)

    @made.post("/circuits/{circuit_id}/extend")
    def more_time(circuit_id: str, who: Person) -> Any:
        """The extend key: half an hour more before it is switched."""

        def work(db: sqlite3.Connection, now: int) -> None:  # noqa: ARG001
            if not extend(db, subject=circuit_id):
                raise Problem(409, "nothing waits to be switched")

        return changed(circuit_id, "circuit.extend", {}, who.name, work)

    return made


def _args(asked: Switch, thing: Thing) -> dict[str, float]:
    if asked.do != "set":
        if asked.args:
            raise Problem(422, 'args: only with "set"')
        return {}
    degrees = asked.args.get("set")
    if thing.use != AIRCON or set(asked.args) != {"set"} or degrees is None:
        raise Problem(422, '"set" is for an air conditioner: args {"set": °C}')
    if not 16 <= degrees <= 30:
        raise Problem(422, "set: from 16 to 30 °C")
    return {"set": degrees}


def _replace_waiting(db: sqlite3.Connection, subject: str) -> None:
    """A person's new word replaces a person's older one that still waits."""
    db.execute(
        "UPDATE pending_switch SET state='dropped'"
        " WHERE subject=? AND state='waiting' AND person IS NOT NULL",
        (subject,),
    )


def _reported(db: sqlite3.Connection, thing: Thing, tz: str) -> dict[str, Any]:
    said, meter = hardware.reported(db, thing), hardware.watts(db, thing)
    return {
        "zone": thing.zone,
        "use": thing.use,
        "reported": dict(said.fields) or None,
        "reported_at": shown(said.at or None, tz),
        "watts": meter.fields.get("w"),
        "watts_at": shown(meter.at or None, tz),
    }


def standing(db: sqlite3.Connection, subject: str, tz: str) -> dict[str, Any]:
    """What is wanted of a thing, and what forbids or delays switching it."""
    row = db.execute("SELECT * FROM control WHERE subject = ?", (subject,)).fetchone()
    waits = db.execute(
        "SELECT do, due, person, finding FROM pending_switch"
        " WHERE subject = ? AND state = 'waiting' ORDER BY due LIMIT 1",
        (subject,),
    ).fetchone()
    checked = db.execute(
        "SELECT electrician, note, at, recorded_by FROM electrician_check WHERE subject = ?"
        " ORDER BY id DESC LIMIT 1",
        (subject,),
    ).fetchone()
    wanted = dict(row) if row else {}
    manual, hazard = wanted.get("manual_since"), wanted.get("hazard_at")
    return {
        "desired": wanted.get("desired"),
        "state": wanted.get("state", "idle"),
        "tries": wanted.get("tries", 0),
        "command": wanted.get("command"),
        "cause": wanted.get("cause"),
        "person": wanted.get("person"),
        "manual": {"since": shown(manual, tz), "why": wanted["manual_why"]} if manual else None,
        "hazard": {"since": shown(hazard, tz), "finding": wanted["hazard"]} if hazard else None,
        "respect_until": shown(wanted.get("respect_until"), tz),
        "check": dict(checked) | {"at": shown(checked["at"], tz)} if checked else None,
        "waiting": {
            "do": waits["do"],
            "due": shown(waits["due"], tz),
            "person": waits["person"],
            "finding": None if waits["person"] else waits["finding"],
        }
        if waits
        else None,
    }


def told(row: sqlite3.Row, tz: str) -> dict[str, Any]:
    """A command as the API shows it."""
    made = dict(row) | {"args": json.loads(row["args"])}
    for name in ("made_at", "exp", "answered_at"):
        made[name] = shown(made[name], tz)
    return made
