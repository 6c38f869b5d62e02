-- The 差评 of the QR page and of paper forms, by when they were learnt: each opens a case.
CREATE INDEX opinion_bad ON opinion (made_at) WHERE level <= 2;

-- Registers (台账) and records of duties: one plain ledger, append-only. An entry that is wrong is
-- struck out with a reason and stays.
CREATE TABLE register_entry (
  id TEXT PRIMARY KEY,
  book TEXT NOT NULL,               -- duty, duty-move, extinguisher, hot-work, courier, …
  item TEXT NOT NULL,               -- what it is about within its book; may be empty
  at INTEGER NOT NULL,              -- Unix ms
  who TEXT NOT NULL,
  data TEXT NOT NULL                -- JSON
) WITHOUT ROWID;
CREATE INDEX register_book ON register_entry (book, at, id);
CREATE INDEX register_item ON register_entry (book, item, at);

CREATE TABLE register_strike (
  entry TEXT PRIMARY KEY REFERENCES register_entry (id),
  at INTEGER NOT NULL,
  who TEXT NOT NULL,
  why TEXT NOT NULL
) WITHOUT ROWID;

-- Appointments outside opening hours. No identity card is stored: a keyed hash counts no-shows.
CREATE TABLE appointment (
  id TEXT PRIMARY KEY,
  "from" INTEGER NOT NULL,
  "to" INTEGER NOT NULL,
  counter TEXT NOT NULL,
  matter TEXT NOT NULL,
  card TEXT NOT NULL,               -- HMAC-SHA-256, hex
  permit TEXT NOT NULL,
  made_by TEXT NOT NULL,
  made_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX appointment_from ON appointment ("from", id);
CREATE INDEX appointment_card ON appointment (card);

CREATE TABLE appointment_event (
  appointment TEXT NOT NULL REFERENCES appointment (id),
  n INTEGER NOT NULL,
  at INTEGER NOT NULL,
  who TEXT NOT NULL,
  what TEXT NOT NULL,               -- cancel | late-cancel | attend | void | no-show | strike
  note TEXT NOT NULL,
  PRIMARY KEY (appointment, n)
) WITHOUT ROWID;

-- Punches of the existing attendance machine, as its file gave them. No biometrics.
CREATE TABLE attendance_import (
  id INTEGER PRIMARY KEY,
  sha256 TEXT NOT NULL UNIQUE,
  file TEXT NOT NULL,
  at INTEGER NOT NULL,
  who TEXT NOT NULL,
  punches INTEGER NOT NULL
);
CREATE TABLE attendance_punch (
  person TEXT NOT NULL,
  t INTEGER NOT NULL,
  name TEXT NOT NULL,
  kind TEXT NOT NULL,               -- in | out | '' where the file does not say
  import INTEGER NOT NULL REFERENCES attendance_import (id),
  PRIMARY KEY (person, t)
) WITHOUT ROWID;
CREATE INDEX attendance_t ON attendance_punch (t);

CREATE TRIGGER register_entry_no_update BEFORE UPDATE ON register_entry
BEGIN SELECT RAISE(ABORT, 'a register is only added to'); END;
CREATE TRIGGER register_entry_no_delete BEFORE DELETE ON register_entry
BEGIN SELECT RAISE(ABORT, 'an entry is never deleted, only struck out'); END;
CREATE TRIGGER register_entry_no_replace BEFORE INSERT ON register_entry
WHEN EXISTS (SELECT 1 FROM register_entry WHERE id = new.id)
BEGIN SELECT RAISE(ABORT, 'a register is only added to'); END;
CREATE TRIGGER register_strike_no_update BEFORE UPDATE ON register_strike
BEGIN SELECT RAISE(ABORT, 'a register is only added to'); END;
CREATE TRIGGER register_strike_no_delete BEFORE DELETE ON register_strike
BEGIN SELECT RAISE(ABORT, 'what was struck out stays so'); END;
CREATE TRIGGER appointment_no_update BEFORE UPDATE ON appointment
BEGIN SELECT RAISE(ABORT, 'an appointment is only added to'); END;
CREATE TRIGGER appointment_no_delete BEFORE DELETE ON appointment
BEGIN SELECT RAISE(ABORT, 'an appointment is never deleted'); END;
CREATE TRIGGER appointment_event_no_update BEFORE UPDATE ON appointment_event
BEGIN SELECT RAISE(ABORT, 'an appointment is only added to'); END;
CREATE TRIGGER appointment_event_no_delete BEFORE DELETE ON appointment_event
BEGIN SELECT RAISE(ABORT, 'an appointment is only added to'); END;
CREATE TRIGGER attendance_punch_no_update BEFORE UPDATE ON attendance_punch
BEGIN SELECT RAISE(ABORT, 'a punch is never changed'); END;
CREATE TRIGGER attendance_punch_no_delete BEFORE DELETE ON attendance_punch
BEGIN SELECT RAISE(ABORT, 'a punch is never deleted'); END;
