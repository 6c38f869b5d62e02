"""The site file: every key of the reference works, and every fault is named at once."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import site, units
from gateway.errors import InputFault
from gateway.site import Source, Span

SITE = Path(__file__).parent.parent / "data" / "site.toml"
REFERENCE = SITE.read_text(encoding="utf-8")


def faults(tmp_path: Path, text: str) -> list[str]:
    """The fault lines of a file, without its directory."""
    file = tmp_path / "site.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputFault) as caught:
        site.load(file)
    return [line.removeprefix(f"{tmp_path}/") for line in str(caught.value).splitlines()]


def changed(old: str, new: str) -> str:
    assert REFERENCE.count(old) >= 1, old
    return REFERENCE.replace(old, new, 1)


def test_reference_file() -> None:
    hall = site.load(SITE)
    assert (hall.id, hall.name, hall.timezone) == ("fengxian", "凤县政务服务中心", "Asia/Shanghai")
    assert hall.hours.open == (Span(540, 720), Span(780, 1020))
    assert (hall.hours.arrive, hall.hours.clear_after_close) == (480, units.HOUR)
    assert (hall.rearm, hall.settle) == (600_000, 2_000)
    assert hall.season.heating == ((11, 15), (3, 15))
    assert hall.rules["lights.vacant"] == {"hold": "15min"}
    assert [zone.id for zone in hall.zones] == ["hall-1f", "office-1f"]
    assert hall.counters[0].presence == Source("occ-w01", "p1")
    assert hall.openings[1].lock == Source("door-02", "l1")
    assert hall.circuits[0].rated_w == 2000
    assert hall.acs[0].control == Source("ac-01", "a1")
    assert hall.sensors[2].circuit == "sockets-w01"
    assert hall.routes[0].due == (Span(1020, 1140),)
    assert (hall.routes[0].ordered, hall.routes[0].min_gap) == (True, 20_000)
    assert hall.people[0].role == "duty"
    silences = {device.id: device.silent_after for device in hall.devices}
    assert (silences["pad-w01"], silences["door-01"]) == (10 * units.MINUTE, 25 * units.HOUR)
    assert {device.id: device.stale_after for device in hall.devices} == silences
    assert hall.escalation["critical"][2] == (180_000, "audience")
    assert [channel.to for channel in hall.notify] == ["duty", "facilities", "manager"]


def test_without_ladders_the_reference_ones_hold(tmp_path: Path) -> None:
    file = tmp_path / "site.toml"
    without = REFERENCE[: REFERENCE.index("[escalation]")]
    file.write_text(without, encoding="utf-8-sig")  # as an editor on Windows saves it
    assert site.load(file).escalation == site.load(SITE).escalation
    assert faults(tmp_path, without.replace('to = "manager"', 'to = "auditor"')) == [
        f'site.toml:{line_of("[[notify]]")}: notify: needs one with to = "manager",'
        " or an [escalation] that does without"
    ]


def line_of(text: str) -> int:
    return REFERENCE[: REFERENCE.index(text)].count("\n") + 1


def test_smallest_file_has_the_rulebooks_hours(tmp_path: Path) -> None:
    file = tmp_path / "site.toml"
    file.write_text('[site]\nid = "x"\n', encoding="utf-8")
    hall = site.load(file)
    assert hall.hours == site.Hours((Span(540, 720), Span(780, 1020)), 480, units.HOUR)
    assert (hall.name, hall.tariff, hall.main_meter, hall.influx) == ("x", None, None, None)
    assert hall.escalation["notice"] == ((0, "digest"),)


def test_optional_tables(tmp_path: Path) -> None:
    file = tmp_path / "site.toml"
    file.write_text(
        changed("extra_off = []", 'extra_off = ["2026-07-03"]')
        + '\n[energy]\ntariff = 1\n[influx]\nurl = "http://127.0.0.1:8428/"\n'
        + '[[device]]\nid = "spare"\nkind = "room-sensor"\nsilent_after = "1h30min"\n'
        + 'stale_after = "20min"\n',
        encoding="utf-8",
    )
    hall = site.load(file)
    assert hall.extra_off == (date(2026, 7, 3),)
    assert hall.tariff == 1
    assert hall.influx is not None
    assert hall.influx.url == "http://127.0.0.1:8428"
    assert hall.devices[-1].silent_after == 5_400_000
    assert hall.devices[-1].stale_after == 1_200_000


def test_tags_are_lower_case(tmp_path: Path) -> None:
    file = tmp_path / "site.toml"
    file.write_text(changed('tag = "04a1b2c3d4"', 'tag = "04A1B2C3D4"'), encoding="utf-8")
    assert site.load(file).checkpoints[0].tag == "04a1b2c3d4"


def test_five_faults_are_five_lines(tmp_path: Path) -> None:
    text = """[site]
