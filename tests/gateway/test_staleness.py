"""A device that answers while one of its sensors does not: device.stale, by what it says itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway import site, store
from gateway.events import Event, decode_one
from gateway.journal import StoredEvent
from gateway.staleness import Staleness
from gateway.turns import Turn
from tests.journey.hall import SITE

NOW = 1_782_896_400_000
MINUTE = 60_000
HALL = site.load(SITE)


class Hall:
    """The stage over a store; `says` is one report of pm-01, stored at `at`."""

    def __init__(self, folder: Path, hall: site.Site = HALL) -> None:
        self.db = store.open_writer(folder)
        self.hall = hall
        self.seq = 0
        self.restart()

    def restart(self) -> None:
        self.stage = Staleness(self.hall)
        self.stage.load(self.db, NOW)

    def says(
        self, at: int, ages: dict[str, float | None] | None, *, t: int | None = None, up: int = 1
    ) -> None:
        self.seq += 1
        fields = {"log": "9f3a1c22", "seq": self.seq, "boot": 1, "up": up, "t": t}
        fields["kind"] = "health"
        raw = json.dumps(fields | ({} if ages is None else {"ages": ages})).encode()
        event = decode_one(raw)
        assert isinstance(event, Event)
        said = StoredEvent("pm-01", "9f3a1c22", self.seq, 1, 1, t, at, event, new=True)
        self.turn(at, said)

    def turn(self, at: int, *said: StoredEvent) -> None:
        self.stage.turn(self.db, Turn(at, 0.0, said))

    def rows(self, what: str) -> list[Any]:
        found = self.db.execute(f"SELECT {what} FROM finding ORDER BY start").fetchall()
        return [row[0] if len(row) == 1 else row for row in found]

    def channels(self) -> list[str]:
        (evidence,) = self.rows("evidence")
        return [one["ch"] for one in json.loads(evidence)["channels"]]


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    made = Hall(tmp_path)
    yield made
    made.db.close()


def test_a_channel_at_its_limit_is_told_by_name_and_ends_when_it_is_fresh(hall: Hall) -> None:
    hall.says(NOW, {"c1": 599, "c2": 3})
    assert hall.rows("rule") == []
    hall.says(NOW + 1000, {"c1": 600, "c2": 4})
    assert hall.rows('rule, subject, start, "end", severity') == [
        ("device.stale", "pm-01", NOW + 1000, None, "warning")
    ]
    evidence = json.loads(hall.rows("evidence")[0])
    read = "2026-07-01T16:50:01.000+08:00"
    assert evidence["channels"] == [{"ch": "c1", "read": read}]
    assert evidence["zh"] == "c1（大厅照明） 自 07-01 16:50 起没有读数"
    assert evidence["en"] == "c1 (大厅照明): no reading since 07-01 16:50"
    ((state, about),) = hall.db.execute("SELECT state, about FROM alert").fetchall()
    assert (state, json.loads(about)) == ("unacknowledged", {"channels": ["c1（大厅照明）"]})
    assert [name for name, _ in hall.stage.committed(Turn(NOW, 0.0))] == ["finding"]
    hall.says(NOW + 2000, {"c1": 0, "c2": 5})
    assert hall.rows('"end", state') == [(NOW + 2000, "ended")]
    assert hall.db.execute("SELECT state FROM alert").fetchall() == [("returned",)]


def test_what_was_never_read_is_as_old_as_the_start(hall: Hall) -> None:
    hall.says(NOW, {"c1": None, "c2": 3}, up=10 * MINUTE - 1)
    assert hall.rows("rule") == []
    hall.says(NOW + 1000, {"c1": None, "c2": 3}, up=10 * MINUTE)
    evidence = json.loads(hall.rows("evidence")[0])
    assert evidence["channels"] == [{"ch": "c1", "read": "2026-07-01T16:50:01.000+08:00"}]


def test_what_a_sleeper_never_read_is_stale_at_once(tmp_path: Path) -> None:
    devices = tuple(replace(d, power="battery") if d.id == "pm-01" else d for d in HALL.devices)
    sleeper = Hall(tmp_path, replace(HALL, devices=devices))
    sleeper.says(NOW, {"c1": None, "c2": 0})
    evidence = json.loads(sleeper.rows("evidence")[0])
    assert evidence["channels"] == [{"ch": "c1", "read": None}]
    assert evidence["zh"] == "c1（大厅照明） 启动以来没有读数"
    assert evidence["en"] == "c1 (大厅照明): no reading since it started"
    sleeper.says(NOW + 720 * MINUTE, {"c1": 0, "c2": 0})
    assert sleeper.rows("state") == ["ended"]
    sleeper.db.close()


def test_one_finding_of_a_device_follows_its_channels(hall: Hall) -> None:
    hall.says(NOW, {"c1": 700, "c2": 3})
    first = hall.rows("id, evidence")
    hall.says(NOW + MINUTE, {"c1": 761, "c2": 63})  # a second of jitter is no change
    assert hall.rows("id, evidence") == first
    hall.says(NOW + 2 * MINUTE, {"c1": 820, "c2": 620})
    assert hall.channels() == ["c1", "c2"]
    hall.restart()
    hall.says(NOW + 3 * MINUTE, {"c1": 2, "c2": 680})
    assert hall.channels() == ["c2"]
    ((about,),) = hall.db.execute("SELECT about FROM alert").fetchall()
    assert json.loads(about) == {"channels": ["c2（一号窗口插座）"]}
    assert hall.rows("id") == [first[0][0]]


def test_only_what_speaks_of_now_counts(hall: Hall) -> None:
    hall.says(NOW, {"c1": 9000}, t=NOW - 10 * MINUTE)  # a backlog
    assert hall.rows("id") == []
    hall.says(NOW, {"c1": 0}, t=NOW - 1000)
    hall.says(NOW + 1, {"c1": 9000}, t=NOW - 5 * MINUTE)  # overtaken by a newer one
    assert hall.rows("id") == []
    hall.says(NOW + 2, {"c1": 700}, t=NOW)
    assert len(hall.rows("id")) == 1
    hall.says(NOW - 86_400_000, {"c1": 0})  # the gateway's clock was set back
    assert hall.rows("state") == ["ended"]


def test_a_site_may_set_the_limit_or_switch_it_off(tmp_path: Path) -> None:
    text = SITE.read_text("utf-8")
    file = tmp_path / "site.toml"
    device = '[[device]]\nid = "pm-01"\n'
    assert device in text
    file.write_text(text.replace(device, device + 'stale_after = "1min"\n'), "utf-8")
    strict = Hall(tmp_path / "strict", site.load(file))
    strict.says(NOW, {"c1": 60})
    assert strict.rows("subject") == ["pm-01"]
    strict.db.close()
    file.write_text(text + '\n[rules."device.stale"]\nenabled = false\n', "utf-8")
    off = Hall(tmp_path / "off", site.load(file))
    off.says(NOW, {"c1": 9000})
    assert off.rows("subject") == []
    off.db.close()


AGES = st.dictionaries(
    st.sampled_from(["c1", "c2", "", "c 1", "x" * 99]),
    st.floats(-1e300, 1e300, allow_nan=False) | st.integers(0, 2000).map(float),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(reports=st.lists(AGES | st.none(), max_size=8))
def test_a_finding_is_open_exactly_while_the_last_report_has_a_stale_channel(
    hall: Hall, reports: list[dict[str, float] | None]
) -> None:
    hall.db.execute("BEGIN")
    hall.restart()
    for n, ages in enumerate(reports):
        hall.says(NOW + n * 1000, ages)
        stale = [ch for ch in ("c1", "c2") if ages and ages.get(ch, 0) >= 600]
        assert hall.rows("state").count("open") == bool(stale)
    hall.db.execute("ROLLBACK")
