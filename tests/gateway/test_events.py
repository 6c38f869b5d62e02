"""Bytes to events: every reason to refuse, what is refused alone, and that nothing is a crash."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware import wire
from gateway.events import STRUCTS, Event, Refused, Unknown, decode, split_topic

GOOD = {
    "log": "9f3a1c22",
    "seq": 1235,
    "boot": 7,
    "up": 86400123,
    "t": 1782896400123,
    "kind": "contact",
    "ch": "c1",
    "open": True,
}
LEVEL = {"kind": "rating", "level": 4}
POWER = {"kind": "power", "ch": "c1", "w": 120.5}
AC = {"kind": "ac", "ch": "a1", "on": True, "mode": "cool", "set": 26}


def text(**changes: Any) -> bytes:
    """GOOD with changes; a value of `...` leaves the key out."""
    return json.dumps({k: v for k, v in (GOOD | changes).items() if v is not ...}).encode()


def only(payload: bytes) -> Any:
    [(raw, item)] = decode(payload)
    assert raw == payload
    return item


def nested(levels: int) -> Any:
    """A list in a list …, `levels` deep."""
    return [nested(levels - 1)] if levels > 1 else []


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("rating", {"level": 5}),
        ("rating", {"level": 1, "visit": "A-017"}),
        ("contact", {"ch": "c1", "open": False}),
        ("lock", {"ch": "l1", "locked": True}),
        ("presence", {"ch": "p1", "present": True}),
        ("lux", {"ch": "x1", "lx": 300}),
        ("climate", {"ch": "t1", "c": 26.5, "rh": 40}),
        ("power", {"ch": "c1", "w": -0.5, "v": 230.1, "a": 1, "pf": 0.98, "wh": 12}),
        ("ac", {"ch": "a1", "on": True, "mode": "auto", "set": 26, "src": "heard"}),
        ("relay", {"ch": "r1", "on": False, "cause": "command", "cmd": "c-01J"}),
        ("detector", {"ch": "d1", "what": "smoke", "active": True}),
        ("tap", {"tag": "04A1b2"}),
        ("button", {"name": "extend"}),
        ("tamper", {"moved": True}),
        ("done", {"cmd": "c-01J", "ok": False, "why": "expired"}),
        ("lost", {"from": 1, "to": 9, "why": "flash full"}),
        ("health", {}),
        ("health", {"mem": 1, "rssi": -60, "battery": 88.5, "ages": {"c1": 1.5, "c2": None}}),
    ],
)
def test_every_kind_is_read(kind: str, fields: dict[str, Any]) -> None:
    item = only(
        text(kind=kind, ch=..., open=...)[:-1] + b"," + json.dumps(fields).encode()[1:]
        if fields
        else text(kind=kind, ch=..., open=...)
    )
    assert isinstance(item, Event)
    assert item.kind == kind
    for name, value in fields.items():
        assert getattr(item, name + "_" if name in ("from", "set") else name) == value


def test_the_table_above_has_every_kind() -> None:
    marks = next(m for m in test_every_kind_is_read.pytestmark if m.name == "parametrize")
    assert {row[0] for row in marks.args[1]} == set(STRUCTS) == set(wire.KINDS)


@pytest.mark.parametrize(
    "payload",
    [
        text(t=None),
        text(log="ABCDEF01"),
        text(seq=1, boot=1, up=0),
        text(more=1, extra={"a": [1, 2]}),
        text(deep=nested(7)),
        b" \r\n\t" + text() + b"\n",
        text(note="x" * 3900),
        text(note='{"a":{"b":{"c":{"d":{"e":{"f":{"g":{"h":{"i":1'),
    ],
)
def test_still_valid(payload: bytes) -> None:
    assert isinstance(only(payload), Event)


@pytest.mark.parametrize("kind", ["hologram", "CONTACT", "", "x" * 40])
def test_an_unknown_kind_is_kept(kind: str) -> None:
    item = only(text(kind=kind))
    assert isinstance(item, Unknown)
    assert (item.kind, item.log, item.seq) == (kind, "9f3a1c22", 1235)


@pytest.mark.parametrize(
    ("payload", "reason", "number"),
    [
        (b"", "no JSON", False),
        (b"hello", "no JSON", False),
        (text()[:-1], "no JSON", False),
        (text() + b"}", "no JSON", False),
        (text() + text(), "no JSON", False),
        (b"\xff\xfe" + text(), "not UTF-8", False),
        (text().replace(b"c1", b"c\xff"), "not UTF-8", False),
        (b"null", "neither an object nor an array", False),
        (b"12", "neither an object nor an array", False),
        (b'"event"', "neither an object nor an array", False),
        (b"[]", "array of 0", False),
        (text(**POWER).replace(b"120.5", b"NaN"), "no JSON", False),
        (text(**POWER).replace(b"120.5", b"Infinity"), "no JSON", False),
        (text(**POWER).replace(b"120.5", b"-Infinity"), "no JSON", False),
        (text(more=1).replace(b'"more": 1', b'"more": NaN'), "no JSON", False),
        (text(**POWER).replace(b"120.5", b"1e999"), "", True),
        (text(note="x" * 4000), "at most 4096", True),
        (text(deep=nested(8)), "deeper than 8", True),
        (text().replace(b'"ch"', b'"open": false, "ch"'), "key twice", True),
        (text().replace(b'"ch"', b'"x": 1, "x": 1, "ch"'), "key twice", True),
        (text(x=1).replace(b'"x": 1', b'"x": {"y": 1, "y": 2}'), "key twice", True),
        (text(seq="1"), "", False),
        (text(seq=0), "", False),
        (text(seq=-1), "", False),
        (text(seq=True), "", False),
        (text(seq=1.5), "", False),
        (text(seq=None), "", False),
        (text(seq=2**53 + 1), "", False),
        (text(seq=...), "", False),
        (text(log=...), "", False),
        (text(log="9f3a1c2"), "", False),
        (text(log="9f3a1c221"), "", False),
        (text(log="9f3a1c2g"), "", False),
        (text(log="9f3a1c22\n"), "", False),
        (text(log=9), "", False),
        (text(boot=0), "", True),
        (text(boot="7"), "", True),
        (text(boot=...), "", True),
        (text(up=-1), "", True),
        (text(up=None), "", True),
        (text(t="now"), "", True),
        (text(t=1.5), "", True),
        (text(t=-1), "", True),
        (text(t=...), "", True),
        (text(kind=...), "", True),
        (text(kind=5), "", True),
        (text(kind=None), "", True),
        (text(open=...), "", True),
        (text(open=1), "", True),
        (text(open="true"), "", True),
        (text(ch=...), "", True),
        (text(ch="C1"), "", True),
        (text(ch=""), "", True),
        (text(ch="c" * 33), "", True),
        (text(ch="c1\n"), "", True),
        (text(**LEVEL | {"level": 6}), "", True),
        (text(**LEVEL | {"level": 0}), "", True),
        (text(**LEVEL | {"level": "5"}), "", True),
        (text(**LEVEL | {"level": None}), "", True),
        (text(**LEVEL, visit="A 17"), "", True),
        (text(**LEVEL, visit="7" * 33), "", True),
        (text(**POWER | {"w": "120"}), "", True),
        (text(**POWER | {"w": None}), "", True),
        (text(**POWER | {"w": True}), "", True),
        (text(**POWER, v="230"), "", True),
        (text(**AC | {"mode": "turbo"}), "", True),
        (text(**AC, src="guessed"), "", True),
        (text(kind="detector", ch="d1", what="noise", active=True), "", True),
        (text(kind="tap", tag="04zz"), "", True),
        (text(kind="tap", tag=""), "", True),
        (text(kind="relay", on=True, cause="ghost"), "", True),
        (text(kind="lost", to=5, why="x"), "", True),
        (text(kind="health", ages={"c1": "old"}), "", True),
    ],
)
def test_refused(payload: bytes, reason: str, number: bool) -> None:
    item = only(payload)
    assert isinstance(item, Refused), item
    assert reason in item.reason
    assert item.reason
    assert (item.log, item.seq) == (("9f3a1c22", 1235) if number else (None, None))


def test_a_refused_number_is_read_without_case() -> None:
    item = only(text(log="ABCDEF01", open=1))
    assert (item.log, item.seq) == ("abcdef01", 1235)


def test_in_an_array_only_the_bad_one_is_refused() -> None:
    parts = [text(seq=1), text(seq=2, open=1), text(seq=3, kind="hologram"), b"7", text(seq=5)]
    items = [item for _, item in decode(b"[" + b",".join(parts) + b"]")]
    assert [type(item) for item in items[:1]] == [STRUCTS["contact"]]
    assert isinstance(items[1], Refused)
    assert items[1].seq == 2
    assert isinstance(items[2], Unknown)
    assert isinstance(items[3], Refused)
    assert isinstance(items[4], STRUCTS["contact"])


def test_each_event_of_an_array_comes_with_its_own_bytes() -> None:
    parts = [text(seq=1), text(seq=2)]
    assert [raw for raw, _ in decode(b"[" + b" , ".join(parts) + b"]")] == parts


@pytest.mark.parametrize(
    "payload",
    [
        b"[" + text(seq=1) + b"," + text(**POWER).replace(b"120.5", b"NaN") + b"]",
        b"[" + text(seq=1) + b",]",
        b"[" + text(seq=1),
        b"[" + text(seq=1) + b"]]",
        b"[" + text(seq=1) + b',{"log":}]',
    ],
)
def test_an_array_that_is_no_json_is_refused_whole(payload: bytes) -> None:
    assert isinstance(only(payload), Refused)


def test_an_array_of_33_is_refused_and_their_numbers_are_known() -> None:
    part = b'{"log":"9f3a1c22","seq":%d,"boot":1,"up":1,"t":null,"kind":"health"}'
    assert len(decode(b"[" + b",".join(part % n for n in range(1, 33)) + b"]")) == 32
    items = [i for _, i in decode(b"[" + b",".join(part % n for n in range(1, 34)) + b"]")]
    assert [i.seq for i in items if isinstance(i, Refused)] == list(range(1, 34))


def test_an_array_beyond_4_kib_is_refused_and_the_numbers_that_can_be_read_are_known() -> None:
    parts = [text(seq=seq, note="x" * 2000) for seq in (1, 2, 3)]
    items = [i for _, i in decode(b"[" + b",".join([*parts, b"7"]) + b"]")]
    assert [i.seq for i in items if isinstance(i, Refused)] == [1, 2, 3]
    whole = b"[" + b",".join(parts).replace(b'"xxx', b'NaN,"x', 1) + b"]"
    assert only(whole).seq is None  # type: ignore[union-attr]


@pytest.mark.parametrize("payload", [b"[" * 5000, b"[" * 2000 + b"]" * 2000, b'{"a":' * 800])
def test_depth_is_no_crash(payload: bytes) -> None:
    assert all(isinstance(item, Refused) for _, item in decode(payload))


@pytest.mark.parametrize(
    "topic",
    [
        "hall/1/fengxian/pm-01/ack",
        "hall/1/fengxian/pm-01",
        "hall/1/fengxian/pm-01/event/x",
        "hall/2/fengxian/pm-01/event",
        "hall/1/fengxian/PM-01/event",
        "hall/1/elsewhere/pm-01/event",
        "hall/1/fengxian/pm-99/event",
        "hall/1/fengxian/" + "p" * 33 + "/event",
        "/hall/1/fengxian/pm-01/event",
        "hall/1/fengxian/pm-01/event\n",
        "hall/1/fengxian//event",
        "",
    ],
)
def test_topics_refused(topic: str) -> None:
    refused = split_topic(topic, "fengxian", {"pm-01"})
    assert isinstance(refused, Refused)
    assert refused.reason


@pytest.mark.parametrize("leaf", ["event", "state"])
def test_topics_taken(leaf: str) -> None:
    assert split_topic(f"hall/1/fengxian/pm-01/{leaf}", "fengxian", {"pm-01"}) == ("pm-01", leaf)


# --- nothing is a crash ---------------------------------------------------------------------

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from([*GOOD, "level", "w", "x"]), inner, max_size=6)
    ),
    max_leaves=30,
)


def sound(payload: bytes) -> None:
    items = [item for _, item in decode(payload)]
    assert items
    for item in items:
        if isinstance(item, Refused):
            assert item.reason
            assert (item.log is None) == (item.seq is None)
        else:
            assert isinstance(item, (Event, Unknown))
            assert item.seq >= 1
            assert item.boot >= 1
            assert item.up >= 0
            assert len(item.log) == 8


@settings(max_examples=500, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes(payload: bytes) -> None:
    sound(payload)


@settings(max_examples=500, deadline=None)
@given(json_values)
def test_any_json(value: Any) -> None:
    sound(json.dumps(value).encode())


@settings(max_examples=500, deadline=None)
@given(st.dictionaries(st.sampled_from([*GOOD, "level", "w"]), json_values, max_size=3))
def test_any_change_of_a_good_event(changes: dict[str, Any]) -> None:
    sound(json.dumps(GOOD | changes).encode())
    sound(json.dumps([GOOD, GOOD | changes]).encode())


@settings(max_examples=500, deadline=None)
@given(st.integers(0, len(text()) - 1), st.binary(max_size=3), st.integers(0, 3))
def test_any_damage_of_a_good_event(at: int, put: bytes, cut: int) -> None:
    good = text()
    sound(good[:at] + put + good[at + cut :])
    sound(b"[" + good + b"," + good[:at] + put + good[at + cut :] + b"]")
