# ruff: noqa: E402
"""Every sheet over a county's data: seconds and peak memory by how many months there are.

`python bench/reports.py [MONTHS…]`; the default is 3 and 12. 40 counters, 400 ratings a day in all,
3,000 findings a month, half of those that may cost points confirmed. Each length runs in a process
of its own: memory stays flat where the peak does not grow with the months. Each file is read again,
and its totals must be those of `/ratings/summary`.
"""

from __future__ import annotations

import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # not bench/, which has a firmware.py of its own

import openpyxl
from rich.console import Console
from rich.table import Table

from gateway import ratings, site, store, workdays
from gateway.clock import parse_instant
from gateway.journal import checksum, stores
from gateway.reports import book, hygiene, sheets

COUNTERS, A_DAY, FINDINGS = 40, 400, 3000
FIRST = date(2026, 1, 1)
RULES = (*hygiene.EPISODES, "post.vacant", "device.silent", "lights.after-close", "ac.out-of-hours")


def hall(path: Path) -> site.Site:
    """Forty counters of eight departments in four zones."""
    lines = ['[site]\nid = "county"\nname = "县政务服务中心"\n']
    lines += [f'[[zone]]\nid = "z{n}"\nname = "{n + 1} 区"\n' for n in range(4)]
    for n in range(COUNTERS):
        lines.append(
            f'[[counter]]\nid = "w{n:02}"\nname = "{n + 1} 号窗口"\nzone = "z{n % 4}"\n'
            f'department = "部门 {n % 8 + 1}"\npad = "pad-{n:02}"\n'
            f'[[device]]\nid = "pad-{n:02}"\nkind = "rating-pad"\n'
        )
    path.write_text("".join(lines), encoding="utf-8")
    return site.load(path)


def fill(folder: Path, months: int) -> date:
    """Write the months; the last day of them."""
    dice = random.Random(months)
    db = store.open_writer(folder)
    stores(db, lambda *_: True)
    end = (FIRST + timedelta(days=31 * months)).replace(day=1) - timedelta(days=1)
    days = (end - FIRST).days + 1
    begin = parse_instant(f"{FIRST}T00:00:00")
    db.execute("BEGIN")
    seqs = [0] * COUNTERS
    for day in range(days):
        for _ in range(A_DAY):
            counter = dice.randrange(COUNTERS)
            seqs[counter] += 1
            t = begin + day * 86_400_000 + dice.randrange(9 * 3_600_000, 17 * 3_600_000)
            level = dice.choices((5, 4, 3, 2, 1), (70, 20, 6, 3, 1))[0]
            said = {"log": "9f3a1c22", "seq": seqs[counter], "boot": 1, "up": 1, "t": t}
            text = json.dumps(said | {"kind": "rating", "level": level})
            row = (f"pad-{counter:02}", "9f3a1c22", seqs[counter], 1, 1, t, t, t, "rating", text)
            db.execute(
                "INSERT INTO event (device,log,seq,boot,up,t,at,t_at,kind,payload,crc)"
                " VALUES (?,?,?,?,?,?,?,?,?,?,?)",
                (*row, checksum(*row)),
            )
    for number in range(FINDINGS * months):
        start = begin + dice.randrange(days * 86_400_000)
        rule = dice.choice(RULES)
        db.execute(
            'INSERT INTO finding (id,rule,subject,zone,since,start,"end",severity,cites,evidence,'
            "state,seen,changed) VALUES (?,?,?,?,?,?,?,'notice','[]','{}','ended',0,0)",
            (
                *(f"f-{number}", rule, f"pad-{number % COUNTERS:02}", f"z{number % 4}"),
                *(start, start, start + 600_000),
            ),
        )
        if rule in hygiene.EPISODES and number % 2:
            db.execute(
                "INSERT INTO episode_decision (finding,decision,unit,reason,made_at,made_by)"
                " VALUES (?,'confirm',?,'',0,'bench')",
                (f"f-{number}", f"w{number % COUNTERS:02}"),
            )
    for n in range(COUNTERS):
        db.execute(
            "INSERT INTO roster (counter,person,first,last,made_at,made_by)"
            " VALUES (?,?,'2026-01-01','2027-12-31',0,'bench')",
            (f"w{n:02}", f"{n + 1} 号人员"),
        )
    db.execute("COMMIT")
    db.close()
    return end


def run(months: int, folder: Path) -> None:
    """Every sheet of every period in these months, as a file; figures as JSON on stdout."""
    site_ = site.load(folder / "site.toml")
    calendar = workdays.load(site_, None)
    db = store.open_reader(folder)
    end = (FIRST + timedelta(days=31 * months)).replace(day=1) - timedelta(days=1)
    now = parse_instant(f"{end}T23:59:59")
    seconds: dict[str, float] = {}
    files = 0
    totals: list[tuple[str, str, int]] = []
    for kind in sheets.KINDS:
        begun = time.perf_counter()
        for period in sheets.latest(kind, end, 60):
            if period.first < FIRST:
                break
            made = sheets.build(db, site_, calendar, kind, period, now)
            path = folder / f"{kind}-{period.name}.xlsx"
            book.write(made, site_.name, path)
            files += 1
            if kind.startswith("ratings-"):
                totals.append((str(path), str(period.first), (period.last - period.first).days))
        seconds[kind] = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    for name, first, more in totals:
        begin = date.fromisoformat(first)
        upto = begin + timedelta(days=more)
        rows = openpyxl.load_workbook(name, read_only=True)["按窗口"].iter_rows(
            min_row=2, max_col=2, values_only=True
        )
        told = ratings.summary(db, site_, begin, upto, "counter")
        assert sum(row[1] for row in rows) == sum(item["n"] for item in told), name
    print(json.dumps({"seconds": seconds, "files": files, "peak": peak}))


def main() -> None:
    months = [int(text) for text in sys.argv[1:]] or [3, 12]
    table = Table("months", "ratings", "findings", "files", *sheets.KINDS, "all, s", "peak, MB")
    for count in months:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            hall(folder / "site.toml")
            end = fill(folder, count)
            done = subprocess.run(
                [sys.executable, __file__, "--run", str(count), name],
                check=True,
                capture_output=True,
                text=True,
            )
            told = json.loads(done.stdout)
            each = told["seconds"]
            table.add_row(
                *(str(count), f"{A_DAY * ((end - FIRST).days + 1):,}", f"{FINDINGS * count:,}"),
                *(str(told["files"]), *(f"{each[kind]:.1f}" for kind in sheets.KINDS)),
                *(f"{sum(each.values()):.1f}", f"{told['peak']:.0f}"),
            )
    Console(width=140).print(table)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--run"]:
        run(int(sys.argv[2]), Path(sys.argv[3]))
    else:
        main()
