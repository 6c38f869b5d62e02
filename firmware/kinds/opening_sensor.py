"""opening-sensor: reed contacts of doors and panes, and the bolt contact of an exit's lock.

On battery it sleeps between changes (`link.py`) and repeats its states every 12 h.
"""

from firmware import wire

DEFAULTS = {"c1": wire.CONTACT}
