"""Runs one module of `cases/` under whichever Python this is: every `test_*` function in turn.

`python mini.py MODULE FOLDER`: prints `ok name`, or the traceback and `FAILED name`. Runs under
MicroPython too, so that the same tests judge both runtimes.
"""

import os
import sys


def _trace(fault):
    if hasattr(sys, "print_exception"):
        sys.print_exception(fault)
    else:
        import traceback

        traceback.print_exception(fault)


def main(name, folder):
    module = __import__("tests.device.cases." + name, None, None, ("x",))
    bad = 0
    for case in sorted(n for n in dir(module) if n.startswith("test_")):
        place = folder + "/" + case
        os.mkdir(place)
        try:
            getattr(module, case)(place)
            print("ok " + case)
        except Exception as fault:  # noqa: BLE001 - told, and the exit code says so
            bad += 1
            _trace(fault)
            print("FAILED " + case)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
