-- Who may sign in. Sessions are kept by the hash of their token, never by the token.
CREATE TABLE account (
  name TEXT PRIMARY KEY,
  role TEXT NOT NULL CHECK (role IN
    ('viewer', 'counter', 'duty', 'facilities', 'manager', 'auditor', 'admin')),
  hash TEXT NOT NULL,               -- argon2
  disabled INTEGER NOT NULL DEFAULT 0,
  counter TEXT,                     -- the counter a `counter` account leads
  made_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE session (
  token TEXT PRIMARY KEY,           -- SHA-256 of the token, hex
  name TEXT NOT NULL REFERENCES account (name),
  made_at INTEGER NOT NULL,         -- Unix ms of the machine's own clock, as is until
  until INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX session_name ON session (name);
