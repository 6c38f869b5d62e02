"""A year's notice imported beside a running gateway moves the deadlines that cross it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.gateway.test_serve import SITE, Gateway
from tests.parts import stop
from tests.waiting import wait_for

NOTICE = {
    "year": 2027,
    "off": ["2027-01-01", "2027-01-04"],
    "work": [],
    "source": "国办发明电〔2026〕号",
}


def test_an_imported_notice_moves_what_is_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HALLKEEPER_ADMIN_PASSWORD", "correct horse")
    file = tmp_path / "2027.json"
    file.write_text(json.dumps(NOTICE))
    gateway = Gateway(tmp_path / "data", "embedded", SITE, "--from", "2026-12-28T10:00:00+08:00")
    gateway.start()
    base = f"http://127.0.0.1:{gateway.http}/api/v1"
    try:
        with httpx.Client(trust_env=False) as admin:
            login = {"user": "admin", "password": "correct horse"}
            assert admin.post(f"{base}/login", json=login).is_success
            asked = {"kind": "promise", "title": "食品经营许可", "days": 5}
            due = admin.post(f"{base}/cases", json=asked).json()["due"]
            assert (due["day"], due["provisional"]) == ("2027-01-05", True)
        subprocess.run(
            [
                *(sys.executable, "-c", "from gateway.cli import main; main()"),
                *("calendar", "import", str(file), "--data", str(gateway.data)),
            ],
            check=True,
            capture_output=True,
        )
        now = "SELECT due_day, provisional FROM case_now"
        wait_for(lambda: gateway.query(now) == [("2027-01-06", 0)], "the deadline to move")
        ((about,),) = gateway.query("SELECT about FROM audit WHERE what = 'case.recomputed'")
        assert json.loads(about)["was"] == "2027-01-05"
        wait_for(lambda: "case.deadline_moved" in gateway.log(), "a line in the log")
        wait_for(lambda: gateway.health()["ok"], "a healthy gateway again")
    finally:
        assert gateway.process is not None
        assert stop(gateway.process) == 0
