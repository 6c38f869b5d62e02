"""`hallkeeper verify` sees what SQLite does not, and reports are real spreadsheets."""

from __future__ import annotations

import contextlib
from pathlib import Path

import openpyxl
import pytest

from gateway import audit, reports, store, verify
from gateway.clock import parse_instant
from gateway.errors import EnvironmentFault, InputFault
from gateway.events import decode
from gateway.journal import Journal

SITE = Path(__file__).parent.parent / "data" / "site.toml"
START = 1_782_896_400_000  # 2026-07-01 17:00 in Shanghai


@pytest.fixture
def data(tmp_path: Path) -> Path:
    db = store.open_writer(tmp_path)
    journal = Journal()
    journal.load(db)
    db.execute("BEGIN")
    for seq, level in enumerate((5, 4, 5, 3, 1, 5), 1):
        t = START + seq * 20_000
        raw = (
            f'{{"log":"9f3a1c22","seq":{seq},"boot":1,"up":{seq},"t":{t},'
            f'"kind":"rating","level":{level}}}'
        ).encode()
        for part, event in decode(raw):
            journal.accept(db, "pad-w01", part, event, t)  # type: ignore[arg-type]
    journal.write(db)
    audit.append(db, START, "admin", "login", {})
    audit.append(db, START, "admin", "logout", {})
    db.execute("INSERT OR REPLACE INTO meta VALUES ('config', ?)", (str(SITE),))
    db.execute("COMMIT")
    db.close()
    return tmp_path


def test_a_whole_store_passes(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    verify.run(data)
    said = capsys.readouterr().out
    assert "checksums of 6 events" in said
    assert "audit chain of 2 rows" in said


@pytest.mark.parametrize(
    ("harm", "named"),
    [
        ("DELETE FROM event WHERE seq=2", "gaps: pad-w01/9f3a1c22"),
        ("UPDATE event SET up=99 WHERE seq=3", "checksums: 1 of 6"),
        ("UPDATE audit SET who='nobody' WHERE id=1", "audit chain: broken at row 1"),
    ],
)
def test_harm_is_found(
    data: Path, harm: str, named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    db = store.open_writer(data)
    for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type='trigger'").fetchall():
        db.execute(f"DROP TRIGGER {name}")
    db.execute(harm)
    db.close()
    with pytest.raises(InputFault, match="2 of the checks failed, the first: "):
        verify.run(data)
    said = capsys.readouterr().out
    assert named in said
    assert "rating_no_delete" in said  # that a guard is gone is told, too


def test_a_chain_that_was_made_anew_does_not_have_the_head_kept_outside(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Row 58: every row edited and hashed again holds together; a head on paper tells."""
    db = store.open_writer(data)
    kept = audit.head(db)
    assert kept is not None
    audit.append(db, START, "admin", "login", {})
    verify.run(data, [kept])
    assert f"✓ the audit still has the head {kept}" in capsys.readouterr().out
    guards = db.execute(
        "SELECT name, sql FROM sqlite_master WHERE type='trigger' AND tbl_name='audit'"
    ).fetchall()
    rows = db.execute("SELECT at, who, what FROM audit ORDER BY id").fetchall()
    for name, _ in guards:
        db.execute(f"DROP TRIGGER {name}")
    db.execute("DELETE FROM audit")
    for at, _, what in rows:
        audit.append(db, at, "nobody", what, {})
    for _, sql in guards:
        db.execute(sql)
    db.close()
    verify.run(data)  # by itself it is whole
    with pytest.raises(InputFault, match=f"does not have the kept head {kept}"):
        verify.run(data, [kept])
    with pytest.raises(InputFault, match="is no head"):
        verify.run(data, ["12"])


def test_ratings_report_counts_what_was_pressed(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "ratings.xlsx"
    reports.write("ratings", data, "2026-07-01", "2026-07-01", out)
    sheet = openpyxl.load_workbook(out)["按窗口"]
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[0][:3] == ("窗口", "评价数 n", "非常满意")
    assert rows[1][:7] == ("企业开办专窗", 6, 3, 1, 1, 0, 1)


def test_energy_is_of_the_sites_own_days(data: Path, tmp_path: Path) -> None:
    config = tmp_path / "urumqi.toml"  # two hours behind
    config.write_text(SITE.read_text().replace("Asia/Shanghai", "Asia/Urumqi"))
    hour, midnight = 3_600_000, parse_instant("2026-07-02T00:00:00+06:00")
    with contextlib.closing(store.open_writer(data)) as db:
        db.execute("INSERT INTO channel VALUES (1, 'pm-01', 'c1', 'power', '')")
        for n, kwh in ((-25, 1), (-24, 2), (-1, 4), (0, 8)):
            db.execute("INSERT INTO energy VALUES (1, ?, ?)", (midnight + n * hour, kwh * 10**9))
        db.execute("INSERT OR REPLACE INTO meta VALUES ('config', ?)", (str(config),))
    out = tmp_path / "energy.xlsx"
    reports.write("energy", data, "2026-07-01", "2026-07-02", out)
    found = list(openpyxl.load_workbook(out)["电量"].iter_rows(values_only=True))[1:]
    assert [(row[0], row[1], row[4]) for row in found] == [
        ("2026-07-01", "大厅照明", 6),
        ("2026-07-02", "大厅照明", 8),
    ]


def test_a_report_names_what_is_wrong(data: Path, tmp_path: Path) -> None:
    with pytest.raises(InputFault, match="YYYY-MM-DD"):
        reports.write("safety", data, "July", "2026-07-01", tmp_path / "x.xlsx")
    for nowhere in (tmp_path, tmp_path / "none" / "x.xlsx"):
        with pytest.raises(EnvironmentFault, match="cannot be written"):
            reports.write("safety", data, "2026-07-01", "2026-07-01", nowhere)
        with pytest.raises(EnvironmentFault, match="cannot be written"):
            reports.write_sheet("zeros", data, "2026-07", nowhere)
