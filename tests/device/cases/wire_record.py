"""The wire's tables, and events packed and read again."""

import json

from firmware import record, wire

EVENTS = (
    ("rating", {"level": 5}),
    ("rating", {"level": 1, "visit": "A-017"}),
    ("contact", {"ch": "c1", "open": True}),
    ("climate", {"ch": "t1", "c": -3.125, "rh": 45.5}),
    ("power", {"ch": "c1", "w": 120.5, "v": 229.9, "a": 0.53, "pf": 0.98, "wh": 1234567}),
    ("power", {"ch": "c1", "w": 0}),
    ("ac", {"ch": "a1", "on": True, "mode": "heat", "set": 20.5, "src": "heard"}),
    ("relay", {"ch": "r1", "on": False, "cause": "command", "cmd": "c-01J"}),
    ("detector", {"ch": "d1", "what": "heat", "active": True}),
    ("tap", {"tag": "04a1b2c3d4"}),
    ("button", {"name": '确认"\\\n'}),
    ("tamper", {"moved": False}),
    ("done", {"cmd": "c-1", "ok": False, "why": "expired"}),
    ("lost", {"from": 3, "to": 9, "why": "flash full"}),
    ("health", {"mem": 12, "rssi": -70, "battery": 88.5, "ages": {"c1": 3, "c2": 0, "c3": None}}),
)


def test_round_trip(_folder):
    data = b""
    for number, (kind, fields) in enumerate(EVENTS):
        data += record.pack(100 + number, 7, 86400123, kind, fields)
    at = 0
    for number, (kind, fields) in enumerate(EVENTS):
        body, _, at = record.scan(data, at, 100 + number)
        assert record.unpack(data, body) == (kind, 7, 86400123, fields), fields
    assert at == len(data)


def test_record_is_small(_folder):
    assert len(record.pack(1, 1, 86400123, "rating", {"level": 5})) <= 14
    assert len(record.pack(1, 1, 86400123, "contact", {"ch": "c1", "open": True})) <= 16


def test_record_fits_no_other_seq_and_no_other_byte(_folder):
    raw = record.pack(5, 1, 1000, "contact", {"ch": "c1", "open": True})
    assert record.scan(raw, 0, 5)
    assert not record.scan(raw, 0, 6)
    for place in range(len(raw)):
        bad = bytearray(raw)
        bad[place] ^= 4
        assert not record.scan(bytes(bad), 0, 5), place


def test_every_kind_has_a_number(_folder):
    for kind in wire.KINDS:
        assert kind in record._NAMES


def test_json_is_what_json_reads(_folder):
    for kind, fields in EVENTS:
        text = wire.encode("9f3a1c22", 4, 2, 99, None, kind, fields)
        found = json.loads(text)
        for name in fields:
            assert found[name] == fields[name], text
        assert found["t"] is None
        assert found["seq"] == 4


def test_poison_is_refused(_folder):
    bad = (
        ("rating", {"level": 6}),
        ("rating", {"level": True}),
        ("power", {"ch": "c1", "w": float("nan")}),
        ("power", {"ch": "c1", "w": float("inf")}),
        ("power", {"ch": "C1", "w": 1}),
        ("contact", {"ch": "c1"}),
        ("contact", {"ch": "c1", "open": 1}),
        ("button", {"name": "x" * 257}),
        ("tap", {"tag": "xyz"}),
        ("what", {}),
    )
    for kind, fields in bad:
        try:
            record.pack(1, 1, 1, kind, fields)
        except ValueError:
            continue
        raise AssertionError((kind, fields))


def test_numbers_have_three_decimals(_folder):
    assert wire.number(120.5) == "120.5"
    assert wire.number(-0.0001) == "0"
    assert wire.number(0.1 + 0.2) == "0.3"
    assert wire.number(7) == "7"
