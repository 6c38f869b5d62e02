-- Findings, what stood before they were amended, and what people register against them.
CREATE TABLE finding (
  id TEXT PRIMARY KEY,
  rule TEXT NOT NULL,
  subject TEXT NOT NULL,
  zone TEXT,
  since INTEGER NOT NULL,
  start INTEGER NOT NULL,
  "end" INTEGER,
  severity TEXT NOT NULL,
  cites TEXT NOT NULL,              -- JSON
  evidence TEXT NOT NULL,           -- JSON
  state TEXT NOT NULL,              -- open | ended | closed | withdrawn
  seen INTEGER NOT NULL,            -- when it was first derived
  changed INTEGER NOT NULL,
  closed_by TEXT,
  closed_why TEXT,
  closed_at INTEGER
) WITHOUT ROWID;
CREATE INDEX finding_start ON finding (start);

CREATE TABLE finding_history (
  id INTEGER PRIMARY KEY,
  finding TEXT NOT NULL,
  at INTEGER NOT NULL,
  was TEXT NOT NULL                 -- JSON
);

CREATE TABLE permit (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  zones TEXT NOT NULL,              -- JSON
  "from" INTEGER NOT NULL,
  "to" INTEGER NOT NULL,
  reason TEXT NOT NULL,
  requested_by TEXT NOT NULL,
  approved_by TEXT NOT NULL,
  made_at INTEGER NOT NULL,
  withdrawn_at INTEGER,
  withdrawn_by TEXT
) WITHOUT ROWID;

CREATE TABLE entry (
  id TEXT PRIMARY KEY,
  at INTEGER NOT NULL,
  who TEXT NOT NULL,
  reason TEXT NOT NULL,
  registered_by TEXT NOT NULL,
  made_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE alert (
  id TEXT PRIMARY KEY,
  finding TEXT NOT NULL,
  rule TEXT NOT NULL,
  subject TEXT NOT NULL,
  severity TEXT NOT NULL,
  state TEXT NOT NULL,   -- unacknowledged | acknowledged | returned | normal | shelved | suppressed
  opened INTEGER NOT NULL,
  acked_at INTEGER,
  acked_by TEXT,
  shelved_until INTEGER,
  shelve_why TEXT,
  returned_at INTEGER,
  closed_at INTEGER,
  closed_by TEXT
) WITHOUT ROWID;
CREATE INDEX alert_opened ON alert (opened);
