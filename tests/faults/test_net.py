"""The network between devices and broker, and the broker itself, at their worst (rows 14–17, 20–24
of the list of faults): every press is stored once, and no ack runs ahead of the disk."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.faults.proxy import Proxy, Weather
from tests.faults.rig import DOOR, PAD, AckBook, Rig, check
from tests.gateway.test_serve import SITE, Gateway
from tests.journey.fleet import Device
from tests.parts import Mosquitto, stop
from tests.waiting import wait_for

SMALL_QUEUE = 5  # messages that the broker keeps for a gateway that is away


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    folder = tmp_path_factory.mktemp("net")
    extra = f"max_queued_messages {SMALL_QUEUE}\nmax_inflight_messages 20\nsys_interval 1"
    with Rig(folder, extra).running() as made:
        yield made
        tops = {}
        for device in made.devices.values():
            device.stop()
            tops[device.name] = device.flash()[2]
        stored = dict(made.query("SELECT device, max(seq) FROM event GROUP BY device"))
        assert stored == tops, "flash and journal differ at the end of all"


@pytest.fixture(autouse=True)
def fair(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "rig" in request.fixturenames:
        made: Rig = request.getfixturevalue("rig")
        made.proxy.weather = made.gateways.weather = Weather()


def test_a_network_that_flaps(rig: Rig) -> None:
    before = rig.proxy.connections
    for _ in range(6):
        rig.press(2)
        rig.proxy.cut()
    rig.whole()
    assert rig.proxy.connections - before <= 6 * 2 * 2, "a storm of connections"


def test_packets_that_come_late_twice_and_in_another_order(rig: Rig) -> None:
    before = sum(n for (n,) in rig.query("SELECT duplicates FROM log"))
    rig.proxy.weather = Weather(delay_s=0.03, repeat=0.5, swap=0.3)
    rig.press(25)
    rig.proxy.weather = Weather()
    rig.whole()
    assert rig.proxy.repeated > 5
    assert rig.proxy.swapped > 3
    assert sum(n for (n,) in rig.query("SELECT duplicates FROM log")) > before


def test_connections_that_are_half_open_on_both_sides(rig: Rig) -> None:
    rig.press(1)
    rig.whole()
    before = rig.gateways.connections, rig.proxy.connections
    rig.proxy.weather = rig.gateways.weather = Weather(swallow=True)
    rig.press(5)  # thanked for: it is on flash
    wait_for(lambda: rig.gateways.connections > before[0], "the gateway to give its up", 40)
    wait_for(lambda: rig.proxy.connections > before[1] + 1, "both devices to give theirs up", 60)
    assert rig.proxy.swallowed > 0
    rig.proxy.weather = rig.gateways.weather = Weather()
    rig.whole()


def test_a_broker_that_is_stopped_for_seconds_and_killed(rig: Rig) -> None:
    rig.press(2)
    assert rig.broker.process is not None
    os.kill(rig.broker.process.pid, signal.SIGSTOP)
    rig.press(5)
    os.kill(rig.broker.process.pid, signal.SIGCONT)
    rig.press(2)
    rig.whole()
    rig.press(5)
    rig.broker.kill()
    rig.broker.start()
    rig.whole()


def test_a_queue_that_overflows_while_the_gateway_is_down(rig: Rig) -> None:
    """The devices send again what the broker threw away, and somebody is told that it did."""
    counted = "SELECT value FROM meta WHERE key='broker.dropped'"
    wait_for(lambda: rig.query(counted), "the broker's own count")
    told = "SELECT evidence FROM finding WHERE rule='gateway.dropped'"
    before = len(rig.query(told))
    rig.gateway.kill()
    rig.press(4 * SMALL_QUEUE)
    rig.gateway.start()
    rig.whole()
    wait_for(lambda: len(rig.query(told)) > before, "the finding")
    assert all(json.loads(evidence)["messages"] > 0 for (evidence,) in rig.query(told))
    alerts = "SELECT count(*) FROM alert WHERE rule='gateway.dropped'"
    assert rig.query(alerts)[0][0] > before


def test_a_broker_that_dies_with_everything_it_had_taken(rig: Rig) -> None:
    """PUBACKs are no delivery: the gateway is down, the broker has it all, and is killed."""
    rig.gateway.kill()
    rig.press(10)
    rig.broker.kill()
    rig.broker.start()
    rig.gateway.start()
    rig.whole()


@pytest.mark.parametrize("harm", ["zeros", "older"])
def test_a_broker_whose_persistence_file_is_not_what_it_wrote(harm: str, tmp_path: Path) -> None:
    """A power cut takes the file back to an older one, or leaves zeros; a supervisor that finds
    it unreadable moves it away, as docs/reference/care.md says."""
    folder = tmp_path / "kept"
    folder.mkdir(mode=0o777)
    file = folder / "mosquitto.db"
    extra = f"persistence_location {folder}/\nautosave_interval 1\nautosave_on_changes true"
    rig = Rig(tmp_path, extra)
    rig.broker.persistent = True
    with rig.running():
        rig.press(2)
        wait_for(file.exists, "a persistence file")
        older = file.read_bytes()
        rig.gateway.kill()
        rig.press(5)
        rig.broker.kill()
        file.write_bytes(older if harm == "older" else bytes(len(older)))
        try:
            rig.broker.start()
        except AssertionError:
            file.rename(file.with_suffix(".moved"))
            rig.broker.start()
        rig.gateway.start()
        rig.whole()


def test_an_embedded_broker_whose_store_is_overwritten(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path / "data")
    gateway.start()
    pad = Device(PAD, SITE, gateway.data, gateway.mqtt, tmp_path / PAD)
    try:
        for level in (5, 4, 3):
            pad.press(level)
        conf = str(gateway.data / "broker" / "nats.conf")
        ours = [p for p in psutil.process_iter(["cmdline"]) if conf in (p.info["cmdline"] or [])]
        left = gateway.data / "broker" / "store" / "left"
        left.touch()
        for file in left.parent.rglob("*"):
            if file.is_file():
                file.write_bytes(bytes(file.stat().st_size))
        ours[0].kill()
        for level in (2, 1):
            pad.press(level)
        wait_for(
            lambda: gateway.query("SELECT count(*) FROM event WHERE kind='rating'") == [(5,)],
            "every press stored",
        )
        wait_for(lambda: gateway.health()["ok"], "a healthy gateway")
        assert not left.exists(), "it began empty"
        check(gateway.data, 5)
    finally:
        pad.stop()
        assert gateway.process is not None
        stop(gateway.process)


# -- a network of its own, with loss and a narrow pipe


@contextlib.contextmanager
def own_network() -> Iterator[None]:
    """This thread and what it starts are alone with a loopback of their own. Skips without the
    right to make one."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/thread-self/ns/net", "rb") as home:
        if libc.unshare(0x40000000):  # CLONE_NEWNET
            pytest.skip(f"no network of its own here: {os.strerror(ctypes.get_errno())}")
        try:
            subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
            yield
        finally:
            assert libc.setns(home.fileno(), 0x40000000) == 0


