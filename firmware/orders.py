"""What a command does. Loaded with `commands.py` when the first one comes: most boots see none."""

from firmware.commands import Commands
from firmware.config import VERSION

WHY = 200  # characters of an answer's reason: a field holds 256


class Orders:
    """The commands of one device (`main.Device`)."""

    def __init__(self, device, board, folder):
        self._device = device
        self._board = board
        self._folder = folder
        self._commands = Commands(folder).load()
        self._delivery = None

    def take(self, payload, retained):
        """Judge one command, carry it out, log what came of it."""
        clock = self._device.clock
        wall = clock.now()
        if wall is None:
            wall = self._board.wall()
        self._device.say(clock.up(), self._commands.handle(payload, retained, wall, self._act))

    def _act(self, command):
        device = self._device
        if command["do"] == "restart":
            device.restart = True
            return True, None, []
        if command["do"] == "update":
            return self._update(command.get("args", {}))
        if device.safe:
            return False, "safe mode", []
        return device.body.command(device.clock.up(), command)

    def _update(self, args):
        """A piece of an update; the last one restarts into it, on trial."""
        from firmware import delivery, manifest

        device = self._device
        if self._delivery is None:
            self._delivery = delivery.Delivery(
                *(self._folder, device.setup.public or None, self._board.name, VERSION),
                self._board.feed,
            )
        try:
            device.restart = self._delivery.take(args) or device.restart
        except manifest.Refused as fault:
            return False, str(fault)[:WHY], []
        except OSError as fault:
            return False, "flash: " + str(fault), []
        return True, None, []
