"""Which board this is: a chip with pins, or `hallkeeper device` on a machine with stdin.

A board's flash holds `main.py` with `from firmware import board; board.run()`; beside it lie
`device.json`, `setup.json` and `board.json` (see `board_chip.py`).
"""

import sys

CHIPS = ("esp32", "rp2")


def make(folder, options=None):
    """The board that this code runs on. ValueError where board.json is wrong."""
    if sys.platform in CHIPS:
        from firmware.board_chip import ChipBoard

        return ChipBoard(folder)
    from firmware.board_host import HostBoard

    return HostBoard(folder, options or {})


def run(folder=""):
    """A chip's whole life; every ending is a reset."""
    from firmware import main

    board = make(folder)
    try:
        main.run(board, folder)
    except Exception as fault:  # a crash ends in a restart: this is a file that is missing or wrong
        board.note("hallkeeper: " + str(fault))
        raise  # to the prompt: a board without its files is for whoever commissions it
    board.restart()
