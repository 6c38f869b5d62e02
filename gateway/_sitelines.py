"""Where a key of a TOML file stands: a path such as ("circuit", 1, "use") to its line number.

tomllib keeps no positions. This reads table headers and keys only, and knows enough of strings,
comments and brackets not to be fooled by a value that runs over several lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

KeyPath = tuple[str | int, ...]

_PART = re.compile(r"""\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([A-Za-z0-9_-]+))\s*(\.?)""")
_HEADER = re.compile(r"\s*(\[\[?)(.*?)\]\]?\s*(?:#.*)?$")
_QUOTES = ('"""', "'''", '"', "'")


class Lines:
    """The lines of one file's tables and keys."""

    def __init__(self, text: str) -> None:
        self._lines: dict[KeyPath, int] = {}
        for path, number in _scan(text):
            for end in range(1, len(path) + 1):
                self._lines.setdefault(path[:end], number)

    def of(self, path: KeyPath) -> int:
        """The line of `path`, or of the nearest thing around it; 1 for the file itself."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 1)


def _scan(text: str) -> Iterator[tuple[KeyPath, int]]:
    table: KeyPath = ()
    counts: dict[KeyPath, int] = {}
    for number, line in _statements(text):
        header = _HEADER.match(line)
        if header:
            table = _resolve(_keys(header[2])[0], counts, header[1] == "[[")
            yield table, number
            continue
        keys, rest = _keys(line)
        if keys and rest.startswith("="):
            yield (*table, *keys), number


def _resolve(keys: list[str], counts: dict[KeyPath, int], array: bool) -> KeyPath:
    """A header's path with the index of each array of tables it runs through."""
    path: KeyPath = ()
    for at, key in enumerate(keys):
        path = (*path, key)
        if array and at == len(keys) - 1:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, counts[path])
    return path


def _keys(text: str) -> tuple[list[str], str]:
    """The dotted key that `text` begins with, and what follows it."""
    keys: list[str] = []
    while found := _PART.match(text):
        keys.append(next(part for part in found.groups()[:3] if part is not None))
        text = text[found.end() :]
        if not found[4]:
            break
    return keys, text


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Lines at which a header or key may begin: those not inside a string or a bracketed value."""
    depth, quote = 0, ""
    for number, line in enumerate(text.split("\n"), 1):
        if not depth and not quote:
            yield number, line
            if _HEADER.match(line):
                continue
        depth, quote = _after(line, depth, quote)


def _after(line: str, depth: int, quote: str) -> tuple[int, str]:
    """Bracket depth and open multi-line quote at the end of `line`."""
    at = 0
    while at < len(line):
        if quote:
            if line.startswith(quote, at):
                at, quote = at + len(quote), ""
            else:
                at += 2 if line[at] == "\\" and quote[0] == '"' else 1
        elif line[at] == "#":
            break
        elif opened := next((q for q in _QUOTES if line.startswith(q, at)), ""):
            at, quote = at + len(opened), opened
        else:
            depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(line[at], 0)
            at += 1
    return max(depth, 0), quote if len(quote) == 3 else ""
