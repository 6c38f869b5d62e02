-- What devices said. Times are Unix ms; `at` is the earliest arrival, `t` the device's word.
CREATE TABLE event (
  id INTEGER PRIMARY KEY,          -- order of storing
  device TEXT NOT NULL,
  log TEXT NOT NULL,               -- lower-case hex
  seq INTEGER NOT NULL,
  boot INTEGER NOT NULL,
  up INTEGER NOT NULL,
  t INTEGER,                       -- believed t of the earliest-arrived copy that has one
  at INTEGER NOT NULL,             -- earliest arrival
  t_at INTEGER,                    -- arrival of the copy that gave t
  kind TEXT NOT NULL,
  payload TEXT NOT NULL,           -- the event's JSON as first sent
  crc INTEGER NOT NULL,            -- CRC32 of all the above but id (journal.checksum)
  UNIQUE (device, log, seq)
);
CREATE INDEX event_at ON event (at);

-- One row a device's log: how far it is acknowledged.
CREATE TABLE log (
  device TEXT NOT NULL,
  log TEXT NOT NULL,
  acked INTEGER NOT NULL DEFAULT 0,      -- every seq from 1 to here is stored or counts as received
  top INTEGER NOT NULL DEFAULT 0,        -- highest seq heard of
  boot INTEGER NOT NULL DEFAULT 0,
  stored INTEGER NOT NULL DEFAULT 0,
  duplicates INTEGER NOT NULL DEFAULT 0,
  last_at INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (device, log)
) WITHOUT ROWID;

-- Numbers that count as received without having come: lost, or refused but readable.
CREATE TABLE gap (
  device TEXT NOT NULL,
  log TEXT NOT NULL,
  first INTEGER NOT NULL,
  last INTEGER NOT NULL,
  why TEXT NOT NULL,               -- lost | first | refused
  at INTEGER NOT NULL,
  PRIMARY KEY (device, log, first, why)
) WITHOUT ROWID;

-- Messages and logins that were turned away, the newest some thousand of them.
CREATE TABLE reject (
  id INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  topic TEXT NOT NULL,             -- empty for a login
  device TEXT,
  reason TEXT NOT NULL,
  head BLOB NOT NULL               -- first 512 bytes
);

CREATE TABLE device (
  id TEXT PRIMARY KEY,
  state TEXT,                      -- ready | asleep | off | lost
  state_at INTEGER,
  log TEXT,                        -- of its last ready
  boot INTEGER,
  fw TEXT,
  kind TEXT,
  last_at INTEGER,                 -- last word of any kind, not retained
  rejected INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