id = "Feng Xian"
[hours]
open = ["09:00-12:00", "13:00-25:00"]
[[zone]]
id = "hall"
[[circuit]]
id = "lamp"
zone = "hal"
use = "lightning"
[engine]
rearm = "ten minutes"
"""
    assert faults(tmp_path, text) == [
        'site.toml:2: site.id = "Feng Xian": must be 1 to 32 of a-z, 0-9 and -',
        'site.toml:4: hours.open[2] = "13:00-25:00": must be a span "HH:MM-HH:MM", '
        "from 00:00 to 24:00",
        'site.toml:9: circuit[1].zone = "hal": must be the id of a [[zone]]: hall',
        'site.toml:10: circuit[1].use = "lightning": '
        'must be "lighting", "counter", "ac" or "protected"',
        'site.toml:12: engine.rearm = "ten minutes": '
        'must be a duration such as "15min", "60s", "1h30min", "500ms", "1d"',
    ]


@pytest.mark.parametrize(
    ("old", "new", "key", "allowed"),
    [
        ('"13:00-17:00"]\n', '"11:59-17:00"]\n', "hours.open[2]", "must not overlap"),
        ('"13:00-17:00"]\n', '"17:00-13:00"]\n', "hours.open[2]", "must end after it begins"),
        ('arrive = "08:00"', 'arrive = "09:01"', "hours.arrive", "first opening"),
        ('arrive = "08:00"', 'arrive = "24:00"', "hours.arrive", "00:00 to 23:59"),
        ('clear_after_close = "1h"', 'clear_after_close = "8h"', "clear_after_close", "midnight"),
        ('name = "正门"', 'nmae = "正门"', "opening[1].nmae", "unknown key; allowed: id, name"),
        ('zone = "hall-1f"', 'zone = "hall-2f"', "counter[1].zone", "hall-1f, office-1f"),
        ('pad = "pad-w01"', 'pad = "pm-01"', "counter[1].pad", "rating-pad"),
        ('pad = "pad-w01"', 'pad = "pad-w09"', "counter[1].pad", "rating-pad"),
        ("occ-w01/p1", "occ-w09/p1", "counter[1].presence", "[[device]]"),
        ("occ-w01/p1", "occ-w01", "counter[1].presence", '"device/channel"'),
        ('post_b = "04b1000002"', 'post_b = "04b1000001"', "post_b", "both posts"),
        ('post_b = "04b1000002"', 'post_b = "card 2"', "post_b", "hex text"),
        ('post_b = "04b1000002"', 'post_b = "04A1B2C3D4"', "post_b", "checkpoint's tag"),
        ('id = "east-exit"', 'id = "main-door"', "opening[2].id", "opening[1] has it"),
        ('kind = "entrance"', 'kind = "gate"', "opening[1].kind", '"entrance", "exit"'),
        ("on_above_w = 10", "on_above_w = nan", "on_above_w", "finite"),
        ("rated_w = 2000", "rated_w = 0", "rated_w", "above 0"),
        ("rated_w = 2000", 'rated_w = "2 kW"', "rated_w", "must be a number"),
        ("pm-01/r2", "pm-01/r1", "circuit[2].relay", "one circuit only"),
        ("rated_w = 500", 'relay = "pm-02/r1"', "circuit[3].relay", "never switched"),
        ('circuit = "sockets-w01"', 'circuit = "x"', "sensor[3].circuit", "sockets-w01"),
        ('tag = "04a1b2c3d5"', 'tag = "04A1B2C3D4"', "checkpoint[2].tag", "checkpoint[1] has it"),
        ('"cp-archive"]', '"cp-roof"]', "route[1].checkpoints[3]", "cp-archive"),
        ('"cp-archive"]', '"cp-east-exit"]', "route[1].checkpoints[3]", "once in a route"),
        ('days = "all"', 'days = "weekdays"', "route[1].days", '"all" or "workdays"'),
        ("ordered = true", 'ordered = "yes"', "route[1].ordered", "true or false"),
        ('role = "duty"', 'role = "boss"', "person[1].role", '"duty"'),
        ('id = "pad-w01"\nkind', 'id = "gateway"\nkind', "device[1].id", "taken"),
        ('kind = "rating-pad"', 'kind = "toaster"', "device[1].kind", '"duty-panel"'),
        ('power = "battery"', 'power = "solar"', "device[2].power", '"mains" or "battery"'),
        ('to = "manager"', 'to = "duty"', "escalation.critical[4]", 'to = "manager"'),
        ('critical = [["0s"', 'fatal = [["0s"', "escalation.fatal", "critical, warning, notice"),
        ('["0s", "siren"]', '["9min", "siren"]', "escalation.critical[2]", "rung above"),
        ('["0s", "siren"]', '["0s", "everybody"]', "escalation.critical[1]", "siren, audience"),
        ("[escalation]", "[ladder]", "ladder", "unknown key"),
        ('timezone = "Asia/Shanghai"', 'timezone = "../etc"', "site.timezone", "time zone"),
        ('cooling = ["06-01", "09-30"]', 'cooling = ["06-31", "09-30"]', "cooling[1]", "MM-DD"),
        ("extra_work = []", 'extra_work = ["2026-02-30"]', "extra_work[1]", "YYYY-MM-DD"),
        ('name = "凤县政务服务中心"', 'name = ""', "site.name", "at least 1"),
    ],
)
def test_fault(tmp_path: Path, old: str, new: str, key: str, allowed: str) -> None:
    text = changed(old, new)
    lines = faults(tmp_path, text)
    found = [line for line in lines if key in line and allowed in line]
    assert len(found) == 1, lines
    number = int(found[0].split(":")[1])
    name = key.rsplit(".", maxsplit=1)[-1].split("[", maxsplit=1)[0]
    assert text.splitlines()[number - 1].lstrip("[").startswith(name)


def test_rows_must_be_tables(tmp_path: Path) -> None:
    assert faults(tmp_path, '[site]\nid = "x"\n[zone]\nid = "z"\n') == [
        'site.toml:3: zone = {"id": "z"}: must be written [[zone]]'
    ]


def test_what_is_no_toml_is_one_line(tmp_path: Path) -> None:
    (line,) = faults(tmp_path, "[site\n")
    assert "not TOML" in line
    assert "line 1" in line


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputFault, match="cannot be read"):
        site.load(tmp_path / "no.toml")


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    file = tmp_path / "site.toml"
    file.write_bytes(b'[site]\nid = "\xff"\n')
    with pytest.raises(InputFault, match="not UTF-8"):
        site.load(file)


def test_lines_are_found_past_values_of_several_lines(tmp_path: Path) -> None:
    text = '''[site]
id = "x"
name = """
[[zone]]
id = 7
"""
[hours]
open = [
  "09:00-12:00", # ]
  "13:00-17:00",
]
arrive = 8
'''
    assert faults(tmp_path, text) == [
        'site.toml:12: hours.arrive = 8: must be a time "HH:MM" from 00:00 to 23:59'
    ]


@given(st.integers(min_value=0, max_value=400 * units.DAY))
def test_durations_round_trip(ms: int) -> None:
    assert units.duration(units.duration_text(ms)) == ms


@given(
    st.lists(st.sampled_from(["d", "h", "min", "s", "ms"]), min_size=1, max_size=5, unique=True),
    st.integers(min_value=0, max_value=99),
)
def test_units_stand_once_and_in_order(names: list[str], n: int) -> None:
    text = "".join(f"{n}{name}" for name in names)
    order = ["d", "h", "min", "s", "ms"]
    if names == sorted(names, key=order.index):
        assert units.duration(text) == sum(
            n * {"d": 86_400_000, "h": 3_600_000, "min": 60_000, "s": 1000, "ms": 1}[name]
            for name in names
        )
    else:
        with pytest.raises(ValueError, match="duration"):
            units.duration(text)


@given(st.one_of(st.text(max_size=8), st.integers(), st.none(), st.floats()))
def test_other_values_are_no_durations(value: object) -> None:
    if isinstance(value, str) and re.fullmatch("([0-9]+(d|h|min|s|ms))+", value):
        return
    with pytest.raises(ValueError, match="must be a duration"):
        units.duration(value)


@pytest.mark.parametrize("text", ["", "15", "min", "1.5h", "-1s", "1h 30min", "１h", "1H", "1m"])
def test_no_durations(text: str) -> None:
    with pytest.raises(ValueError, match="must be a duration"):
        units.duration(text)


def test_spans() -> None:
    assert units.span("22:00-06:00") == (1320, 360)
    assert units.span("13:00-24:00") == (780, 1440)
    for text in ("24:00-06:00", "9:00-12:00", "09:00", "09:00-09:00", "09:60-10:00", 9):
        with pytest.raises(ValueError, match="must"):
            units.span(text)