def shaped(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "not permitted" in done.stderr or "not supported" in done.stderr:
        pytest.skip(f"{command[0]} may not do this here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr


NARROW = """
table inet narrow {{
  chain in {{
    type filter hook input priority 0
    tcp dport {port} limit rate over 8 kbytes/second burst 3 kbytes counter drop
    tcp sport {port} limit rate over 8 kbytes/second burst 3 kbytes counter drop
    tcp dport {port} jump lossy
    tcp sport {port} jump lossy
  }}
  chain lossy {{ numgen inc mod 10 < 3 counter drop; }}
}}"""
BACKLOG = 160  # moves of the door


def test_a_third_of_all_packets_lost_and_a_narrow_pipe(tmp_path: Path) -> None:
    """30 % loss and 64 kbit/s each way between the devices and their broker while a backlog drains:
    what happens meanwhile goes ahead of it, and nobody's heartbeat fails. Three of each ten packets
    are lost, by count: chance would at times lose so many of one line that it had to end."""
    for tool in ("ip", "nft"):
        assert shutil.which(tool), f"{tool} is missing; `make setup` installs it"
    with own_network(), Rig(tmp_path).running() as rig:
        shaped("ip", "link", "set", "lo", "mtu", "1500")
        moves = f"SELECT count(*) FROM event WHERE device='{DOOR}' AND kind='contact'"
        held = rig.query(moves)[0][0]
        rig.proxy.weather = Weather(refuse=True)
        rig.proxy.cut()
        for n in range(BACKLOG):
            rig.devices[DOOR].see({"ch": "c1", "open": n % 2 == 0})
        rig.devices[PAD].press(1)
        rig.presses += 1
        shaped("nft", NARROW.format(port=rig.proxy.port))
        rig.states.clear()
        rig.proxy.weather = Weather()
        wait_for(lambda: rig.query(moves)[0][0] > held, "the first of the backlog")
        rig.devices[DOOR].see({"ch": "c1", "open": BACKLOG % 2 == 0})
        wait_for(lambda: rig.query(moves)[0][0] == held + BACKLOG + 1, "every move stored", 90)
        rig.settled()
        for device in (DOOR, PAD):
            told = [state for name, state in rig.states if name == device]
            assert told[told.index("ready") :] == ["ready"], "a heartbeat failed"
        drained = f"SELECT id, seq FROM event WHERE device='{DOOR}' ORDER BY seq DESC LIMIT 100"
        (newest, _), *before = rig.query(drained)
        assert any(number > newest for number, _ in before), "the new move waited its turn"
        dropped = subprocess.run(
            ["nft", "list", "ruleset"], capture_output=True, text=True, check=True
        )
        shaped("nft", "delete table inet narrow")
        rig.whole()
        up, down, lost = (int(n) for n in re.findall(r"packets (\d+)", dropped.stdout))
        assert up + down > 0, "the pipe was never full"
        assert lost > 20
        silent = rig.query("SELECT count(*) FROM finding WHERE rule='device.silent'")
        assert silent == [(0,)], "no device is silent because its words come slowly"


# -- the harness itself


def test_the_harness_sees_acks_that_run_ahead_and_what_they_lose(tmp_path: Path) -> None:
    """A collector that answers at receipt and stores later: I3 and I1 both say so."""
    broker = Mosquitto(tmp_path / "mosquitto")
    broker.start()
    path = tmp_path / "careless.db"
    script = Path(__file__).parents[1] / "journey" / "careless.py"
    command = [sys.executable, str(script), str(broker.port), "fengxian", str(path)]
    careless = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert careless.stdout is not None
    assert careless.stdout.readline() == "ready\n"
    acks = AckBook(path)
    try:
        with Proxy(broker.port, acks.heard) as proxy:
            pad = Device(PAD, SITE, tmp_path / "data", proxy.port, tmp_path / PAD)
            try:
                pad.press(5)
                wait_for(lambda: acks.wrong, "an ack before its row")
                assert "stored 0" in acks.wrong[0]
            finally:
                pad.stop()
    finally:
        careless.kill()
        careless.wait()
        careless.stdout.close()
        broker.stop()


def test_the_harness_sees_a_lost_a_repeated_and_an_invented_press(tmp_path: Path) -> None:
    from tests.gateway.test_backup import store_events  # a store of one log

    store_events(tmp_path, 1, 9)
    check(tmp_path, 0)
    with pytest.raises(AssertionError, match="1 presses, 0 stored"):
        check(tmp_path, 1)
    store_events(tmp_path, 11, 12)
    with pytest.raises(AssertionError, match="1 numbers are missing"):
        check(tmp_path, 0)
