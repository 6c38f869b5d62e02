"""When readings become events; commands; time; kinds. All pure, with `now` given."""

import json

from firmware import config, inputs, kinds, report, wire
from firmware.clock import Boots, Clock
from firmware.commands import Commands
from firmware.kinds import duty_panel
from firmware.kinds.body import Body


def _body(kind, **channels):
    setup = config.Setup()
    setup.kind = kind
    setup.channels = channels
    done = []
    body = Body(setup, kinds.load(kind), report.Reporter(), done.append)
    return body, done


def _names(events):
    return [kind for kind, _ in events]


def test_states_at_boot_at_change_and_again(_folder):
    body, _ = _body("opening-sensor", c1="contact")
    boot = body.begin(0, [{"ch": "c1", "open": False}])
    assert _names(boot) == ["tamper", "contact"]
    assert body.input(10, {"ch": "c1", "open": False}) == []
    assert body.input(20, {"ch": "c1", "open": True}) == [("contact", {"ch": "c1", "open": True})]
    assert body.tick(200000) == []
    assert sorted(_names(body.tick(299999))) == ["contact", "tamper"]


def test_a_lasting_step_is_told_within_two_seconds(_folder):
    body, _ = _body("power-meter", c1="power")
    body.begin(0, [{"ch": "c1", "w": 100}])
    assert body.input(5000, {"ch": "c1", "w": 160}) == []
    assert body.tick(5500) == []
    assert body.tick(6000) == [("power", {"ch": "c1", "w": 160})]
    body.input(7000, {"ch": "c1", "w": 900})
    body.input(7300, {"ch": "c1", "w": 160})  # a spike that does not last
    assert body.tick(8500) == []
    body.input(9000, {"ch": "c1", "w": 176})
    assert body.tick(10000) == [("power", {"ch": "c1", "w": 176})]


def test_samples_come_every_ten_to_sixty_seconds(_folder):
    body, _ = _body("room-sensor", x1="lux")
    body.begin(0, [{"ch": "x1", "lx": 100}])
    body.input(58000, {"ch": "x1", "lx": 100})
    assert body.tick(59000) == []
    assert _names(body.tick(60000)) == ["lux"]
    body.input(61000, {"ch": "x1", "lx": 400})
    assert body.tick(69000) == []
    assert body.tick(70000) == [("lux", {"ch": "x1", "lx": 400})]


def test_what_is_not_read_is_not_told(_folder):
    body, _ = _body("room-sensor", p1="presence", t1="climate", x1="lux", y1="lux")
    body.begin(0, [{"ch": "p1", "present": True}, {"ch": "t1", "c": 22, "rh": 40}])
    body.input(1000, {"ch": "x1", "lx": 100})
    told = []
    for now in range(2000, 1200001, 2000):
        if now < 600000:
            body.input(now, {"ch": "p1", "still": True})
            body.input(now, {"ch": "x1", "lx": 100})
        for kind, fields in body.tick(now):
            told.append((now, kind, fields.get("ch")))
    assert not [one for one in told if one[1] == "climate"]  # read once, told once
    assert [at for at, _, ch in told if ch == "p1"] == [270000, 540000]
    lux = [at for at, _, ch in told if ch == "x1"]
    assert lux == list(range(62000, 603000, 60000))  # the last one was read 4 s before
    assert [at for at, kind, _ in told if kind == "tamper"][-1] == 1080000
    ages = body.report.ages(1200000)
    assert ages == {"p1": 602, "t1": 1200, "x1": 602, "y1": None}  # y1 has never been read
    assert body.report.next_due(1200000) == 60000  # and waits for no turn
    assert body.input(1201000, {"ch": "x1", "lx": 100}) == []
    assert ("lux", {"ch": "x1", "lx": 100}) in body.tick(1201000)  # alive again
    assert body.report.ages(1201000)["x1"] == 0


def test_a_radar_that_says_the_same_is_alive(_folder):
    states = [True]
    radar = inputs.Presence("ld2410", "p1", lambda: states[0])
    assert radar.poll(0) == [{"ch": "p1", "present": True}]
    assert radar.poll(1999) == []
    assert radar.poll(2000) == [{"ch": "p1", "still": True}]
    states[0] = None  # no frame of it
    assert radar.poll(9000) == []
    states[0] = False
    assert radar.poll(9020) == [{"ch": "p1", "present": False}]
    assert radar.poll(9040) == []


