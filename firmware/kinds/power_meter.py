"""power-meter: up to eight circuits on one bus, their relays, and heat, spark and smoke contacts.

A relay's position is told from its own feedback; after power-up it stands where the setup says
(normally-closed contactors: on), and that is told before any command is taken.
"""

from firmware import wire

DEFAULTS = {"c1": wire.POWER, "r1": wire.RELAY}
