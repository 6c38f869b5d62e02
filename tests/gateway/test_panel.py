"""What a duty panel shows while nothing sounds: which channels are dead."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway import alerts, site, store
from gateway.lifecycle import Return
from gateway.panel import PanelKeys
from gateway.selfalerts import DEAD
from gateway.turns import Turn
from tests.journey.hall import SITE

HALL = site.load(SITE)
NOW = 1_782_896_400_000


class Desk:
    """The stage, turn after turn; `shown` is every text that the panel was sent."""

    def __init__(self, folder: Path) -> None:
        self.db = store.open_writer(folder)
        self.now = NOW
        self.restart()

    def restart(self) -> None:
        self.stage = PanelKeys(HALL, 60_000, 1)
        self.stage.load(self.db, self.now)

    def turn(self, times: int = 2) -> list[str]:
        for _ in range(times):
            self.now += 1000
            self.stage.turn(self.db, Turn(self.now, 0.0))
        rows = self.db.execute("SELECT args FROM command WHERE do='show' ORDER BY id")
        return [json.loads(args)["text"] for (args,) in rows]

    def dies(self, channel: str) -> str:
        return alerts.stand(self.db, self.now, DEAD, channel, "warning", {}, HALL.noise)

    def sounds(self, name: str) -> None:
        self.db.execute(
            "INSERT INTO notification (alert,round,step,kind,role,url_index,channel,text,state,"
            "next_at,made_at) VALUES (?,1,0,'siren','siren',0,'panel','x','sent',0,0)",
            (name,),
        )


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.db.close()


def test_a_dead_channel_is_shown_until_it_lives_or_somebody_has_seen_it(desk: Desk) -> None:
    assert desk.turn() == []
    first = desk.dies("duty-1")
    assert desk.turn() == ["【警告】通知渠道失效：duty-1"]
    second = desk.dies("manager-1")
    assert desk.turn()[1:] == ["【警告】通知渠道失效：duty-1 等 2 处"]
    alerts.apply(desk.db, desk.now, first, Return(), HALL.noise)
    assert desk.turn()[2:] == ["【警告】通知渠道失效：manager-1"]
    alerts.acknowledge(desk.db, desk.now, second, "chen", HALL.noise)
    assert desk.turn()[3:] == [""]
    assert len(desk.turn()) == 4


def test_what_sounds_comes_first_and_a_restart_shows_it_again(desk: Desk) -> None:
    desk.dies("duty-1")
    desk.turn()
    fire = alerts.stand(desk.db, desk.now, "command.failed", "l-hall", "critical", {}, HALL.noise)
    desk.sounds(fire)
    assert len(desk.turn()) == 1  # the escalation has shown it as it sounded
    alerts.acknowledge(desk.db, desk.now, fire, "chen", HALL.noise)
    assert len(desk.turn(1)) == 1  # in this turn the escalation says ""
    assert desk.turn(1)[1:] == ["【警告】通知渠道失效：duty-1"]
    desk.restart()
    assert desk.turn()[2:] == ["【警告】通知渠道失效：duty-1"]
