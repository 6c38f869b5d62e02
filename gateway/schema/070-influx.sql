-- How far the journal has been copied to each InfluxDB. The journal itself is the outbox: a row is
-- owed until `sent` has passed it, so owing costs no disk and no write of its own.
CREATE TABLE influx (
  target TEXT PRIMARY KEY,          -- address, org and bucket, without secrets
  sent INTEGER NOT NULL,            -- event rows up to this id are accepted, refused or in influx_again
  attached INTEGER NOT NULL,        -- `sent` at first: rows up to here are for the backfill
  filled INTEGER NOT NULL DEFAULT 0,-- how far the backfill is
  fault TEXT,                       -- why the last try failed; null while it works
  fault_at INTEGER
) WITHOUT ROWID;

-- Rows to send apart from the others: their time may still move, or has moved since.
CREATE TABLE influx_again (
  target TEXT NOT NULL,
  event INTEGER NOT NULL,
  due INTEGER NOT NULL,             -- Unix ms
  PRIMARY KEY (target, event)
) WITHOUT ROWID;
CREATE INDEX influx_again_due ON influx_again (target, due);

-- Points that the server would not have, set aside so that they hold up no other.
CREATE TABLE influx_refused (
  target TEXT NOT NULL,
  event INTEGER NOT NULL,
  at INTEGER NOT NULL,
  why TEXT NOT NULL,
  line TEXT NOT NULL,
  PRIMARY KEY (target, event)
) WITHOUT ROWID;