def test_a_filling_flash_thins_samples_before_they_get_a_number(_folder):
    made = report.Reporter()
    made.thin(20)
    made.sample(0, "power", {"ch": "c1", "w": 100})
    made.sample(1000, "power", {"ch": "c1", "w": 1000})
    assert made.due(5000) == []
    made.sample(61000, "power", {"ch": "c1", "w": 1000})
    assert len(made.due(62100)) == 1
    made.thin(1)
    made.sample(200000, "power", {"ch": "c1", "w": 10})
    assert made.due(400000) == []
    assert made.thinned > 0


def test_bounce_and_presses(_folder):
    body, done = _body("rating-pad")
    body.begin(0, [])
    counted = []
    for turn in range(50):  # 50 presses a second
        counted += body.input(turn * 20, {"press": 5, "ms": turn * 20})
    assert len(counted) == 10
    assert body.input(1000, {"press": 1, "ms": 1000}) == [("rating", {"level": 1})]
    assert {"sound": "thanks"} in done
    for bad in ({"press": 0}, {"press": "5"}, {"press": 6}, {"press": None}, {"x": 1}):
        try:
            body.input(5000, bad)
        except ValueError:
            continue
        raise AssertionError(bad)


def test_ac_reads_merge_and_commands_set(_folder):
    body, done = _body("ac-controller", a1="ac")
    body.begin(0, [{"ch": "a1", "on": False, "mode": "cool", "set": 26}])
    _, fields = body.input(1, {"ch": "a1", "on": True, "set": 24})[0]
    assert fields == {"ch": "a1", "on": True, "mode": "cool", "set": 24, "src": "measured"}
    command = {"id": "c", "ch": "a1", "do": "set", "args": {"set": 26}}
    ok, _, events = body.command(2, command)
    assert ok
    assert events[0][1]["set"] == 26
    assert done[-1] == {"ch": "a1", "on": True, "mode": "cool", "set": 26}
    assert not body.command(3, {"id": "c", "ch": "a1", "do": "set", "args": {"set": 99}})[0]


def test_an_ac_is_measured_by_its_clamp_heard_by_its_remote_else_assumed(_folder):
    body, done = _body("ac-controller", a1="ac")
    body.begin(0, [])
    on = {"id": "c", "ch": "a1", "do": "set", "args": {"on": True, "set": 24}}
    assert body.command(1, on)[2][0][1]["src"] == "assumed"
    body, done = _body("ac-controller", a1="ac")
    body.begin(0, [{"ch": "a1", "on": False}])
    assert body.command(1, on) == (True, None, [])  # the clamp has the word
    assert done[-1] == {"ch": "a1", "on": True, "mode": "cool", "set": 24}
    told = {"ch": "a1", "on": True, "mode": "cool", "set": 24, "src": "measured"}
    assert body.input(9000, {"ch": "a1", "on": True}) == [("ac", told)]
    remote = {"ch": "a1", "on": True, "mode": "heat", "set": 20, "src": "heard"}
    assert body.input(9500, remote) == [("ac", remote)]
    assert body.command(10000, {"id": "d", "ch": "a1", "do": "off"}) == (True, None, [])
    assert body.tick(69999) == []
    stays = {"ch": "a1", "on": True, "mode": "heat", "set": 20, "src": "measured"}
    assert body.tick(70000) == [("ac", stays)]  # it did not obey


def test_a_relay_with_feedback_is_told_as_it_stands(_folder):
    body, done = _body("power-meter", r1="relay")
    boot = body.begin(0, [{"ch": "r1", "on": False}])
    assert ("relay", {"ch": "r1", "on": False, "cause": "boot"}) in boot
    assert body.command(10, {"id": "c-1", "ch": "r1", "do": "on"}) == (True, None, [])
    assert done == [{"ch": "r1", "on": True}]
    moved = {"ch": "r1", "on": True, "cause": "command", "cmd": "c-1"}
    assert body.input(80, {"ch": "r1", "on": True}) == [("relay", moved)]
    assert body.input(90, {"ch": "r1", "on": False})[0][1]["cause"] == "manual"
    body.command(100, {"id": "c-2", "ch": "r1", "do": "on"})
    assert body.tick(1099) == []
    stuck = {"ch": "r1", "on": False, "cause": "command", "cmd": "c-2"}
    assert body.tick(1100) == [("relay", stuck)]
    assert body.tick(1200) == []
    body.command(2000, {"id": "c-3", "ch": "r1", "do": "on"})
    body.command(2100, {"id": "c-4", "ch": "r1", "do": "off"})  # thought better of
    assert body.tick(4000) == []


