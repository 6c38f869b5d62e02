"""What a Mosquitto's log says of those it turned away. Pure: a line goes in, a refusal comes out.

The lines are those of Mosquitto 2.0 and 2.1 with `log_type all`. A TLS fault that shows at once has
an address in its line. Any other stands there without a name, before the line that says whose
connection ended: only when that is `<unknown>` was it a handshake (a device whose power fails also
leaves a fault, under its own name). Client ids and topics are the words of strangers, so a line
counts only where Mosquitto's own words begin it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

MOST = 4096
"""Connections whose user is remembered; the oldest go first."""
PENDING = 64
WORDS = 64  # characters of a stranger's name that are repeated
UNKNOWN = "<unknown>"

_LINE = re.compile(
    r"(?:[0-9TZ:.,+/ -]{1,40}: )?"  # the time, in whatever digits
    r"(?=New |Client |Denied |OpenSSL )"
    r"(?:New connection from (?P<came>\S+):\d+ on port"
    r"|New client connected from (?P<host>\S+):\d+ as (?P<id>.*) "
    r"\(p\d+, c\d, k\d+(?:, u'(?P<user>.*)')?\)\.$"
    r"|OpenSSL Error\[\d+\]: (?:error:[0-9A-F]+:[^:]*:[^:]*:)?(?P<fault>.*)"
    r"|Denied PUBLISH from (?P<writer>.*?) \(d\d, q\d, r\d, m\d+, '(?P<topic>.*?)"
    r"(?:', \.\.\. \(\d+ bytes\)\)$|$)"
    r"|Client connection from (?P<peer>\S+) failed: (?:error:[0-9A-F]+:[^:]*:[^:]*:)?(?P<why>.*)"
    r"|Client (?P<out>.*?)(?: \[(?P<at>\S+):\d+\])? disconnected[,:] not authorised\.$"
    r"|Client (?P<gone>\S+)(?: \[(?P<from>\S+):\d+\])? )",
    re.DOTALL,
)


class Refusal(NamedTuple):
    """One thing that was turned away. `user`: whom the broker knows it as, None where it does not
    say; `client`: the id that it gave itself, empty where the log has none."""

    client: str
    user: str | None
    topic: str  # empty for a login
    reason: str

    def device(self, known: frozenset[str]) -> str | None:
        """Which of the `known` devices it was: the user's name, or else what the id claims."""
        if self.user is not None:
            return self.user if self.user in known else None
        for claim in (self.client, self.client.rpartition("-")[0]):
            if claim in known:
                return claim
        return None


class Reader:
    """Follows one log, line by line; remembers who is connected, and no more than it must."""

    def __init__(self) -> None:
        self._users: dict[str, str | None] = {}
        self._pending: list[str] = []  # addresses of connections that have not said who they are
        self._fault: str | None = None

    def line(self, text: str) -> Refusal | None:
        """The refusal that a line tells of, if it tells of one."""
        found = _LINE.match(text)
        if found is None:
            return None
        said = found.groupdict()
        if said["came"] is not None:
            self._pending = [*self._pending[1 - PENDING :], said["came"]]
        elif said["host"] is not None:
            self._forget(said["host"])
            self._users.pop(said["id"], None)
            self._users[said["id"]] = said["user"]
            if len(self._users) > MOST:
                del self._users[next(iter(self._users))]
        elif said["fault"] is not None:
            if self._fault is None:
                self._fault = said["fault"].strip()
        elif said["writer"] is not None:
            return self._denied(said["writer"], said["topic"])
        elif said["peer"] is not None:
            self._forget(said["peer"])
            return _handshake(said["why"].removesuffix("."), said["peer"])
        elif said["out"] is not None:
            return self._out(said["out"], said["at"])
        else:
            return self._gone(said["gone"], said["from"])
        return None

    def _denied(self, client: str, topic: str) -> Refusal:
        user = self._users.get(client)
        by = f"client {client[:WORDS]!r}" + (f", user {user[:WORDS]!r}" if user else "")
        return Refusal(client, user, topic, f"publish not allowed ({by})")

    def _out(self, client: str, host: str | None) -> Refusal:
        self._fault = None
        name = "" if client == UNKNOWN else client
        by = f"client {name[:WORDS]!r}, " if name else ""
        where = self._place(host)
        return Refusal(name, None, "", f"login refused: not authorised ({by}from {where})")

    def _gone(self, client: str, host: str | None) -> Refusal | None:
        fault, self._fault = self._fault, None
        if client != UNKNOWN:
            self._users.pop(client, None)
            return None
        where = self._place(host)
        if fault is None:
            return None
        return _handshake(fault, where)

    def _place(self, host: str | None) -> str:
        """Where a connection came from that has ended without a name. Two that are open at once
        cannot be told apart: both are named, and neither is named again."""
        if host is not None:
            self._forget(host)
            return host
        hosts = list(dict.fromkeys(self._pending))
        if len(hosts) == 1:
            self._forget(hosts[0])
        else:
            self._pending = []
        return _either(hosts)

    def _forget(self, host: str) -> None:
        if host in self._pending:
            self._pending.remove(host)


def _handshake(fault: str, where: str) -> Refusal:
    return Refusal("", None, "", f"TLS refused: {fault} (from {where})")


def _either(hosts: Iterable[str]) -> str:
    some = [host[:WORDS] for host in hosts]
    return " or ".join(some[:3]) + (" or others" if len(some) > 3 else "") or "an unknown address"
