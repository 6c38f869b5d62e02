-- Channels' numbers over time. Values are thousandths (devices send at most 3 decimals), booleans
-- 0 or 1000; f1…f5 are the kind's fields in the order of gateway/history/kinds.py.
CREATE TABLE channel (
  id INTEGER PRIMARY KEY,
  device TEXT NOT NULL,
  ch TEXT NOT NULL,
  kind TEXT NOT NULL,
  what TEXT NOT NULL DEFAULT '',    -- a detector's
  UNIQUE (device, ch, kind, what)
);

-- Hot rows: one an event, in the contract's order of equal times. `log` is its hex as a number.
CREATE TABLE sample (
  channel INTEGER NOT NULL,
  t INTEGER NOT NULL,
  boot INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  log INTEGER NOT NULL,
  f1 INTEGER, f2 INTEGER, f3 INTEGER, f4 INTEGER, f5 INTEGER,
  PRIMARY KEY (channel, t, boot, seq, log)
) WITHOUT ROWID;

-- Hot rows whose time is an estimate and may still move.
CREATE TABLE moving (
  channel INTEGER NOT NULL,
  log INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  t INTEGER NOT NULL,
  PRIMARY KEY (channel, log, seq)
) WITHOUT ROWID;

-- The event that places those of its boot that have no time: the lowest seq with a believed,
-- not stale one.
CREATE TABLE anchor (
  device TEXT NOT NULL,
  log TEXT NOT NULL,
  boot INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  t INTEGER NOT NULL,
  up INTEGER NOT NULL,
  PRIMARY KEY (device, log, boot)
) WITHOUT ROWID;
CREATE INDEX event_timeless ON event (device, log, boot) WHERE t IS NULL;

-- Buckets of a minute, an hour and a local day (`step` in ms; a day is 86400000).
CREATE TABLE rollup (
  channel INTEGER NOT NULL,
  field INTEGER NOT NULL,           -- 1…5
  step INTEGER NOT NULL,
  t INTEGER NOT NULL,               -- the bucket's begin
  n INTEGER NOT NULL,
  low INTEGER NOT NULL,
  high INTEGER NOT NULL,
  sum INTEGER NOT NULL,
  last INTEGER NOT NULL,
  PRIMARY KEY (channel, field, step, t)
) WITHOUT ROWID;

-- Energy of a meter in an hour, in millionths of a Wh.
CREATE TABLE energy (
  channel INTEGER NOT NULL,
  t INTEGER NOT NULL,
  uwh INTEGER NOT NULL,
  PRIMARY KEY (channel, t)
) WITHOUT ROWID;

-- A channel's local day, compacted.
CREATE TABLE chunk (
  channel INTEGER NOT NULL,
  day INTEGER NOT NULL,             -- Unix ms of its begin
  n INTEGER NOT NULL,
  data BLOB NOT NULL,
  PRIMARY KEY (channel, day)
) WITHOUT ROWID;

-- The last value by event time of every channel.
CREATE TABLE last_value (
  device TEXT NOT NULL,
  kind TEXT NOT NULL,
  ch TEXT NOT NULL,
  what TEXT NOT NULL,
  t INTEGER NOT NULL,
  boot INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  log TEXT NOT NULL,
  fields TEXT NOT NULL,             -- compact JSON
  PRIMARY KEY (device, kind, ch, what)
) WITHOUT ROWID;

CREATE INDEX event_tap ON event (t) WHERE kind = 'tap';
