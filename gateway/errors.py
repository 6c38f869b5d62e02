"""What can go wrong, as one tree.

HallkeeperError
├── InputFault     the input is at fault: exit 1
└── EnvironmentFault   a port, a directory, a broker: exit 3
"""

from __future__ import annotations


class HallkeeperError(Exception):
    """Base of every error whose text is meant for a person; `exit_code` is the command's."""

    exit_code = 1


class InputFault(HallkeeperError):
    """A file or argument is at fault; the text says where and what is allowed."""

    exit_code = 1


class EnvironmentFault(HallkeeperError):
    """The machine is at fault: a port in use, a directory that cannot be written."""

    exit_code = 3
