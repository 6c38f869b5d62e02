"""Builds the parts of `board.json`, each with its driver. Loaded at boot, and gone after it."""

from firmware import parts

_OUTPUTS = ("relay", "lamp", "buzzer", "ir", "ssd1306")
_CONTACTS = {
    # part: (fields beside ch, the field, the pin's level that makes it true)
    "contact": ("open", 1),
    "lock": ("locked", 0),
    "detector": ("active", 0),
    "tilt": ("moved", 1),
    "running": ("on", 0),
}


def _contact(wiring, board):
    what = wiring["part"]
    field, level = _CONTACTS[what]
    item = {} if what == "tilt" else {"ch": wiring["ch"]}
    if what == "detector":
        item["what"] = wiring["what"]
    wake = wiring["pin"] if what in ("contact", "lock", "tilt") else None
    read = board.pin_in(wiring["pin"])
    return parts.Contact(what, read, item, field, wiring.get("level", level), wake=wake)


def _input(what, wiring, board):
    """A part that senses by a chip."""
    from firmware import inputs

    if what == "pzem004t":
        from firmware.drivers.pzem004t import Pzems

        return inputs.Meters(Pzems(board.uart(wiring["bus"]), wiring["meters"]))
    if what == "pir":
        from firmware.drivers.pir import Pir

        motion = Pir(board.pin_in(wiring["pin"], False), board.real_ms)
        return inputs.Presence(what, wiring["ch"], motion.present)
    if what == "bh1750":
        from firmware.drivers.bh1750 import Bh1750

        light = Bh1750(board.i2c(wiring["bus"]), wiring.get("addr", 0x23))
        return inputs.Sensor(what, wiring["ch"], light.read, inputs.SLOW_MS)
    if what == "sht3x":
        from firmware.drivers.sht3x import Sht3x

        climate = Sht3x(board.i2c(wiring["bus"]), wiring.get("addr", 0x44))
        return inputs.Sensor(what, wiring["ch"], climate.read, inputs.SLOW_MS)
    if what == "ld2410":
        from firmware.drivers.ld2410 import Ld2410

        radar = Ld2410(board.uart(wiring["bus"]))
        return inputs.Presence(what, wiring["ch"], radar.present)
    if what == "hc165":
        from firmware.drivers.hc165 import Hc165

        register = Hc165(
            board.pin_out(wiring["load"], 1),
            board.pin_out(wiring["clock"], 0),
            board.pin_in(wiring["data"], False),
        )
        return inputs.Keys(register.pressed, wiring["keys"])
    if what == "pn532":
        from firmware.drivers.pn532 import I2cLine, Pn532, UartLine

        line = UartLine(board.uart(wiring["uart"])) if "uart" in wiring else None
        line = line or I2cLine(board.i2c(wiring["bus"]))
        return inputs.Reader(Pn532(line, board.real_ms).look)
    raise KeyError("no part " + what)


def _output(what, wiring, board, relay_boot):
    """A part that does something."""
    from firmware import outputs

    if what == "relay":
        invert = bool(wiring.get("invert"))
        level = 1 if relay_boot != invert else 0
        feedback = None
        if "feedback" in wiring:
            read = board.pin_in(wiring["feedback"])
            closed = wiring.get("closed", 0)
            feedback = parts.Contact(what, read, {"ch": wiring["ch"]}, "on", closed)
        return outputs.Relay(wiring["ch"], board.pin_out(wiring["pin"], level), invert, feedback)
    if what == "lamp":
        return outputs.Lamp(board.pin_out(wiring["pin"], 0))
    if what == "buzzer":
        return outputs.Buzzer(board.tone(wiring["pin"]))
    if what == "ir":
        listen = board.heard(wiring["receiver"]) if "receiver" in wiring else None
        return outputs.Remote(wiring["ch"], board.pulses(wiring["pin"]), wiring["make"], listen)
    from firmware import font
    from firmware.drivers.ssd1306 import Ssd1306

    bus, address = board.i2c(wiring["bus"]), wiring.get("addr", 0x3C)
    return outputs.Screen(Ssd1306(bus, address, font=font.find(board.folder)))


def make(wiring, board, relay_boot):
    """The part of one entry of board.json's `parts`. KeyError names what the entry lacks."""
    what = wiring["part"]
    if what in _CONTACTS:
        return _contact(wiring, board)
    if what == "battery":
        return parts.Battery(board.adc(wiring["pin"]), wiring["empty"], wiring["full"])
    if what in _OUTPUTS:
        return _output(what, wiring, board, relay_boot)
    return _input(what, wiring, board)
