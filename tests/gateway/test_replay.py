"""`hallkeeper replay` as a person uses it: what if, and why."""

from __future__ import annotations

from pathlib import Path

from tests.journey.hall import SITE, ran

LOG = SITE.parent / "samples" / "evening.events.jsonl"
ASKED = ("replay", "--config", SITE, LOG)


def test_what_if_another_limit_were_in_force() -> None:
    assert '"rule":"ac.setpoint"' in ran(*ASKED).stdout
    assert '"rule":"ac.setpoint"' not in ran(*ASKED, "--set", "ac.setpoint.cooling=21").stdout
    longer = ran(*ASKED, "--set", 'exit.locked.hold="1h"')
    assert longer.returncode == 0
    assert '"rule":"exit.locked"' not in longer.stdout
    for wrong in ("ac.setpoint.nothing=1", "no.such.rule=1", "ac.setpoint.cooling", "=", "a.b.c=["):
        refused = ran(*ASKED, "--set", wrong)
        assert (refused.returncode, refused.stderr.count("\n")) == (1, 1), wrong


def test_a_finding_is_explained_in_both_languages_with_its_article() -> None:
    told = ran(*ASKED, "--explain", "ac.setpoint ac-hall-1").stdout
    assert told.count("ac.setpoint · ac-hall-1") > 1
    for words in ("空调执行夏季不低于26℃", "大厅空调一设定 21 °C < 26 °C", "大厅空调一 set 21 °C"):
        assert words in told
    start = "2026-07-01T16:36:02.121+08:00"
    one = ran(*ASKED, "--explain", f"ac.setpoint ac-hall-1 {start}").stdout
    assert one.count("ac.setpoint · ac-hall-1") == 1
    assert ran(*ASKED, "--explain", "ac.setpoint nobody").returncode == 1


def test_a_hall_elsewhere_has_its_own_offset(tmp_path: Path) -> None:
    """Findings, their evidence, and an instant given without an offset."""
    site = tmp_path / "site.toml"
    site.write_text(SITE.read_text("utf-8").replace("Asia/Shanghai", "Asia/Urumqi"), "utf-8")
    until = "2026-07-01T15:00"  # 17:00 in Shanghai
    told = ran("replay", "--config", site, "--until", until, LOG).stdout.splitlines()
    assert told
    assert all("+08:00" not in line and '"start":"2026-07-01T14:' in line for line in told)
    here = ran(*ASKED, "--until", "2026-07-01T17:00").stdout.splitlines()
    silent = [x for x in here if '"device.silent"' in x]
    there = [x.replace("T16:", "T14:").replace("，16:", "，14:") for x in silent]
    assert [x.replace("since 16:", "since 14:").replace("+08:00", "+06:00") for x in there] == [
        x for x in told if '"device.silent"' in x
    ]
