"""值班记录: what happened on a shift, drawn from the records that stand anyway.

Alerts through their life, what people did (from the audit),
what was switched, who was told.
Nothing is written here. Times Unix ms.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Any

Line = dict[str, Any]
"""{"at","what",…}: `what` is a code such as `alert.raise`, the rest names what it is about."""

_PEOPLE = (
    *("finding.close", "circuit.switch", "circuit.reset", "circuit.check", "circuit.extend"),
    *("entry.register", "permit.give"),
    *("permit.withdraw", "patrol.sign", "closing.check", "shift.open", "shift.handover"),
    *("gateway.start", "site.reloaded", "site.refused"),
)
_ALERTS = (
    "SELECT h.at, h.what, h.who, h.state, a.id, a.rule, a.subject, a.severity, f.zone"
    " FROM alert_history h JOIN alert a ON a.id = h.alert LEFT JOIN finding f ON f.id = a.finding"
    " WHERE h.at >= ? AND h.at < ? ORDER BY h.id"
)
_SWITCHED = (
    "SELECT made_at, device, ch, do, args, cause, person, state FROM command"
    " WHERE do IN ('on', 'off', 'set') AND made_at >= ? AND made_at < ?"
)
_TOLD = (
    "SELECT n.sent_at, n.kind, n.alert, n.role, n.channel, n.tries, a.rule, a.subject"
    " FROM notification n JOIN alert a ON a.id = n.alert"
    " WHERE n.kind <> 'siren' AND n.state = 'sent' AND n.sent_at >= ? AND n.sent_at < ?"
)


def lines(db: sqlite3.Connection, begin: int, end: int) -> list[Line]:
    """Everything in [begin, end), not yet in order of time."""
    found: list[Line] = []
    for at, what, who, state, alert, rule, subject, severity, zone in db.execute(
        _ALERTS, (begin, end)
    ):
        about = {"alert": alert, "rule": rule, "subject": subject, "zone": zone}
        told = {"severity": severity, "state": state, "who": who}
        found.append({"at": at, "what": f"alert.{what}", **about, **told})
    for at, device, ch, do, args, cause, person, state in db.execute(_SWITCHED, (begin, end)):
        found.append(
            {
                **{"at": at, "what": f"switch.{do}", "channel": f"{device}/{ch}"},
                **{"args": json.loads(args), "cause": cause, "who": person, "state": state},
            }
        )
    for at, kind, alert, role, channel, tries, rule, subject in db.execute(_TOLD, (begin, end)):
        about = {"alert": alert, "rule": rule, "subject": subject}
        told = {"to": role, "channel": channel, "tries": tries}
        found.append({"at": at, "what": f"told.{kind}", **about, **told})
    marks = ",".join("?" * len(_PEOPLE))
    rows = db.execute(
        f"SELECT at, who, what, about FROM audit WHERE at >= ? AND at < ? AND what IN ({marks})",
        (begin, end, *_PEOPLE),
    )
    found += [
        {"at": at, "what": what, "who": who, "about": json.loads(about)}
        for at, who, what, about in rows
    ]
    return found
