"""Commands: not expired, not retained, once only across restarts, each answered by `done`."""

import json
import os

from firmware import wire

KEPT = 64  # ids remembered
REPEAT = "repeat"


class Commands:
    """Ids live in a small file that is only added to, and rewritten when it has grown."""

    def __init__(self, folder):
        self._path = folder + "/commands"
        self._order = []
        self._seen = {}  # id -> True, False, or None while being carried out
        self._lines = 0

    def load(self):
        """Read the ids of earlier boots. Returns self."""
        for path in (self._path, self._path + ".t"):
            try:
                with open(path) as file:
                    lines = file.read().split("\n")
            except (OSError, ValueError):
                continue
            for line in lines:
                mark, _, name = line.partition(" ")
                if name and mark in ("?", "+", "-"):
                    self._note(name, {"?": None, "+": True, "-": False}[mark])
                    self._lines += 1
            break
        return self

    def _note(self, name, ok):
        if name in self._seen:
            self._order.remove(name)
        self._seen[name] = ok
        self._order.append(name)
        while len(self._order) > KEPT:
            del self._seen[self._order.pop(0)]

    def _keep(self, name, ok):
        self._note(name, ok)
        mark = "?" if ok is None else "+" if ok else "-"
        if self._lines >= 4 * KEPT:
            with open(self._path + ".t", "w") as file:
                for known in self._order:
                    was = self._seen[known]
                    file.write(("?" if was is None else "+" if was else "-") + " " + known + "\n")
            os.rename(self._path + ".t", self._path)
            self._lines = len(self._order)
            return
        with open(self._path, "a") as file:
            file.write(mark + " " + name + "\n")
        self._lines += 1

    def handle(self, payload, retained, now, act):
        """Judge one command and carry it out by `act(command)` -> (ok, why, events).

        `now` is Unix ms, or None where nobody has told the time. Returns the events to log, the
        `done` last; none for what has no readable id.
        """
        command = _parse(payload)
        if command is None:
            return []
        name = command["id"]
        if name in self._seen:
            ok = self._seen[name]
            return [_done(name, bool(ok), REPEAT if ok is not None else "interrupted")]
        why = _refusal(command, retained, now)
        if why:
            self._keep(name, False)
            return [_done(name, False, why)]
        self._keep(name, None)  # on flash before it acts: a power cut must not run it twice
        ok, why, events = act(command)
        self._keep(name, ok)
        return list(events) + [_done(name, ok, why)]


def _parse(payload):
    if len(payload) > wire.MAX_BYTES:
        return None
    try:
        command = json.loads(payload)
    except ValueError:
        return None
    if not isinstance(command, dict):
        return None
    name = command.get("id")
    if not isinstance(name, str) or not 0 < len(name) <= 64 or "\n" in name:
        return None
    return command


def _refusal(command, retained, now):
    exp = command.get("exp")
    if command.get("do") not in wire.ACTIONS:
        return "unknown command"
    if not isinstance(exp, (int, float)) or isinstance(exp, bool):
        return "no expiry"
    if not isinstance(command.get("args", {}), dict):
        return "bad args"
    if not isinstance(command.get("ch") or "", str):
        return "no such channel"
    if retained:
        return "retained"
    if now is None:
        return "time unknown"
    if now >= exp:
        return "expired"
    return None


def _done(name, ok, why):
    fields = {"cmd": name, "ok": ok}
    if why:
        fields["why"] = why
    return (wire.DONE, fields)
