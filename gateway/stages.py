"""The list of all stages: what each turn of one gateway goes through."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from gateway import notify, rules
from gateway.cases.stage import Cases
from gateway.certificates import CertWatch
from gateway.commands import CommandStage
from gateway.devices import DeviceStage
from gateway.escalation import Escalation
from gateway.hardware import things
from gateway.history.stage import History
from gateway.influx.stage import Amended
from gateway.judging import Judging
from gateway.obeying import Obeying
from gateway.overdue import Overdue
from gateway.panel import PanelKeys
from gateway.ratings import Ratings
from gateway.selfwatch import SelfWatch
from gateway.shifts import Closing
from gateway.signals import Terms
from gateway.staleness import Staleness
from gateway.switching import COMMAND_TTL_MS, Switching
from gateway.turns import Stage
from gateway.updates import UpdateStage
from gateway.yearwatch import YearWatch

if TYPE_CHECKING:
    from gateway.house import House

log = structlog.get_logger()

SIREN_TTL_MS = 10 * 60_000


def of(house: House) -> list[Stage]:
    """What each turn goes through after the journal, in this order."""
    hall, calendar, speed = house.site, house.calendar, house.options.speed
    program = rules.program(hall, calendar)
    for rule, fault in program.faults:
        log.error("rule.out_of_order", rule=rule, reason=fault)
    ttl, channels = int(COMMAND_TTL_MS * speed), notify.schemes(house.addresses)
    switching = Switching(hall, Terms(hall, calendar), ttl)
    history = History(hall.timezone, house.upkeep.keep_ms)
    copying = [Amended(house.influx.name, lambda: history.placed)] if house.influx else []
    switchable = {(t.target.device, t.target.ch): t.subject for t in things(hall).values()}
    return [
        house.care,
        YearWatch(house.options.data, house.reload),
        DeviceStage(),
        Staleness(hall),
        history,
        *copying,
        Ratings(hall),
        Cases(hall, calendar),
        Overdue(hall, calendar),
        Judging(hall, program, switching),
        switching,
        Obeying(hall, ttl, speed),
        SelfWatch(hall, calendar, channels, ttl),
        CertWatch(hall, house.options.data, house.broker_expires),
        Closing(hall, calendar),
        Escalation(hall, channels, int(SIREN_TTL_MS * speed), house.wake),
        PanelKeys(hall, int(SIREN_TTL_MS * speed), speed),
        CommandStage(hall.id, house.publish, house.connected, switchable),
        UpdateStage(hall.id, house.options.data, house.publish, house.connected, speed),
    ]
