"""room-sensor: presence by mmWave or PIR, outward-facing lux, temperature and humidity."""

from firmware import wire

DEFAULTS = {"p1": wire.PRESENCE}