def test_panel_sounds_when_time_is_missing(_folder):
    body, done = _body("duty-panel")
    body.begin(0, [])
    duty_panel.watch(body, 74999, 74999)
    assert done == []
    duty_panel.watch(body, 75000, 75000)
    assert {"sound": "alarm"} in done
    body.input(76000, {"button": "ack"})
    count = len(done)
    duty_panel.watch(body, 200000, 200000)
    assert len(done) == count
    duty_panel.watch(body, 100, 201000)
    assert {"sound": "off"} in done[count:]


def _command(name, **more):
    found = {"id": name, "ch": "r1", "do": "on", "args": {}, "exp": 1000}
    found.update(more)
    return json.dumps(found)


def test_commands_act_once_across_restarts(folder):
    acted = []

    def act(command):
        acted.append(command["id"])
        return True, None, [("relay", {"ch": "r1", "on": True, "cause": "command"})]

    commands = Commands(folder).load()
    assert _names(commands.handle(_command("a"), False, 500, act)) == ["relay", "done"]
    assert _names(commands.handle(_command("a"), False, 500, act)) == ["done"]
    again = Commands(folder).load()
    assert again.handle(_command("a"), False, 500, act)[0][1]["ok"] is True
    for refused in (
        again.handle(_command("b"), False, 1000, act),
        again.handle(_command("c"), True, 500, act),
        again.handle(_command("d"), False, None, act),
        again.handle(_command("e", do="explode"), False, 500, act),
        again.handle(_command("f", exp="soon"), False, 500, act),
        again.handle(_command("g", ch=["r1"]), False, 500, act),
        again.handle(_command("h", args=[]), False, 500, act),
    ):
        assert refused[-1][1]["ok"] is False, refused
    for junk in ("", "[]", "{", '{"id":7}', "\x00"):
        assert again.handle(junk, False, 500, act) == []
    assert acted == ["a"]
    for number in range(600):
        again.handle(_command("n%d" % number), False, 500, act)
    assert (
        Commands(folder).load().handle(_command("n599"), False, 500, act)[0][1]["why"] == "repeat"
    )


def test_a_command_cut_while_acting_is_not_run_again(folder):
    def cut(_command_):
        raise OSError("power cut")

    try:
        Commands(folder).load().handle(_command("a"), False, 500, cut)
        raise AssertionError("no cut")
    except OSError:
        done = Commands(folder).load()
    ((_, fields),) = done.handle(_command("a"), False, 500, cut)
    assert fields == {"cmd": "a", "ok": False, "why": "interrupted"}


def test_uptime_never_wraps_and_time_is_learnt_per_boot(folder):
    ticks = [1000]
    boots = Boots(folder).load().begin()
    clock = Clock(boots, lambda: ticks[0] % 4096, 4096)
    for _ in range(100):
        ticks[0] += 1000
        clock.up()
    assert clock.up() == 100000
    assert clock.now() is None
    assert clock.learn(1782896400000)
    assert clock.stamp(boots.boot, 0) == 1782896400000 - 100000
    assert not clock.learn(946684800000)  # 2000
    later = Boots(folder).load().begin()
    assert later.boot == boots.boot + 1
    other = Clock(later, lambda: 0, 4096)
    assert other.stamp(later.boot, 0) is None
    assert other.stamp(boots.boot, 5) == 1782896400000 - 100000 + 5


def test_a_damaged_boots_file_starts_anew(folder):
    with open(folder + "/boots", "w") as file:
        file.write('{"boot": ')
    assert Boots(folder).load().begin().boot == 1


def test_every_kind_boots(_folder):
    for kind in wire.DEVICE_KINDS:
        body, _ = _body(kind)
        assert body.begin(0, [])[0][0] == "tamper"
        for bad in ({"ch": ["a1"], "on": True}, {"ch": {}}, {"ch": None, "w": 1}, {}):
            try:
                body.input(1, bad)
            except ValueError:
                continue
            raise AssertionError(bad)
        body.tick(5000)
        assert body.command(1, {"id": "i", "do": "identify"})[0]
