-- What people enter into the monthly sheets; the last word on a field counts, every word stays.
CREATE TABLE sheet_field (
  id INTEGER PRIMARY KEY,
  sheet TEXT NOT NULL,              -- stars | hygiene | zeros
  month TEXT NOT NULL,              -- YYYY-MM
  subject TEXT NOT NULL,            -- a person, a unit, or a promise
  field TEXT NOT NULL,
  value REAL NOT NULL,
  made_at INTEGER NOT NULL,
  made_by TEXT NOT NULL
);
CREATE INDEX sheet_field_month ON sheet_field (sheet, month);

-- Whether an episode the sensors propose is charged to somebody: a named person's word, one by one.
CREATE TABLE episode_decision (
  id INTEGER PRIMARY KEY,
  finding TEXT NOT NULL,
  decision TEXT NOT NULL CHECK (decision IN ('confirm', 'reject')),
  unit TEXT,                        -- a counter or a zone; null for a rejected one
  reason TEXT NOT NULL,
  made_at INTEGER NOT NULL,
  made_by TEXT NOT NULL,
  CHECK ((decision = 'confirm') = (unit IS NOT NULL))
);
CREATE INDEX episode_decision_finding ON episode_decision (finding, id);

CREATE TRIGGER sheet_field_no_update BEFORE UPDATE ON sheet_field
BEGIN SELECT RAISE(ABORT, 'a field is corrected by a later word, never changed'); END;
CREATE TRIGGER sheet_field_no_delete BEFORE DELETE ON sheet_field
BEGIN SELECT RAISE(ABORT, 'a field is corrected by a later word, never deleted'); END;
CREATE TRIGGER episode_decision_no_update BEFORE UPDATE ON episode_decision
BEGIN SELECT RAISE(ABORT, 'a decision is revised by a later one, never changed'); END;
CREATE TRIGGER episode_decision_no_delete BEFORE DELETE ON episode_decision
BEGIN SELECT RAISE(ABORT, 'a decision is revised by a later one, never deleted'); END;
