-- Cases: what happened to each, append-only. Everything else about a case follows from its events.
CREATE TABLE case_file (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,               -- bad-rating | complaint | hazard | promise | start-up
  received INTEGER NOT NULL,        -- Unix ms; the clock's day 0 is its day
  counter TEXT,
  source TEXT UNIQUE                -- what opened it by itself: "rating <device> <log> <seq>"
) WITHOUT ROWID;
CREATE INDEX case_received ON case_file (received, id);

CREATE TABLE case_event (
  case_id TEXT NOT NULL REFERENCES case_file (id),
  n INTEGER NOT NULL,               -- from 1; the first opens the case
  at INTEGER NOT NULL,
  who TEXT NOT NULL,
  what TEXT NOT NULL,
  data TEXT NOT NULL,               -- JSON
  PRIMARY KEY (case_id, n)
) WITHOUT ROWID;

CREATE INDEX case_event_confirm ON case_event (case_id) WHERE what = 'confirm';

CREATE TRIGGER case_file_no_update BEFORE UPDATE ON case_file
BEGIN SELECT RAISE(ABORT, 'a case is never changed, only added to'); END;
CREATE TRIGGER case_file_no_delete BEFORE DELETE ON case_file
BEGIN SELECT RAISE(ABORT, 'a case is never deleted, only struck out'); END;
CREATE TRIGGER case_event_no_update BEFORE UPDATE ON case_event
BEGIN SELECT RAISE(ABORT, 'what was done to a case is never changed'); END;
CREATE TRIGGER case_event_no_delete BEFORE DELETE ON case_event
BEGIN SELECT RAISE(ABORT, 'what was done to a case is never deleted'); END;
CREATE TRIGGER case_event_no_replace BEFORE INSERT ON case_event
WHEN EXISTS (SELECT 1 FROM case_event WHERE case_id = new.case_id AND n = new.n)
BEGIN SELECT RAISE(ABORT, 'what was done to a case is never changed'); END;
CREATE TRIGGER case_file_no_replace BEFORE INSERT ON case_file
WHEN EXISTS (SELECT 1 FROM case_file WHERE id = new.id)
BEGIN SELECT RAISE(ABORT, 'a case is never changed, only added to'); END;

-- Derived from the events and today's calendar, for lists and for what is due next.
CREATE TABLE case_now (
  id TEXT PRIMARY KEY REFERENCES case_file (id),
  state TEXT NOT NULL,
  holder TEXT,
  due_day TEXT,                     -- YYYY-MM-DD; null while nothing can be missed
  provisional INTEGER NOT NULL DEFAULT 0,
  due_at INTEGER,
  wake_at INTEGER                   -- when its next reminder or its deadline comes
) WITHOUT ROWID;
CREATE INDEX case_now_wake ON case_now (wake_at) WHERE wake_at IS NOT NULL;
CREATE INDEX case_now_due ON case_now (due_day) WHERE due_day IS NOT NULL;

-- How to reach somebody who asked for a call-back: sealed, for one purpose, until a day.
CREATE TABLE contact (
  case_id TEXT PRIMARY KEY REFERENCES case_file (id),
  purpose TEXT NOT NULL,
  until TEXT NOT NULL,              -- YYYY-MM-DD, the last day on which it is kept
  sealed BLOB,                      -- null once it was erased
  made_by TEXT NOT NULL,
  made_at INTEGER NOT NULL,
  erased_at INTEGER,
  erased_why TEXT
) WITHOUT ROWID;
CREATE INDEX contact_until ON contact (until) WHERE sealed IS NOT NULL;
CREATE TRIGGER contact_no_delete BEFORE DELETE ON contact
BEGIN SELECT RAISE(ABORT, 'a contact is erased, its record stays'); END;
CREATE TRIGGER contact_only_erased BEFORE UPDATE ON contact
WHEN new.sealed IS NOT NULL OR new.case_id IS NOT old.case_id OR new.purpose IS NOT old.purpose
  OR new.until IS NOT old.until OR new.made_by IS NOT old.made_by OR new.made_at IS NOT old.made_at
  OR old.erased_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a contact can only be erased'); END;
