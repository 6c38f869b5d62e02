-- 值班记录 and 关门记录: append-only. Times are Unix ms; a shift lasts until the next one begins.
CREATE TABLE shift (
  id TEXT PRIMARY KEY,
  begin INTEGER NOT NULL,
  officer TEXT NOT NULL,            -- who takes the shift over
  second TEXT NOT NULL,             -- who hands it over, or opens the first one with the officer
  before TEXT UNIQUE REFERENCES shift (id), -- the shift handed over; null where none ran
  note TEXT NOT NULL,
  alerts TEXT NOT NULL,             -- JSON: the open alerts at that instant
  things TEXT NOT NULL              -- JSON: openings, circuits and ACs as the sensors saw them
) WITHOUT ROWID;
CREATE INDEX shift_begin ON shift (begin);

CREATE TABLE closing_check (
  id INTEGER PRIMARY KEY,
  day TEXT NOT NULL,                -- local date
  due INTEGER NOT NULL,             -- when everyone must be out
  at INTEGER NOT NULL,
  who TEXT NOT NULL,                -- `gateway`: taken by itself when it was due
  note TEXT NOT NULL,
  things TEXT NOT NULL              -- JSON, as in shift
);
CREATE INDEX closing_check_day ON closing_check (day);
CREATE INDEX closing_check_at ON closing_check (at);

CREATE TRIGGER shift_no_update BEFORE UPDATE ON shift
BEGIN SELECT RAISE(ABORT, 'a shift record is append-only'); END;
CREATE TRIGGER shift_no_delete BEFORE DELETE ON shift
BEGIN SELECT RAISE(ABORT, 'a shift record is append-only'); END;
CREATE TRIGGER closing_check_no_update BEFORE UPDATE ON closing_check
BEGIN SELECT RAISE(ABORT, 'a closing check is append-only'); END;
CREATE TRIGGER closing_check_no_delete BEFORE DELETE ON closing_check
BEGIN SELECT RAISE(ABORT, 'a closing check is append-only'); END;
