"""Where `hallkeeper device` enters: the host board, then `main`."""

import json
import os
import sys

from firmware import board as boards
from firmware import config, main


def run():
    """Options come in HALLKEEPER_HOST as JSON; exit 0 stopped, 1 bad config, 75 restart."""
    options = json.loads(os.getenv("HALLKEEPER_HOST") or "{}")
    board = boards.make(options["folder"], options)
    try:
        main.run(board, options["folder"])
    except config.ConfigError as fault:
        board.note("hallkeeper: " + str(fault))
        sys.exit(1)
