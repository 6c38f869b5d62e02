"""What an outbox row for each event would cost beside the journal's cursor (docs/adr/009).

`python bench/outbox.py [EVENTS]`, 200,000 by default: power events through the journal, 500 a
transaction, once alone, once with a row in an outbox table in the same transaction and batches of
2,000 deleted as a server takes them. Seconds of CPU, three runs of each, turn by turn.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # not bench/, which has a firmware.py of its own

from gateway import store  # noqa: E402
from gateway.events import Refused, decode  # noqa: E402
from gateway.journal import Journal  # noqa: E402

TURN, BATCH, RUNS = 500, 2000, 3
AT = 1_782_896_400_000
OUTBOX = "CREATE TABLE outbox (event INTEGER PRIMARY KEY, due INTEGER NOT NULL)"


def fill(folder: Path, events: int, rows: bool) -> tuple[float, float, int]:
    """(CPU s of storing, CPU s of deleting the outbox, bytes of the file before that)."""
    with contextlib.closing(store.open_writer(folder)) as db:
        if rows:
            db.execute(OUTBOX)
        journal = Journal()
        journal.load(db)
        began = time.process_time()
        for first in range(1, events + 1, TURN):
            db.execute("BEGIN IMMEDIATE")
            for seq in range(first, min(first + TURN, events + 1)):
                at = AT + seq * 100
                raw = (
                    f'{{"log":"9f3a1c22","seq":{seq},"boot":1,"up":{seq * 100},"t":{at},'
                    f'"kind":"power","ch":"c1","w":{seq % 997}.5,"wh":{seq}}}'
                ).encode()
                for part, event in decode(raw):
                    assert not isinstance(event, Refused)
                    journal.accept(db, "pm-01", part, event, at)
            before = db.execute("SELECT coalesce(max(id), 0) FROM event").fetchone()[0]
            stored, _ = journal.write(db)
            if rows:
                due = [(before + n, AT) for n in range(1, len(stored) + 1)]
                db.executemany("INSERT INTO outbox VALUES (?, ?)", due)
            db.execute("COMMIT")
        stored_in = time.process_time() - began
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        size = (folder / store.FILE).stat().st_size
        began = time.process_time()
        for top in range(BATCH, events + BATCH, BATCH) if rows else ():
            db.execute("DELETE FROM outbox WHERE event <= ?", (top,))
        return stored_in, time.process_time() - began, size


def main(events: int) -> None:
    print(f"{events:,} events, {TURN} a transaction")
    print(f"{'':24}{'storing, s of CPU':>20}{'deleting':>10}{'MB':>8}")
    for _ in range(RUNS):
        for name, rows in (("the journal alone", False), ("with an outbox row each", True)):
            with tempfile.TemporaryDirectory() as scratch:
                stored, gone, size = fill(Path(scratch), events, rows)
            print(f"{name:24}{stored:20.2f}{gone:10.2f}{size / 1e6:8.1f}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 200_000)
