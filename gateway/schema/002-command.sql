-- Commands to devices: an outbox, delivered and retried by the gateway. Times are Unix ms.
CREATE TABLE command (
  id TEXT PRIMARY KEY,             -- c- and a ULID
  device TEXT NOT NULL,
  ch TEXT,
  do TEXT NOT NULL,
  args TEXT NOT NULL,              -- compact JSON object
  cause TEXT NOT NULL,             -- what asked for it: a finding, a permit's end, a person
  person TEXT,
  made_at INTEGER NOT NULL,
  exp INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('queued', 'sent', 'done', 'refused', 'expired', 'failed')),
  tries INTEGER NOT NULL DEFAULT 0,
  answered_at INTEGER,
  why TEXT,
  fence INTEGER NOT NULL           -- which start of the gateway asked
) WITHOUT ROWID;
CREATE INDEX command_open ON command (device) WHERE state IN ('queued', 'sent');
